/// How FFmpeg checks the certificate of a TLS server. Without an option only FFmpeg 9 and later check it.
package enum PeerCheck: Sendable, Hashable {
    /// Checks it against the authorities that the system trusts.
    case system
    /// Checks it against the authorities in a PEM file.
    case authorities(file: String)
    case none

    /// Options of the protocol, without their dashes.
    var options: [(name: String, value: String)] {
        switch self {
        case .system: [("tls_verify", "1")]
        case .authorities(let file): [("tls_verify", "1"), ("ca_file", file)]
        case .none: [("tls_verify", "0")]
        }
    }
}
