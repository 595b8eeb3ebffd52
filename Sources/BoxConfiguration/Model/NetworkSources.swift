import Redaction

/// A source that listens for an RTMP publisher, such as OBS.
package struct RTMPSource: Sendable, Equatable {
    package var listen: SocketAddress
    /// The application that the publisher names; `live` by default.
    package var app: String
    /// The stream key that the publisher must name. `nil` for any.
    package var key: SecretReference?

    package init(listen: SocketAddress, app: String = "live", key: SecretReference? = nil) {
        self.listen = listen
        self.app = app
        self.key = key
    }
}

/// A source that listens for an SRT caller. The stream id may be a key, so it is treated as a secret.
package struct SRTSource: Sendable, Equatable {
    /// A UDP address.
    package var listen: SocketAddress
    package var passphrase: SecretReference?
    /// The stream id that the caller must name. `nil` for any.
    package var streamid: SecretReference?
    /// The number of the program to use if the stream has several. `nil` for the program of the first video.
    package var program: Int?

    package init(
        listen: SocketAddress, passphrase: SecretReference? = nil, streamid: SecretReference? = nil, program: Int? = nil
    ) {
        self.listen = listen
        self.passphrase = passphrase
        self.streamid = streamid
        self.program = program
    }
}

/// A source that reads a stream from a URL. The URL may hold a password, so it is masked wherever it is shown.
package struct PullSource: Sendable, Equatable {
    /// A URL with one of ``schemes``.
    package var url: String
    /// For an SRT url.
    package var passphrase: SecretReference?
    /// For an SRT url.
    package var streamid: SecretReference?
    /// The password of the user in the url, for one of ``schemesWithPassword``.
    package var password: SecretReference?
    /// For a url that uses TLS.
    package var tls: TLSVerification
    /// For an RTSP url: how the media are transported.
    package var transport: RTSPTransport
    /// The number of the program to use if the stream has several. `nil` for the program of the first video.
    package var program: Int?

    /// Whether the url has a secret. FFmpeg then gets the url in a way that hides it from other users, and in which
    /// FFmpeg cannot list the programs of a stream.
    package var hasSecret: Bool { passphrase != nil || streamid != nil || password != nil || URLMask.mask(url) != url }

    package static let schemes = ["rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "srt", "udp", "rtp"]

    /// The schemes for which FFmpeg accepts `user:password@`.
    package static let schemesWithPassword = ["rtsp", "rtsps", "http", "https"]

    package init(
        url: String, passphrase: SecretReference? = nil, streamid: SecretReference? = nil,
        password: SecretReference? = nil,
        tls: TLSVerification = .system, transport: RTSPTransport = .auto, program: Int? = nil
    ) {
        self.url = url
        self.tls = tls
        self.transport = transport
        self.program = program
        self.passphrase = passphrase
        self.streamid = streamid
        self.password = password
    }
}

/// How the media of an RTSP source are transported.
package enum RTSPTransport: String, Sendable, Hashable, CaseIterable {
    /// By TCP, or by UDP if the source offers nothing else.
    case auto
    /// By TCP, which sends lost packets again.
    case tcp
    /// By UDP, which does not send lost packets again.
    case udp
}

extension SRTSource: MaskedInDumps {
    var shown: KeyValuePairs<String, String> {
        [
            "listen": "\(listen)", "passphrase": passphrase.map { "\($0)" } ?? "nil",
            "streamid": streamid.map { "\($0)" } ?? "nil", "program": program.map { "\($0)" } ?? "nil",
        ]
    }
    package var description: String { maskedDescription }
    package var debugDescription: String { maskedDescription }
    package var customMirror: Mirror { maskedMirror }
}

extension PullSource: MaskedInDumps {
    var shown: KeyValuePairs<String, String> {
        [
            "url": URLMask.mask(url), "passphrase": passphrase.map { "\($0)" } ?? "nil",
            "streamid": streamid.map { "\($0)" } ?? "nil", "password": password.map { "\($0)" } ?? "nil",
            "tls": "\(tls)", "transport": transport.rawValue,
            "program": program.map { "\($0)" } ?? "nil",
        ]
    }
    package var description: String { maskedDescription }
    package var debugDescription: String { maskedDescription }
    package var customMirror: Mirror { maskedMirror }
}
