/// Asks OpenSSL which check the certificate of a server fails. FFmpeg's words are the same for all of them, but for the
/// host's name.
package struct CertificateQuestion: Sendable, Hashable {
    /// Comes with the authorities that the system trusts: Debian's `ca-certificates` depends on it.
    package static let program = "/usr/bin/openssl"

    /// The ports of addresses that name none.
    private static let ports = ["rtmps": 443, "https": 443, "rtsps": 322]

    /// Host and port.
    private let server: String
    /// A file of PEM; `nil` for those that the system trusts.
    private let authorities: String?

    /// - Returns: `nil` for an address that is not reached by TLS, and where the certificate is not checked.
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

    /// The server is checked by the authorities that the system trusts.
    package var asksSystem: Bool { authorities == nil }

    private static func hasPort(_ authority: String) -> Bool {
        let host = authority.lastIndex(of: "]") ?? authority.startIndex
        return authority[host...].contains(":")
    }

    /// Connects, sends nothing, and ends with what the first check says that fails.
    package var command: FFmpegCommand {
        let trusted = authorities.map { ["-CAfile", $0, "-no-CApath", "-no-CAstore"] } ?? []
        let arguments = ["s_client", "-brief", "-verify_return_error"] + trusted + ["-connect", server]
        return FFmpegCommand(role: .trial, arguments: arguments)
    }

    /// What OpenSSL's words say.
    ///
    /// - Returns: `nil` where they name no check that failed.
    package static func cause(in log: LogExcerpt) -> FailureCause? {
        for line in log.all {
            guard let mark = line.firstRange(of: "verify error:num=") else { continue }
            // The numbers of X509_V_ERR_…, which stay the same.
            switch Int(line[mark.upperBound...].prefix { $0.isNumber }) {
            case 9?, 10?: return .outdated
            case 2?, 18?, 19?, 20?, 21?, 27?: return .unsigned
            default: return nil
            }
        }
        return nil
    }
}
