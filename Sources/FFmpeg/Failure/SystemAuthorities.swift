import Glibc

/// The certificate authorities that the system trusts. FFmpeg's TLS library checks servers against them.
package enum SystemAuthorities {
    /// The Debian package that has them.
    package static let package = "ca-certificates"

    /// The file with all authorities: on Debian, Arch and Alpine, on Fedora, on openSUSE, and of a plain OpenSSL.
    private static let files = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ]

    package static var areInstalled: Bool { areInstalled(in: files) }

    /// - Parameter files: One non-empty file is enough.
    static func areInstalled(in files: [String]) -> Bool {
        files.contains { file in
            var info = stat()
            return stat(file, &info) == 0 && info.st_size > 0
        }
    }
}
