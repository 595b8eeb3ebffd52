import Redaction

/// Waits for an RTMP publisher, such as OBS.
package struct RTMPSource: Sendable, Equatable {
    package var listen: SocketAddress
    /// The application that the publisher names; `live` by default.
    package var app: String
    /// The stream key that the publisher must show; nil: any.
    package var key: SecretReference?

    package init(listen: SocketAddress, app: String = "live", key: SecretReference? = nil) {
        self.listen = listen
        self.app = app
        self.key = key
    }
}

/// Waits for an SRT caller. The stream id may be a key, so it is treated as a secret.
package struct SRTSource: Sendable, Equatable {
    /// A UDP address.
    package var listen: SocketAddress
    package var passphrase: SecretReference?
    /// The stream id that the caller must name; nil: any.
    package var streamid: SecretReference?
    /// The number of the program that is taken where several come; nil: that of the first picture.
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

/// Fetches a stream. The URL may hold a password, so it is masked wherever it is shown.
package struct PullSource: Sendable, Equatable {
    /// With one of ``schemes``.
    package var url: String
    /// Of an SRT url.
    package var passphrase: SecretReference?
    /// Of an SRT url.
    package var streamid: SecretReference?
    /// That of the user whom the url names, for one of ``schemesWithPassword``.
    package var password: SecretReference?
    /// Of a url that is reached by TLS.
    package var tls: TLSVerification
    /// Of an RTSP url: how the media come.
    package var transport: RTSPTransport
    /// The number of the program that is taken where several come; nil: that of the first picture.
    package var program: Int?

    /// FFmpeg gets the url in a way in which others cannot read it, and in which it does not tell the programs of a
    /// stream.
    package var hasSecret: Bool { passphrase != nil || streamid != nil || password != nil || URLMask.mask(url) != url }

    package static let schemes = ["rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "srt", "udp", "rtp"]

    /// Those where FFmpeg takes `user:password@`.
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

/// How the media of an RTSP source come.
package enum RTSPTransport: String, Sendable, Hashable, CaseIterable {
    /// By TCP, and by UDP where the source offers nothing else.
    case auto
    /// Nothing is lost on the way, whatever the network.
    case tcp
    /// What is lost on the way is missing.
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
