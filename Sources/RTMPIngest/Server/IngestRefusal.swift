/// The reason for rejecting a connection. Each connection counts once.
package enum IngestRefusal: String, Sendable, Hashable, CaseIterable {
    /// It named another application.
    case application
    /// It sent a wrong key, or none.
    case key
    /// It sent the right key while another publisher was sending.
    case busy
    /// A feed cannot carry its video.
    case codec
    /// There were too many unauthenticated connections.
    case connections
    /// It did not ask to publish in time.
    case handshake
    /// It does not speak RTMP.
    case `protocol`
}
