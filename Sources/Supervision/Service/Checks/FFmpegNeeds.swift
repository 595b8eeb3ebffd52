package import BoxConfiguration
package import FFmpeg
import MediaTypes
import Redaction

/// A part of FFmpeg that the configuration needs and that the installed FFmpeg lacks, with the consequence.
package struct MissingAbility: Sendable, Hashable {
    /// The affected part of the configuration, as problems name it: `source srt-0 of main`.
    package var subject: String
    /// The missing part, as ``RefusedOption`` describes it: `the protocol srt`.
    package var missing: String
    /// The part of the service that does not work without it.
    package var consequence: String
    /// The remedy, as the end of a sentence.
    var advice = RefusedRole.advice

    package func sentence(ffmpeg: String) -> String {
        "FFmpeg \(ffmpeg) does not have \(missing): \(consequence)" + advice
    }

    fileprivate static let noTarget = "nothing can be sent to it; other targets work as configured"

    /// The codec of a group's video, if this FFmpeg cannot send it to the target by RTMP.
    static func codec(of target: TargetConfiguration, in group: GroupConfiguration, for ffmpeg: FFmpegCapabilities)
        -> MissingAbility?
    {
        guard case .encode(let video) = group.video, video.codec != .h264 else { return nil }
        return codec(video.codec.rawValue.uppercased(), of: target, in: group, for: ffmpeg)
    }

    /// - Parameter name: The name of a codec of Enhanced RTMP.
    static func codec(
        _ name: String, of target: TargetConfiguration, in group: GroupConfiguration, for ffmpeg: FFmpegCapabilities
    ) -> MissingAbility? {
        guard !ffmpeg.hasEnhancedFLV, case .rtmp = target.destination else { return nil }
        return MissingAbility(
            subject: "target \(target.name)", missing: "\(name) by RTMP", consequence: noTarget,
            advice:
                """
                ; let group \(group.name) encode h264, send it by SRT, record it, or use FFmpeg 6.1 or later, as \
                Debian 13 has it
                """
        )
    }
}

/// Compares the needs of a configuration with the capabilities of an FFmpeg. A missing part is only reported:
/// everything that does not need it works.
package struct FFmpegNeeds: Sendable {
    private let ffmpeg: FFmpegCapabilities
    private var found: [MissingAbility] = []

    /// - Returns: In the order of the file. Empty if nothing is missing.
    package static func missing(for configuration: BoxConfiguration, in ffmpeg: FFmpegCapabilities) -> [MissingAbility]
    {
        var needs = FFmpegNeeds(ffmpeg: ffmpeg)
        needs.need(.neededByAll, for: "the service", "nothing can be sent")
        for channel in configuration.channels {
            needs.add(channel, hasSoftware: configuration.encoders.order.contains(.software))
        }
        return needs.found
    }

    /// Returns what FFmpeg lacks for a box without a configuration: of everything that the service can do.
    package static func missing(in ffmpeg: FFmpegCapabilities) -> [MissingAbility] {
        var needs = FFmpegNeeds(ffmpeg: ffmpeg)
        needs.need(.neededByAll, for: "the service", "nothing can be sent")
        needs.need(.encodedAudio, for: "audio", "it can be passed on, but not encoded")
        needs.need(
            [.encoder("libx264")], for: "software",
            """
            H.264 is encoded by hardware only; there is no slate and no test picture, and sources in other codecs \
            cannot be used
            """
        )
        needs.need(
            [.encoder("libx265")], for: "software",
            "HEVC is encoded by hardware only, and sources in HEVC have no slate")
        needs.need(.encodedVideo, [.decoder("h264")], for: "groups", "none can encode its video")
        needs.need([.decoder("hevc")], for: "groups", noHEVC)
        needs.need([.decoder("aac")], for: "audio", "it can be passed on, but not encoded")
        needs.need(.convertedRate, for: "groups", "no rate can be changed")
        needs.need(.resumedVideo, .resumedAudio, for: "groups", noSuccessor)
        needs.need([.filter("pad"), .filter("crop")], for: "groups", stretched)
        needs.needDeinterlacer(for: "groups")
        needs.need(.slate, .plainSlate, for: "the slate", "there is none")
        needs.need(.slateImage, for: "the slate", "it has no image")
        needs.need([.filter("drawtext")], for: "the slate", "it has no text")
        needs.need(.testPicture, for: "test sources", "there are none")
        needs.need([.input("srt"), .output("srt")], for: "SRT", "there are no SRT sources and targets")
        needs.need(
            .flvInput, .rtmpTarget, [.output("rtmp"), .output("rtmps")], for: "RTMP",
            "there are no RTMP targets and pulls")
        needs.need(.convertedAudio, for: "RTMP sources", silentPublisher)
        needs.need(.recording, for: "recordings", "there are none")
        needs.need([.demuxer("rtsp"), .input("https")], for: "pulls", "such addresses cannot be fetched")
        needs.need(.secretInput, for: "sources", "none can have a passphrase or a password")
        needs.need(.card, .frames, for: "capture cards", "they cannot be used")
        needs.need([.filter("framestep")], for: "capture cards and raw sources", noGPU)
        needs.need([.demuxer("alsa")], for: "capture cards", "they have no audio")
        return needs.found
    }

    private init(ffmpeg: FFmpegCapabilities) { self.ffmpeg = ffmpeg }

    private static let silentPublisher = "audio that is not AAC is silent"
    private static let noSource = "it cannot be used; other sources can"
    private static let noSuccessor = "an encoder that ends cannot be replaced by another one"
    private static let stretched = "frames with another aspect ratio are stretched"
    private static let interlaced = "interlaced sources stay interlaced"
    private static let noHEVC = "sources that send HEVC cannot be encoded"
    private static let noGPU = "no GPU can encode the frames"

    private mutating func need(_ parts: [FFmpegPart]..., for subject: String, _ consequence: String) {
        for part in parts.joined() where !part.isIn(ffmpeg) {
            add(MissingAbility(subject: subject, missing: part.description, consequence: consequence))
        }
    }

    private mutating func needDeinterlacer(for subject: String) {
        if ffmpeg.deinterlacer == nil { need([.filter("bwdif")], for: subject, Self.interlaced) }
    }

    /// Only the first consequence of a missing part is kept: it is the most important one.
    private mutating func add(_ ability: MissingAbility) {
        guard !found.contains(where: { $0.subject == ability.subject && $0.missing == ability.missing }) else { return }
        found.append(ability)
    }

    // MARK: Sources

    private mutating func add(_ channel: ChannelConfiguration, hasSoftware: Bool) {
        for source in channel.sources {
            let subject = "source \(source.id) of \(channel.name)"
            add(source, subject, hasSoftware: hasSoftware)
            if mayBeInOtherCodecs(source) {
                if channel.copiesAudio {
                    let consequence = "it has no audio if its audio is AAC in another format than the channel's"
                    need([.decoder("aac")], for: subject, consequence)
                }
                need(
                    [.encoder("libx264"), .filter("format")], for: subject,
                    "it cannot be used if its video is neither H.264 nor HEVC")
                need(.encodedAudio, for: subject, "it cannot be used if its audio is not AAC")
            }
        }
        addSlate(of: channel)
        // A slate after an HEVC source is HEVC too.
        let hasHEVC = channel.sources.contains { maySendHEVC($0) }
        for group in channel.groups { add(group, hasSoftware: hasSoftware, hasHEVC: hasHEVC) }
    }

    private mutating func add(_ source: SourceConfiguration, _ subject: String, hasSoftware: Bool) {
        switch source.kind {
        // The service itself reads the stream, and needs FFmpeg only for audio in other codecs than AAC. The decoder is
        // not known before the publisher sends.
        case .rtmp: need(.convertedAudio, for: subject, Self.silentPublisher)
        case .srt(let srt):
            need([.input("srt")], for: subject, Self.noSource)
            need(srt.passphrase == nil ? .rawCopy : .secretInput, for: subject, Self.noSource)
        case .pull(let pull): add(pull, subject)
        case .capture(let capture):
            need(.card, for: subject, Self.noSource)
            addFrames(of: subject, hasSoftware: hasSoftware)
            if capture.audio != .none { need([.demuxer("alsa")], .encodedAudio, for: subject, "it has no audio") }
        case .raw: addFrames(of: subject, hasSoftware: hasSoftware)
        case .file: need([.input("file")], for: subject, Self.noSource)
        case .test: need(.testPicture, [.encoder("libx264")], .encodedAudio, for: subject, Self.noSource)
        }
    }

    private mutating func add(_ pull: PullSource, _ subject: String) {
        let scheme = Self.scheme(of: pull.url)
        switch scheme {
        case "rtsp", "rtsps":
            need([.demuxer("rtsp"), .input(scheme == "rtsp" ? "tcp" : "tls")], for: subject, Self.noSource)
        case "rtmp", "rtmps": need([.input(scheme)], .flvInput, for: subject, Self.noSource)
        case "rtp": need([.input(scheme), .demuxer("rtp")], for: subject, Self.noSource)
        default: need([.input(scheme)], for: subject, Self.noSource)
        }
        // A secret in the address counts too.
        let hasSecret =
            pull.passphrase != nil || pull.streamid != nil || pull.password != nil || URLMask.mask(pull.url) != pull.url
        if hasSecret { need(.secretInput, for: subject, Self.noSource) }
        addParameters(of: pull.url, for: subject, Self.noSource) { _ in false }
    }

    /// The encoder for the frames of a card or of another program. A trial shows the needs of a GPU.
    private mutating func addFrames(of subject: String, hasSoftware: Bool) {
        need(.frames, for: subject, Self.noSource)
        if hasSoftware { need([.encoder("libx264")], for: subject, "it has no encoder if no GPU works") }
        need([.filter("framestep")], for: subject, Self.noGPU)
    }

    /// Whether a source may send codecs that a feed does not carry. RTMP publishers learn which codecs they may
    /// send.
    private func mayBeInOtherCodecs(_ source: SourceConfiguration) -> Bool {
        switch source.kind {
        case .srt, .pull, .file: true
        case .rtmp, .capture, .raw, .test: false
        }
    }

    private func maySendHEVC(_ source: SourceConfiguration) -> Bool {
        if case .rtmp = source.kind { true } else { mayBeInOtherCodecs(source) }
    }

    // MARK: The slate

    private mutating func addSlate(of channel: ChannelConfiguration) {
        let subject = "the slate of \(channel.name)"
        let slate = channel.slate
        let consequence = "it cannot be drawn, and nothing goes out while no source delivers"
        need([.encoder("libx264")], .slate, for: subject, consequence)
        if slate.image == nil {
            need(.plainSlate, for: subject, consequence)
        } else {
            need(.slateImage, for: subject, "its image cannot be drawn; a plain card is shown")
        }
        if slate.text != nil {
            need([.filter("drawtext")], for: subject, "its text cannot be drawn; a plain card is shown")
        }
        // The slate has the codec of the source that it replaces.
        let hasHEVC = channel.sources.contains { maySendHEVC($0) }
        if hasHEVC { need([.encoder("libx265")], for: subject, "there is none after a source that sends HEVC") }
    }

    // MARK: Groups and targets

    private mutating func add(_ group: GroupConfiguration, hasSoftware: Bool, hasHEVC: Bool) {
        let subject = "group \(group.name)"
        if case .encode(let video) = group.video {
            // ``EncoderSelector`` looks for encoders that the configuration names.
            if hasSoftware, case .auto = video.encoder {
                need(
                    [.encoder(video.codec == .hevc ? "libx265" : "libx264")], for: subject,
                    "it has no encoder if no GPU works")
            }
            need(.encodedVideo, [.decoder("h264")], for: subject, "its video cannot be encoded")
            if hasHEVC { need([.decoder("hevc")], for: subject, Self.noHEVC) }
            if video.frameRate != nil { need(.convertedRate, for: subject, "its frame rate cannot be converted") }
            need(.resumedVideo, for: subject, Self.noSuccessor)
            switch video.fit {
            case .pad: need([.filter("pad")], for: subject, Self.stretched)
            case .crop: need([.filter("crop")], for: subject, Self.stretched)
            case .stretch: break
            }
            if video.deinterlace != .off { needDeinterlacer(for: subject) }
        }
        if case .encode = group.audio {
            need(.encodedAudio, [.decoder("aac")], for: subject, "its audio cannot be encoded")
            need(.resumedAudio, for: subject, Self.noSuccessor)
        }
        for target in group.targets { add(target, of: group) }
    }

    private mutating func add(_ target: TargetConfiguration, of group: GroupConfiguration) {
        let subject = "target \(target.name)"
        switch target.destination {
        case .rtmp(let rtmp):
            need([.output(Self.scheme(of: rtmp.url))], .rtmpTarget, for: subject, MissingAbility.noTarget)
            if let ability = MissingAbility.codec(of: target, in: group, for: ffmpeg) { add(ability) }
        case .srt(let srt):
            need([.output("srt")], .rawCopy, for: subject, MissingAbility.noTarget)
            // A possible secret is not passed in the address, and no FFmpeg accepts an unknown option there.
            addParameters(of: srt.url, for: subject, MissingAbility.noTarget) { URLMask.hides($0.value, of: $0.name) }
        case .record: need(.recording, for: subject, "nothing can be recorded")
        }
    }

    // MARK: Addresses

    private static func scheme(of url: String) -> String { String(url.prefix { $0 != ":" }).lowercased() }

    /// The parameters of an SRT address that FFmpeg's SRT does not know. From version 9 on FFmpeg ends at once because
    /// of one. Earlier versions ignore it.
    ///
    /// - Parameter isRefused: Whether every FFmpeg refuses the parameter.
    private mutating func addParameters(
        of url: String, for subject: String, _ consequence: String, isRefused: (FFmpegCapabilities.SRTParameter) -> Bool
    ) {
        for parameter in ffmpeg.unknownSRTParameters(of: url) {
            let isFatal = ffmpeg.refusesUnknownSRTParameters || isRefused(parameter)
            add(
                MissingAbility(
                    subject: subject,
                    missing: parameter.shownName.map { "the SRT parameter \($0)" } ?? "a parameter of its SRT address",
                    consequence: isFatal ? consequence : "it has no effect, and FFmpeg 9 would not start with it",
                    advice: "; remove it from the address"))
        }
    }
}
