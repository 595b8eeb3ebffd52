package import MediaTypes

/// The input of a relay.
package enum RelaySource: Sendable, Hashable {
    /// MPEG-TS on standard input, from the process that has an SRT caller.
    case transportStream
    /// Listens for one SRT caller, and passes its data on for ``transportStream``: the call lasts longer than the
    /// process that parses it. Without a passphrase the output has every byte. With one it has every video and audio
    /// stream in their order, without programs.
    /// - `isNarrow`: With a passphrase, only the first video and audio stream.
    /// - `passphrase`: 10 to 79 characters. A caller without it is refused.
    /// - `latency`: the receive buffer. `nil` leaves SRT's 120 ms.
    /// - `tellsCaller`: logs that a caller was accepted, and its stream id, see ``SRTCaller``.
    case srtListen(
        address: String, passphrase: String?, latency: Duration?, tellsCaller: Bool = false, isNarrow: Bool = false)
    /// Fetches rtsp, http(s), rtmp(s), srt, udp, rtp or tcp. An address with a secret is passed in a secret file.
    /// - `passphrase`, `streamID`: for srt.
    /// - `password`: for the user in the address, for rtsp(s) and http(s).
    case pull(
        url: String, passphrase: String? = nil, streamID: String? = nil, password: String? = nil,
        tls: PeerCheck = .system, transport: RTSPWay = .auto)
    /// Plays a file at its own speed.
    case file(path: String, loop: Bool)
    /// A moving picture and a quiet beep.
    case test(size: FrameSize, rate: FrameRate)

    var tellsCaller: Bool { if case .srtListen(_, _, _, let tells, _) = self { tells } else { false } }

    /// Whether it accepts a caller and passes its data on unparsed.
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

/// The transport of an RTSP source's media.
package enum RTSPWay: String, Sendable, Hashable {
    /// TCP, and UDP if the source accepts nothing else (461).
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
