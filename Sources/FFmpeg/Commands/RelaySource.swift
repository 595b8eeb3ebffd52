package import MediaTypes

/// The input of a relay.
package enum RelaySource: Sendable, Hashable {
    /// MPEG-TS on standard input, from the process that has an SRT caller.
    case transportStream
    /// Listens for one SRT caller, and passes its data on to the process that reads it as ``transportStream``. That
    /// process can be replaced while the call lasts. Without a passphrase the output has every byte. With one it has
    /// all video and audio streams in the order of the input, without programs.
    /// - `firstStreamsOnly`: with a passphrase, whether to pass on only the first video and the first audio stream.
    /// - `passphrase`: 10 to 79 characters. A caller without it is refused.
    /// - `latency`: the receive buffer. `nil` leaves SRT's 120 ms.
    /// - `tellsCaller`: logs that a caller was accepted, and its stream id, see ``SRTCaller``.
    case srtListen(
        address: String, passphrase: String?, latency: Duration?, tellsCaller: Bool = false,
        firstStreamsOnly: Bool = false)
    /// Fetches rtsp, http(s), rtmp(s), srt, udp, rtp or tcp. An address with a secret is passed in a secret file.
    /// - `passphrase`, `streamID`: for srt.
    /// - `password`: for the user in the address, for rtsp(s) and http(s).
    case pull(
        url: String, passphrase: String? = nil, streamID: String? = nil, password: String? = nil,
        tls: PeerCheck = .system, transport: FFmpegRTSPTransport = .auto)
    /// Plays a file at its own speed.
    case file(path: String, loop: Bool)
    /// Generates a moving test picture and a quiet beep.
    case test(size: FrameSize, rate: FrameRate)

    var tellsCaller: Bool { if case .srtListen(_, _, _, let tells, _) = self { tells } else { false } }

    /// Whether the relay accepts a caller and passes its data on without parsing it.
    var isCall: Bool { if case .srtListen = self { true } else { false } }

    /// Whether FFmpeg lists the programs and streams before it reads further.
    var describesInput: Bool {
        switch self {
        case .transportStream, .pull, .file: true
        case .srtListen, .test: false
        }
    }
}

extension RelaySource {
    /// Whether the stream at an address may have programs. RTSP and RTMP have none, and the versions that a playlist
    /// names are not programs.
    ///
    /// - Parameter url: For ``pull(url:passphrase:streamID:password:tls:transport:)``.
    package static func mayHavePrograms(at url: String) -> Bool {
        guard let address = try? MediaAddress(url) else { return false }
        switch address.scheme {
        case "rtsp", "rtsps", "rtmp", "rtmps": return false
        default: return !address.isPlaylist
        }
    }
}

/// FFmpeg's transport for the media of an RTSP source.
package enum FFmpegRTSPTransport: String, Sendable, Hashable {
    /// TCP, or UDP if the source refuses TCP (status 461).
    case auto
    case tcp, udp

    var options: [(name: String, value: String)] {
        switch self {
        // Over UDP a lost packet damages the video.
        case .auto: [("rtsp_flags", "prefer_tcp")]
        case .tcp, .udp: [("rtsp_transport", rawValue)]
        }
    }
}
