/// Asks OpenSSL which check of a server's certificate fails. FFmpeg's message is the same for all checks except that of
/// the host's name.
package struct CertificateQuestion: Sendable, Hashable {
    /// Installed with the authorities that the system trusts: Debian's `ca-certificates` depends on it.
    package static let program = "/usr/bin/openssl"

    /// The ports of addresses without a port.
    private static let ports = ["rtmps": 443, "https": 443, "rtsps": 322]

    /// Host and port.
    private let server: String
    /// A PEM file. `nil` for the authorities that the system trusts.
    private let authorities: String?

    /// - Returns: `nil` for an address without TLS, or if the certificate is not checked.
    package init?(url: String, check: PeerCheck) {
        guard let address = try? MediaAddress(url), let port = Self.ports[address.scheme], !address.authority.isEmpty
        else { return nil }
        switch check {
        case .system: authorities = nil
        case .authorities(let file): authorities = file
        case .none: return nil
        }
        server = Self.hasPort(address.authority) ? address.authority : "\(address.authority):\(port)"
    }

    /// Whether the server is checked against the authorities that the system trusts.
    package var asksSystem: Bool { authorities == nil }

    private static func hasPort(_ authority: String) -> Bool {
        let host = authority.lastIndex(of: "]") ?? authority.startIndex
        return authority[host...].contains(":")
    }

    /// Connects, sends nothing, and ends with the message of the first check that fails.
    package var command: FFmpegCommand {
        let trusted = authorities.map { ["-CAfile", $0, "-no-CApath", "-no-CAstore"] } ?? []
        let arguments = ["s_client", "-brief", "-verify_return_error"] + trusted + ["-connect", server]
        return FFmpegCommand(role: .trial, arguments: arguments)
    }

    /// Reads OpenSSL's messages.
    ///
    /// - Returns: `nil` if they name no failed check.
    package static func cause(in log: LogExcerpt) -> FailureCause? {
        for line in log.all {
            guard let mark = line.firstRange(of: "verify error:num=") else { continue }
            // The numbers of X509_V_ERR_…, which do not change.
            switch Int(line[mark.upperBound...].prefix { $0.isNumber }) {
            case 9?, 10?: return .outdated
            case 2?, 18?, 19?, 20?, 21?, 27?: return .unsigned
            default: return nil
            }
        }
        return nil
    }
}
