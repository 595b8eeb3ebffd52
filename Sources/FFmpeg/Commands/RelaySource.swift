package import MediaTypes

/// Where a relay takes its media from.
package enum RelaySource: Sendable, Hashable {
    /// MPEG-TS on standard input, as the process gives it that has an SRT caller.
    case transportStream
    /// Listens for one SRT caller, and passes on what it sends for ``transportStream``: the call lasts longer than the
    /// process that reads it. Without a passphrase that is every byte; with one, every stream of picture and sound in
    /// their order, without programs.
    /// - `isNarrow`: With a passphrase, the first picture and sound alone.
    /// - `passphrase`: 10 to 79 characters; a caller without it is refused.
    /// - `latency`: the receive buffer; `nil` leaves SRT's 120 ms.
    /// - `tellsCaller`: says that one was let in, and which stream id it named, see ``SRTCaller``.
    case srtListen(
        address: String, passphrase: String?, latency: Duration?, tellsCaller: Bool = false, isNarrow: Bool = false)
    /// Fetches rtsp, http(s), rtmp(s), srt, udp, rtp or tcp. An address with a secret in it goes through a secret file.
    /// - `passphrase`, `streamID`: for srt.
    /// - `password`: of the user whom the address names, for rtsp(s) and http(s).
    case pull(
        url: String, passphrase: String? = nil, streamID: String? = nil, password: String? = nil,
        tls: PeerCheck = .system, transport: RTSPWay = .auto)
    /// Plays a file at its own speed.
    case file(path: String, loop: Bool)
    /// A moving picture and a quiet beep.
    case test(size: FrameSize, rate: FrameRate)

    var tellsCaller: Bool { if case .srtListen(_, _, _, let tells, _) = self { tells } else { false } }

    /// It has a call, and passes on what comes.
    var isCall: Bool { if case .srtListen = self { true } else { false } }

    /// FFmpeg lists the programs and streams before it reads on.
    var describesInput: Bool {
        switch self {
        case .transportStream, .pull, .file: true
        case .srtListen, .test: false
        }
    }
}

extension RelaySource {
    /// Whether the stream at an address may have programs. RTSP and RTMP have none, and the versions that a playlist
    /// names are no programs.
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

/// How the media of an RTSP source come.
package enum RTSPWay: String, Sendable, Hashable {
    /// By TCP, and by UDP where the source takes nothing else (461).
    case auto
    case tcp, udp

    var options: [(name: String, value: String)] {
        switch self {
        // Over UDP a lost packet is a broken picture.
        case .auto: [("rtsp_flags", "prefer_tcp")]
        case .tcp, .udp: [("rtsp_transport", rawValue)]
        }
    }
}
