import Redaction

/// Waits for an RTMP publisher, such as OBS.
public struct RTMPSource: Sendable, Equatable {
    public var listen: SocketAddress
    /// The application that the publisher names; `live` by default.
    public var app: String
    /// The stream key that the publisher must show; nil: any.
    public var key: SecretReference?

    public init(listen: SocketAddress, app: String = "live", key: SecretReference? = nil) {
        self.listen = listen
        self.app = app
        self.key = key
    }
}

/// Waits for an SRT caller. The stream id may be a key, so it is treated as a secret.
public struct SRTSource: Sendable, Equatable {
    /// A UDP address.
    public var listen: SocketAddress
    public var passphrase: SecretReference?
    /// The stream id that the caller must name; nil: any.
    public var streamid: SecretReference?
    /// The number of the program that is taken where several come; nil: that of the first picture.
    public var program: Int?

    public init(
        listen: SocketAddress, passphrase: SecretReference? = nil, streamid: SecretReference? = nil, program: Int? = nil
    ) {
        self.listen = listen
        self.passphrase = passphrase
        self.streamid = streamid
        self.program = program
    }
}

/// Fetches a stream. The URL may hold a password, so it is masked wherever it is shown.
public struct PullSource: Sendable, Equatable {
    /// With one of ``schemes``.
    public var url: String
    /// Of an SRT url.
    public var passphrase: SecretReference?
    /// Of an SRT url.
    public var streamid: SecretReference?
    /// That of the user whom the url names, for one of ``schemesWithPassword``.
    public var password: SecretReference?
    /// Of a url that is reached by TLS.
    public var tls: TLSVerification
    /// Of an RTSP url: how the media come.
    public var transport: RTSPTransport
    /// The number of the program that is taken where several come; nil: that of the first picture.
    public var program: Int?

    /// FFmpeg gets the url in a way in which others cannot read it, and in which it does not tell the programs of a
    /// stream.
    public var hasSecret: Bool { passphrase != nil || streamid != nil || password != nil || URLMask.mask(url) != url }

    public static let schemes = ["rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "srt", "udp", "rtp"]

    /// Those where FFmpeg takes `user:password@`.
    public static let schemesWithPassword = ["rtsp", "rtsps", "http", "https"]

    public init(
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
public enum RTSPTransport: String, Sendable, Hashable, CaseIterable {
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
    public var description: String { maskedDescription }
    public var debugDescription: String { maskedDescription }
    public var customMirror: Mirror { maskedMirror }
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
    public var description: String { maskedDescription }
    public var debugDescription: String { maskedDescription }
    public var customMirror: Mirror { maskedMirror }
}
