/// How the certificate of a TLS server is checked.
package enum TLSVerification: Sendable, Hashable {
    /// The chain, host name and dates are checked, with the authorities that the system trusts.
    case system
    /// The same is checked, with the authorities in a PEM file.
    case authorities(file: String)
    /// Nothing is checked: any server that answers is accepted.
    case none

    /// The schemes that use TLS.
    package static let schemes = ["rtmps", "https", "rtsps"]
}
