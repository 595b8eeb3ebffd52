package import BoxConfiguration
import FFmpeg
import MPEGTS
import MediaTypes

// Values of the configuration that the FFmpeg command lines need.

extension VideoEncoding {
    /// Returns the rate at which frames of a stream reach the encoder. `nil` if the stream has no rate.
    func rate(of format: VideoFormat?) -> FrameRate? { rate(format?.frameRate, of: format) }

    /// Returns the rate at which frames reach the encoder from a stream with a given rate: twice that rate if each
    /// field becomes a frame.
    func rate(_ frames: FrameRate?, of format: VideoFormat?) -> FrameRate? {
        guard let format, let rate = frames else { return nil }
        let fields = format.isInterlaced && deinterlace == .field ? 2 : 1
        return FrameRate(rate.numerator * fields, rate.denominator)
    }
}

extension SourceConfiguration {
    /// The number of the transport stream's program that the configuration asks for.
    var program: Int? {
        switch kind {
        case .srt(let source): source.program
        case .pull(let source): source.program
        case .file(let source): source.program
        case .rtmp, .capture, .raw, .test: nil
        }
    }

    /// Whether FFmpeg, as the relay of the source, lists programs and streams, and reports how much it passes on.
    var relayListsPrograms: Bool {
        switch kind {
        case .srt, .pull, .file: true
        case .rtmp, .capture, .raw, .test: false
        }
    }

    /// Whether FFmpeg cannot list the programs of the source's transport stream, because of the way in which it gets
    /// the source's secret.
    var hidesPrograms: Bool {
        switch kind {
        case .srt(let source): source.passphrase != nil
        case .pull(let source): source.hasSecret && RelaySource.mayHavePrograms(at: source.url)
        case .rtmp, .capture, .raw, .file, .test: false
        }
    }

    /// The streams to select until FFmpeg has listed them.
    var streamMap: StreamMap { program.map(StreamMap.program) ?? .first }
}

extension MezzanineConfiguration {
    /// The bitrate of video that a relay encodes, in bits per second: 120 % of the source's measured bitrate, because
    /// encoding again costs some quality, limited to 20 Mbit/s and to the configured bitrate, and at least 1 Mbit/s.
    /// Without a measurement it is the configured bitrate.
    func relayBitrate(for transcoding: FFmpegCommands.Transcoding) -> Int {
        guard let measured = transcoding.measured else { return bitrate.bitsPerSecond }
        return max(Self.leastRelayBitrate, min(measured / 5 * 6, Self.mostRelayBitrate, bitrate.bitsPerSecond))
    }

    private static let leastRelayBitrate = 1_000_000
    private static let mostRelayBitrate = 20_000_000
}

extension FFmpegRTSPTransport {
    init(_ transport: RTSPTransport) {
        self =
            switch transport {
            case .auto: .auto
            case .tcp: .tcp
            case .udp: .udp
            }
    }
}

extension PeerCheck {
    init(_ verification: TLSVerification) {
        self =
            switch verification {
            case .system: .system
            case .authorities(let file): .authorities(file: file)
            case .none: .none
            }
    }
}

extension ChannelConfiguration {
    /// Whether a group copies the channel's audio. The audio then keeps one format, because targets cannot follow a
    /// change.
    var copiesAudio: Bool { groups.contains { $0.audio == .copy } }
}

extension GroupConfiguration {
    /// Whether the group sends its channel on unchanged, so that it needs no encoder and no feed of its own.
    package var passesThrough: Bool { video == .copy && audio == .copy }
}
