/// Where the service publishes its status.
package struct StatusConfiguration: Sendable, Equatable {
    /// The Prometheus text file. `nil` if there is none.
    package var file: String?
    /// How often the file is written, 500ms to 1h; 2s by default.
    package var every: Duration
    /// The address of the HTTP server. `nil` if there is none.
    package var listen: SocketAddress?

    package static let everyLimits = Duration.milliseconds(500)...Duration.seconds(3600)

    package init(file: String? = nil, every: Duration = .seconds(2), listen: SocketAddress? = nil) {
        self.file = file
        self.every = every
        self.listen = listen
    }
}
