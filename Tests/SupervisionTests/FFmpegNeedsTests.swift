import BoxConfiguration
import FFmpeg
import TestSupport
import Testing

@testable import Supervision

/// The parts that an FFmpeg lacks for a configuration, and the affected subjects.
@Suite struct FFmpegNeedsTests {
    /// - Parameter channel: The text after its name.
    private func missing(_ channel: String, _ ffmpeg: FFmpegCapabilities) throws -> [MissingAbility] {
        let file = try ConfigurationFile.parse(
            "channels: [ { name: main, \(channel) } ]\n", name: "test", ownerOnly: true)
        return FFmpegNeeds.missing(for: file.configuration, in: ffmpeg)
    }

    private static let test = "sources: [ { test: } ], groups: [ { name: hd, video: { size: 160x90, rate: 25 } } ]"
    private static let cropped = "sources: [ { test: } ], groups: [ { name: hd, video: { size: 160x90, fit: crop } } ]"
    private static let capture = "sources: [ { capture: { any: true } } ], groups: [ { name: hd } ]"
    private static let raw =
        "sources: [ { raw: { path: /tmp/frames, size: 64x48, rate: 30 } } ], groups: [ { name: hd } ]"
    private static let copied =
        "sources: [ { rtmp: { listen: \"127.0.0.1:1935\" } } ], groups: [ { name: hd, video: copy, audio: copy } ]"
    private static let pullCopied =
        "sources: [ { pull: { url: \"http://h/x\" } } ], groups: [ { name: hd, video: copy, audio: copy } ]"
    private static let published = "sources: [ { rtmp: { listen: \"127.0.0.1:1935\" } } ], groups: [ { name: hd } ]"
    private static let image = "sources: [ { test: } ], slate: { image: \"\(#filePath)\" }, groups: [ { name: hd } ]"

    private static func pull(_ url: String) -> String {
        "sources: [ { pull: { url: \"\(url)\" } } ], groups: [ { name: hd } ]"
    }

    private static func target(_ target: String) -> String {
        "sources: [ { test: } ], groups: [ { name: hd, targets: [ { name: far, \(target) } ] } ]"
    }

    private static let cases: [(part: String, channel: String, subject: String, consequence: String)] = [
        ("mpegts", test, "the service", "nothing can be sent"),
        ("testsrc2", test, "source test-0 of main", "it cannot be used"),
        ("lavfi", test, "the slate of main", "it cannot be drawn"),
        ("gradients", test, "the slate of main", "it cannot be drawn"),
        ("pad", image, "the slate of main", "a plain card is shown"),
        ("libx265", pull("http://h/x"), "the slate of main", "after a source that sends HEVC"),
        ("libx264", pull("http://h/x"), "source pull-0 of main", "neither H.264 nor HEVC"),
        ("aac", pull("http://h/x"), "source pull-0 of main", "is not AAC"),
        ("concat", pull("rtsp://user:secret@h/x"), "source pull-0 of main", "it cannot be used"),
        (
            "data", "sources: [ { srt: { listen: \"127.0.0.1:9000\" } } ], groups: [ { name: hd } ]",
            "source srt-0 of main", "it cannot be used"
        ),
        ("rtp", pull("rtp://h:5004"), "source pull-0 of main", "it cannot be used"),
        ("aac", pullCopied, "source pull-0 of main", "it cannot be used"),
        ("flv", pull("rtmp://h/app/x"), "source pull-0 of main", "it cannot be used"),
        ("libx265", published, "the slate of main", "after a source that sends HEVC"),
        ("flv", published, "source rtmp-0 of main", "audio that is not AAC is silent"),
        ("aresample", copied, "source rtmp-0 of main", "audio that is not AAC is silent"),
        ("rawvideo", capture, "source capture-0 of main", "it cannot be used"),
        ("libx264", capture, "source capture-0 of main", "it has no encoder"),
        ("aac", capture, "source capture-0 of main", "it has no audio"),
        ("framestep", raw, "source raw-0 of main", "no GPU"),
        ("libx264", raw, "source raw-0 of main", "it has no encoder"),
        ("setsar", test, "group hd", "its video cannot be encoded"),
        ("settb", test, "group hd", "its frame rate cannot be converted"),
        ("pad", test, "group hd", "stretched"),
        ("crop", cropped, "group hd", "stretched"),
        ("bwdif", test, "group hd", "stay interlaced"),
        ("trim", test, "group hd", "cannot be replaced"),
        ("atrim", test, "group hd", "cannot be replaced"),
        ("srt", target("url: \"srt://h:9000\""), "target far", "nothing can be sent to it"),
        ("aac_adtstoasc", target("url: \"rtmp://h/live/key\""), "target far", "nothing can be sent to it"),
        ("segment", target("record: { folder: /tmp/rec }"), "target far", "nothing can be recorded"),
    ]

    @Test("a missing part is reported for the subjects that need it", arguments: cases.indices)
    func named(index: Int) throws {
        let entry = Self.cases[index]
        let found = try missing(entry.channel, .complete("9.0", without: [entry.part]))
        #expect(
            found.contains {
                $0.subject == entry.subject && $0.missing.hasSuffix(" \(entry.part)")
                    && $0.consequence.contains(entry.consequence)
            },
            "\(entry): \(found)")
        #expect(try missing(entry.channel, .complete("9.0")).isEmpty)
    }

    private static let decoders: [(name: String, channel: String, subject: String, consequence: String)] = [
        ("h264", test, "group hd", "its video cannot be encoded"),
        ("aac", test, "group hd", "its audio cannot be encoded"),
        ("hevc", pull("http://h/x"), "group hd", "sources that send HEVC"),
        ("aac", pullCopied, "source pull-0 of main", "if its audio is AAC"),
        ("rawvideo", raw, "source raw-0 of main", "it cannot be used"),
    ]

    @Test("a missing decoder is reported for the subjects that decode", arguments: decoders.indices)
    func decoder(index: Int) throws {
        let entry = Self.decoders[index]
        let found = try missing(entry.channel, .complete("9.0", withoutDecoders: [entry.name]))
        #expect(
            found.contains { ability in
                ability.subject == entry.subject && ability.missing == "the decoder \(entry.name)"
                    && ability.consequence.contains(entry.consequence)
            }, "\(entry): \(found)")
    }

    @Test("a decoder is not missed if nothing of its codec is decoded")
    func undecoded() throws {
        #expect(try missing(Self.copied, .complete("9.0", withoutDecoders: ["h264", "hevc", "rawvideo"])).isEmpty)
        #expect(try missing(Self.test, .complete("9.0", withoutDecoders: ["hevc", "rawvideo"])).isEmpty)
    }

    @Test("an unused part is not reported, and no part twice")
    func unused() throws {
        #expect(
            try missing(Self.test, .complete("9.0", without: ["libx265", "srt", "drawtext", "concat", "nut", "crop"]))
                .isEmpty)
        let asItComes = "sources: [ { test: } ], groups: [ { name: hd, video: { fit: stretch, deinterlace: off } } ]"
        #expect(try missing(asItComes, .complete("9.0", without: ["pad", "crop", "bwdif"])).isEmpty)
        // Another filter can do it.
        #expect(try missing(Self.test, .complete("9.0", without: ["bwdif"], with: ["yadif"])).isEmpty)
        let found = try missing(Self.pull("http://h/x"), .complete("9.0", without: ["libx264", "aac", "format"]))
        #expect(Set(found.map { $0.subject + $0.missing }).count == found.count)
        #expect(FFmpegNeeds.missing(in: .complete("9.0")).isEmpty)
    }

    @Test("an unknown SRT parameter is reported with its effect")
    func parameters() throws {
        let pull = Self.pull("srt://h:9000?foo=1&latency=200000")
        let refused = try #require(try missing(pull, .complete("9.0")).first)
        #expect(refused.subject == "source pull-0 of main" && refused.missing == "the SRT parameter foo")
        #expect(refused.consequence.hasPrefix("it cannot be used"))
        #expect(refused.sentence(ffmpeg: "9.0").hasSuffix("; remove it from the address"))
        #expect(try missing(pull, .complete("5.1")).first?.consequence.hasPrefix("it has no effect") == true)
        // A fork without a number behaves like the release of its age.
        let old = FFmpegCapabilities.complete("N-109468-gd39b34123d", library: "57. 44.100")
        let new = FFmpegCapabilities.complete("N-122000-g1234567", library: "61.  3.100")
        #expect(try missing(pull, old).first?.consequence.hasPrefix("it has no effect") == true)
        for fork in [new, .complete("UNKNOWN")] {
            #expect(try missing(pull, fork).first?.consequence.hasPrefix("it cannot be used") == true)
        }
        // A target's possible secret is given to FFmpeg as an option, and no FFmpeg accepts an unknown option.
        #expect(
            try missing(Self.target("url: \"srt://h:9000?foo=1\""), .complete("5.1")).first?.consequence.hasPrefix(
                "nothing can be sent") == true)
        #expect(
            try missing(Self.target("url: \"srt://h:9000?ttl=3\""), .complete("5.1")).first?.consequence.hasPrefix(
                "it has no effect") == true)
        // Without its name, if that may be a key.
        let hidden = try missing(Self.pull("srt://h:9000?Topsecret1=1"), .complete("9.0"))
        #expect(hidden.map(\.missing) == ["a parameter of its SRT address"])
        #expect(try missing(Self.pull("http://h/x?foo=1"), .complete("9.0")).isEmpty)
        let nothingKnown = FFmpegCapabilities.complete("9.0", without: FFmpegCapabilities.complete("9.0").srtOptions)
        #expect(try missing(pull, nothingKnown).isEmpty)
    }

    @Test(
        "HEVC by RTMP affects that target only",
        arguments: [("6.0", true), ("6.1", false), ("N-118342-g1234567", false)])
    func codecOfTarget(version: String, isMissing: Bool) throws {
        let targets =
            """
            { name: a, url: "rtmp://h/live/key" }, { name: b, url: "srt://h:9000" }, { name: c, record: { \
            folder: /tmp/rec } }
            """
        let channel =
            "sources: [ { test: } ], groups: [ { name: hd, video: { codec: hevc }, targets: [ \(targets) ] } ]"
        let found = try missing(channel, .complete(version))
        #expect(
            found.map(\.subject) == (isMissing ? ["target a"] : []) && found.allSatisfy { $0.missing == "HEVC by RTMP" }
        )
        #expect(found.allSatisfy { $0.sentence(ffmpeg: version).contains("FFmpeg 6.1 or later") })
    }
}
