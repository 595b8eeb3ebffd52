public import Configuration
public import FFmpeg

/// What a configuration needs of FFmpeg and the installed one does not have: what cannot be used, and what can.
public struct MissingAbility: Sendable, Hashable {
    /// Whom it concerns, as problems name it: `source srt-0 of main`.
    public var subject: String
    /// As ``RefusedOption`` describes what is refused: `the protocol srt`.
    public var missing: String
    /// What follows from it.
    public var consequence: String

    public func sentence(ffmpeg: String) -> String { "FFmpeg \(ffmpeg) does not have \(missing): \(consequence)" + RefusedRole.advice }
}

/// Compares what a configuration asks for with what an FFmpeg lists. Nothing is refused because of it: what does not need the missing
/// part works.
public struct FFmpegNeeds: Sendable {
    private let ffmpeg: FFmpegCapabilities
    private var found: [MissingAbility] = []

    private enum Part {
        case encoder(String), filter(String), bitstreamFilter(String), demuxer(String), muxer(String), input(String), output(String)
    }

    /// - Returns: In the order of the file; empty where nothing is missing.
    public static func missing(for configuration: BoxConfiguration, in ffmpeg: FFmpegCapabilities) -> [MissingAbility] {
        var needs = FFmpegNeeds(ffmpeg: ffmpeg)
        for channel in configuration.channels { needs.add(channel, order: configuration.encoders.order) }
        return needs.found
    }

    /// The same for a box without a configuration: everything that the service can do.
    public static func missing(in ffmpeg: FFmpegCapabilities) -> [MissingAbility] {
        var needs = FFmpegNeeds(ffmpeg: ffmpeg)
        needs.need([.demuxer("mpegts"), .muxer("mpegts"), .encoder("aac"), .filter("aresample")], for: "the service", "nothing can be sent")
        needs.need([.encoder("libx264")], for: "software", "H.264 is encoded by hardware alone; there is no slate and no test picture, and sources in other codecs cannot be used")
        needs.need([.encoder("libx265")], for: "software", "HEVC is encoded by hardware alone")
        needs.need([.filter("scale"), .filter("fps")], for: "groups", "no size and no rate can be changed")
        needs.need([.filter("gradients"), .filter("loop"), .filter("setpts")], for: "the slate", "there is none")
        needs.need([.filter("drawtext")], for: "the slate", "it has no text")
        needs.need([.input("srt"), .output("srt")], for: "SRT", "there are no SRT sources and targets")
        needs.need([.demuxer("flv"), .muxer("flv"), .output("rtmp"), .output("rtmps"), .bitstreamFilter("extract_extradata")], for: "RTMP", "RTMP does not work")
        needs.need([.muxer("segment")], for: "recordings", "there are none")
        needs.need([.demuxer("rtsp"), .input("https")], for: "pulls", "such addresses cannot be fetched")
        needs.need([.demuxer("v4l2"), .muxer("nut"), .demuxer("ivf")], for: "capture cards", "they cannot be used")
        needs.need([.demuxer("alsa")], for: "capture cards", "they have no sound")
        return needs.found
    }

    private init(ffmpeg: FFmpegCapabilities) { self.ffmpeg = ffmpeg }

    private mutating func need(_ parts: [Part], for subject: String, _ consequence: String) {
        for part in parts {
            let missing: String? =
                switch part {
                case .encoder(let name): ffmpeg.encoders.contains(name) ? nil : "the encoder \(name)"
                case .filter(let name): ffmpeg.filters.contains(name) ? nil : "the filter \(name)"
                case .bitstreamFilter(let name): ffmpeg.bitstreamFilters.contains(name) ? nil : "the bitstream filter \(name)"
                case .demuxer(let name): ffmpeg.demuxers.contains(name) ? nil : "the input format \(name)"
                case .muxer(let name): ffmpeg.muxers.contains(name) ? nil : "the output format \(name)"
                case .input(let name): ffmpeg.inputProtocols.contains(name) ? nil : "the protocol \(name)"
                case .output(let name): ffmpeg.outputProtocols.contains(name) ? nil : "the protocol \(name)"
                }
            guard let missing else { continue }
            found.append(MissingAbility(subject: subject, missing: missing, consequence: consequence))
        }
    }

    private mutating func add(_ channel: ChannelConfiguration, order: [EncoderFamily]) {
        for source in channel.sources { add(source, of: channel) }
        let slate = "the slate of \(channel.name)"
        need([.encoder("libx264")], for: slate, "it cannot be drawn, and nothing goes out while no source delivers")
        need([.filter("loop"), .filter("setpts")] + (channel.slate.image == nil ? [.filter("gradients")] : []), for: slate, "it cannot be drawn")
        if channel.slate.text != nil { need([.filter("drawtext")], for: slate, "its text cannot be drawn") }
        for group in channel.groups {
            let subject = "group \(group.name)"
            if case .encode(let video) = group.video {
                if order.contains(.software), case .auto = video.encoder {
                    let software = video.codec == .hevc ? "libx265" : "libx264"
                    need([.encoder(software)], for: subject, "it has no encoder where no GPU works")
                }
                if video.size != nil { need([.filter("scale")], for: subject, "its size cannot be had") }
                if video.rate != nil { need([.filter("fps")], for: subject, "its rate cannot be had") }
            }
            if case .encode = group.audio { need([.encoder("aac"), .filter("aresample")], for: subject, "its sound cannot be encoded") }
            for target in group.targets { add(target) }
        }
    }

    private mutating func add(_ source: SourceConfiguration, of channel: ChannelConfiguration) {
        let subject = "source \(source.id) of \(channel.name)"
        let consequence = "it cannot be used; other sources can"
        switch source.kind {
        case .rtmp: need([.demuxer("flv")], for: subject, consequence)
        case .srt: need([.input("srt")], for: subject, consequence)
        case .pull(let pull):
            let scheme = String(pull.url.prefix { $0 != ":" }).lowercased()
            need(scheme == "rtsp" || scheme == "rtsps" ? [.demuxer("rtsp")] : [.input(scheme)], for: subject, consequence)
        case .capture(let capture):
            need([.demuxer("v4l2"), .muxer("nut"), .demuxer("ivf")], for: subject, consequence)
            if capture.audio != .none { need([.demuxer("alsa")], for: subject, "it has no sound") }
        case .raw: need([.demuxer("ivf")], for: subject, consequence)
        case .file: need([.input("file")], for: subject, consequence)
        case .test: need([.demuxer("lavfi"), .filter("testsrc2"), .filter("sine"), .encoder("libx264")], for: subject, consequence)
        }
    }

    private mutating func add(_ target: TargetConfiguration) {
        let subject = "target \(target.name)"
        let consequence = "nothing can be sent to it; other targets have what they ask for"
        switch target.destination {
        case .rtmp(let rtmp):
            let scheme = String(rtmp.url.prefix { $0 != ":" }).lowercased()
            need([.output(scheme), .muxer("flv"), .bitstreamFilter("extract_extradata")], for: subject, consequence)
        case .srt: need([.output("srt")], for: subject, consequence)
        case .record: need([.muxer("segment")], for: subject, "nothing can be recorded")
        }
    }
}
