/// Where the service tells how it is.
public struct StatusConfiguration: Sendable, Equatable {
    /// The Prometheus text file; nil: none is written.
    public var file: String?
    /// How often the file is written, 500ms to 1h; 2s by default.
    public var every: Duration
    /// Where HTTP is served; nil: nowhere.
    public var listen: SocketAddress?

    public static let everyLimits = Duration.milliseconds(500)...Duration.seconds(3600)

    public init(file: String? = nil, every: Duration = .seconds(2), listen: SocketAddress? = nil) {
        self.file = file
        self.every = every
        self.listen = listen
    }
}
