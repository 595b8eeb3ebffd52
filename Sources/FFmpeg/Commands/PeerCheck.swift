/// How FFmpeg checks the certificate of a TLS server; by itself it does from version 9 on.
package enum PeerCheck: Sendable, Hashable {
    /// By the authorities that the system trusts.
    case system
    /// By those in a file of PEM.
    case authorities(file: String)
    case none

    /// Options of the protocol, without dashes.
    var options: [(name: String, value: String)] {
        switch self {
        case .system: [("tls_verify", "1")]
        case .authorities(let file): [("tls_verify", "1"), ("ca_file", file)]
        case .none: [("tls_verify", "0")]
        }
    }
}
