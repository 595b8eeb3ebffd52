/// Why a connection was of no use. Each is counted once.
package enum IngestRefusal: String, Sendable, Hashable, CaseIterable {
    /// Another application.
    case application
    /// A wrong key, or none.
    case key
    /// The right key while somebody else delivers.
    case busy
    /// What it sends cannot be carried.
    case codec
    /// Too many strangers at a time.
    case connections
    /// It did not ask to publish in time.
    case handshake
    /// It does not speak RTMP.
    case `protocol`
}
