package import BoxConfiguration
package import FFmpeg
import MediaTypes
import Redaction

/// What a configuration needs of FFmpeg and the installed one does not have: what cannot be used, and what can.
package struct MissingAbility: Sendable, Hashable {
    /// Whom it concerns, as problems name it: `source srt-0 of main`.
    package var subject: String
    /// As ``RefusedOption`` describes what is refused: `the protocol srt`.
    package var missing: String
    /// What follows from it.
    package var consequence: String
    /// What to do, as the end of a sentence.
    var advice = RefusedRole.advice

    package func sentence(ffmpeg: String) -> String {
        "FFmpeg \(ffmpeg) does not have \(missing): \(consequence)" + advice
    }

    fileprivate static let noTarget = "nothing can be sent to it; other targets have what they ask for"

    /// The codec of a group's picture, for a target that an FFmpeg cannot send it to by RTMP.
    static func codec(of target: TargetConfiguration, in group: GroupConfiguration, for ffmpeg: FFmpegCapabilities)
        -> MissingAbility?
    {
        guard case .encode(let video) = group.video, video.codec != .h264 else { return nil }
        return codec(video.codec.rawValue.uppercased(), of: target, in: group, for: ffmpeg)
    }

    /// - Parameter name: That of a codec that came with Enhanced RTMP.
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

/// Compares what a configuration asks for with what an FFmpeg lists. Nothing is refused because of it: what does not
/// need the missing part works.
package struct FFmpegNeeds: Sendable {
    private let ffmpeg: FFmpegCapabilities
    private var found: [MissingAbility] = []

    /// - Returns: In the order of the file; empty where nothing is missing.
    package static func missing(for configuration: BoxConfiguration, in ffmpeg: FFmpegCapabilities) -> [MissingAbility]
    {
        var needs = FFmpegNeeds(ffmpeg: ffmpeg)
        needs.need(.everything, for: "the service", "nothing can be sent")
        for channel in configuration.channels {
            needs.add(channel, hasSoftware: configuration.encoders.order.contains(.software))
        }
        return needs.found
    }

    /// The same for a box without a configuration: everything that the service can do.
    package static func missing(in ffmpeg: FFmpegCapabilities) -> [MissingAbility] {
        var needs = FFmpegNeeds(ffmpeg: ffmpeg)
        needs.need(.everything, for: "the service", "nothing can be sent")
        needs.need(.encodedSound, for: "sound", "it cannot be encoded, but only passed on")
        needs.need(
            [.encoder("libx264")], for: "software",
            """
            H.264 is encoded by hardware alone; there is no slate and no test picture, and sources in other codecs \
            cannot be used
            """
        )
        needs.need(
            [.encoder("libx265")], for: "software",
            "HEVC is encoded by hardware alone, and sources in HEVC have no slate")
        needs.need(.encodedPicture, [.decoder("h264")], for: "groups", "none can encode its picture")
        needs.need([.decoder("hevc")], for: "groups", noHEVC)
        needs.need([.decoder("aac")], for: "sound", "it cannot be encoded, but only passed on")
        needs.need(.convertedRate, for: "groups", "no rate can be changed")
        needs.need(.resumedPicture, .resumedSound, for: "groups", noSuccessor)
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
        needs.need(.convertedSound, for: "RTMP sources", silentPublisher)
        needs.need(.recording, for: "recordings", "there are none")
        needs.need([.demuxer("rtsp"), .input("https")], for: "pulls", "such addresses cannot be fetched")
        needs.need(.secretInput, for: "sources", "none can have a passphrase or a password")
        needs.need(.card, .frames, for: "capture cards", "they cannot be used")
        needs.need([.filter("framestep")], for: "capture cards and raw sources", noGPU)
        needs.need([.demuxer("alsa")], for: "capture cards", "they have no sound")
        return needs.found
    }

    private init(ffmpeg: FFmpegCapabilities) { self.ffmpeg = ffmpeg }

    private static let silentPublisher = "audio that is not AAC is silent"
    private static let noSource = "it cannot be used; other sources can"
    private static let noSuccessor = "an encoder that ends cannot be followed by another one"
    private static let stretched = "frames of another shape are stretched"
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

    /// What is said of it first says most.
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
                if channel.copiesSound {
                    let consequence = "it has no sound where its sound is AAC in another format than the channel's"
                    need([.decoder("aac")], for: subject, consequence)
                }
                need(
                    [.encoder("libx264"), .filter("format")], for: subject,
                    "it cannot be used where its picture is neither H.264 nor HEVC")
                need(.encodedSound, for: subject, "it cannot be used where its sound is not AAC")
            }
        }
        addSlate(of: channel)
        // A slate after such a source is HEVC, too.
        let hasHEVC = channel.sources.contains { maySendHEVC($0) }
        for group in channel.groups { add(group, hasSoftware: hasSoftware, hasHEVC: hasHEVC) }
    }

    private mutating func add(_ source: SourceConfiguration, _ subject: String, hasSoftware: Bool) {
        switch source.kind {
        // The service reads it itself. Which decoder it takes shows when audio comes.
        case .rtmp: need(.convertedSound, for: subject, Self.silentPublisher)
        case .srt(let srt):
            need([.input("srt")], for: subject, Self.noSource)
            need(srt.passphrase == nil ? .rawCopy : .secretInput, for: subject, Self.noSource)
        case .pull(let pull): add(pull, subject)
        case .capture(let capture):
            need(.card, for: subject, Self.noSource)
            addFrames(of: subject, hasSoftware: hasSoftware)
            if capture.audio != .none { need([.demuxer("alsa")], .encodedSound, for: subject, "it has no sound") }
        case .raw: addFrames(of: subject, hasSoftware: hasSoftware)
        case .file: need([.input("file")], for: subject, Self.noSource)
        case .test: need(.testPicture, [.encoder("libx264")], .encodedSound, for: subject, Self.noSource)
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
        // Likewise where the address has a secret in it.
        let hasSecret =
            pull.passphrase != nil || pull.streamid != nil || pull.password != nil || URLMask.mask(pull.url) != pull.url
        if hasSecret { need(.secretInput, for: subject, Self.noSource) }
        addParameters(of: pull.url, for: subject, Self.noSource) { _ in false }
    }

    /// What encodes the frames of a card or of another program. What a GPU needs, its trial shows.
    private mutating func addFrames(of subject: String, hasSoftware: Bool) {
        need(.frames, for: subject, Self.noSource)
        if hasSoftware { need([.encoder("libx264")], for: subject, "it has no encoder where no GPU works") }
        need([.filter("framestep")], for: subject, Self.noGPU)
    }

    /// RTMP publishers are told what codecs they may send.
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
        // It has the codec of the source that it stands in for.
        let hasHEVC = channel.sources.contains { maySendHEVC($0) }
        if hasHEVC { need([.encoder("libx265")], for: subject, "there is none after a source that sends HEVC") }
    }

    // MARK: Groups and targets

    private mutating func add(_ group: GroupConfiguration, hasSoftware: Bool, hasHEVC: Bool) {
        let subject = "group \(group.name)"
        if case .encode(let video) = group.video {
            // Encoders that are named are looked for by ``EncoderSelector``.
            if hasSoftware, case .auto = video.encoder {
                need(
                    [.encoder(video.codec == .hevc ? "libx265" : "libx264")], for: subject,
                    "it has no encoder where no GPU works")
            }
            need(.encodedPicture, [.decoder("h264")], for: subject, "its picture cannot be encoded")
            if hasHEVC { need([.decoder("hevc")], for: subject, Self.noHEVC) }
            if video.rate != nil { need(.convertedRate, for: subject, "its rate cannot be had") }
            need(.resumedPicture, for: subject, Self.noSuccessor)
            switch video.fit {
            case .pad: need([.filter("pad")], for: subject, Self.stretched)
            case .crop: need([.filter("crop")], for: subject, Self.stretched)
            case .stretch: break
            }
            if video.deinterlace != .off { needDeinterlacer(for: subject) }
        }
        if case .encode = group.audio {
            need(.encodedSound, [.decoder("aac")], for: subject, "its sound cannot be encoded")
            need(.resumedSound, for: subject, Self.noSuccessor)
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
            // What may be a secret goes another way than the address, and no FFmpeg takes what it does not know there.
            addParameters(of: srt.url, for: subject, MissingAbility.noTarget) { URLMask.hides($0.value, of: $0.name) }
        case .record: need(.recording, for: subject, "nothing can be recorded")
        }
    }

    // MARK: Addresses

    private static func scheme(of url: String) -> String { String(url.prefix { $0 != ":" }).lowercased() }

    /// The parameters of an SRT address that FFmpeg's SRT does not know. From FFmpeg 9 on it ends at once because of
    /// one; before, it looks over it.
    ///
    /// - Parameter isRefused: Whether that one is refused by every FFmpeg.
    private mutating func addParameters(
        of url: String, for subject: String, _ consequence: String, isRefused: (FFmpegCapabilities.SRTParameter) -> Bool
    ) {
        for parameter in ffmpeg.unknownSRTParameters(of: url) {
            let isFatal = ffmpeg.refusesUnknownSRTParameters || isRefused(parameter)
            add(
                MissingAbility(
                    subject: subject,
                    missing: parameter.shownName.map { "the SRT parameter \($0)" } ?? "a parameter of its SRT address",
                    consequence: isFatal ? consequence : "it does nothing, and FFmpeg 9 would not start with it",
                    advice: "; remove it from the address"))
        }
    }
}
