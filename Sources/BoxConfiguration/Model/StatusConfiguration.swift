/// Where the service tells how it is.
package struct StatusConfiguration: Sendable, Equatable {
    /// The Prometheus text file; nil: none is written.
    package var file: String?
    /// How often the file is written, 500ms to 1h; 2s by default.
    package var every: Duration
    /// Where HTTP is served; nil: nowhere.
    package var listen: SocketAddress?

    package static let everyLimits = Duration.milliseconds(500)...Duration.seconds(3600)

    package init(file: String? = nil, every: Duration = .seconds(2), listen: SocketAddress? = nil) {
        self.file = file
        self.every = every
        self.listen = listen
    }
}
