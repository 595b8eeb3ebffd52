/// How the certificate of a server is checked that is reached by TLS.
package enum TLSVerification: Sendable, Hashable {
    /// Chain, host name and dates, by the authorities that the system trusts.
    case system
    /// The same, by the authorities in a file of PEM.
    case authorities(file: String)
    /// Not at all: any server that answers is accepted.
    case none

    /// Schemes of addresses that are reached by TLS.
    package static let schemes = ["rtmps", "https", "rtsps"]
}
