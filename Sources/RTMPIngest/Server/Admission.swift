package import RTMP

/// Who may publish.
package enum Admission: Sendable {
    /// Nobody, until it is known who.
    case nobody
    /// Whoever reaches the port.
    case anybody
    /// Whoever gives the key as the name of the stream.
    case holders(of: StreamKey)
}
