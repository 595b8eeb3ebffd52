import Glibc

/// The place of a secret. The configuration names the place, and the service reads the secret when it needs it, so a
/// new key needs no change of the configuration.
package enum SecretReference: Sendable, Equatable {
    /// A file that only its owner can read. One trailing line break is ignored.
    case file(String)
    /// A systemd credential, by name, in `$CREDENTIALS_DIRECTORY`.
    case credential(String)
    /// An environment variable.
    case env(String)
    /// Written directly into the configuration, which only its owner may be able to read.
    case literal(Secret)

    /// The most bytes that a secret may have.
    package static let limit = 4096

    /// Reads the secret.
    ///
    /// - Parameters:
    ///   - environment: The environment of the service.
    ///   - use: The use of the secret, which decides its allowed form.
    package func resolve(
        environment: [String: String], as use: SecretUse = .key
    ) throws(SecretError) -> Secret {
        let secret: Secret
        switch self {
        case .file(let path):
            secret = try Self.read(path, what: "the secret file \(path)")
        case .credential(let name):
            guard let folder = environment["CREDENTIALS_DIRECTORY"], !folder.isEmpty else {
                throw SecretError(
                    code: .missing,
                    description: "the credential \(name) cannot be read because $CREDENTIALS_DIRECTORY is not set; "
                        + "add LoadCredential=\(name):PATH to the systemd unit")
            }
            guard Self.isCredentialName(name) else {
                throw SecretError(code: .missing, description: "'\(name)' is not a credential name")
            }
            secret = try Self.read("\(folder)/\(name)", what: "the credential \(name)", guardedBy: folder)
        case .env(let name):
            guard let value = environment[name] else {
                throw SecretError(
                    code: .missing,
                    description: "the environment variable \(name) is not set; set it where the service is started")
            }
            secret = Secret(value)
        case .literal(let written):
            secret = written
        }
        if let objection = use.objection(to: secret) {
            throw SecretError(code: .unsuitable, description: "\(subject) \(objection)")
        }
        return secret
    }

    /// Whether the secret is in a file.
    package var isOnDisk: Bool {
        switch self {
        case .file, .credential: true
        case .env, .literal: false
        }
    }

    static func isCredentialName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 255 && name != "." && name != ".." && !name.contains("/")
    }

    static func isVariableName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(48...57).contains(first) else { return false }
        return name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    }

    private var subject: String {
        switch self {
        case .file(let path): "the secret file \(path)"
        case .credential(let name): "the credential \(name)"
        case .env(let name): "the environment variable \(name)"
        case .literal: "the secret in the configuration"
        }
    }

    /// - Parameter folder: The folder of systemd's credentials. Their files have an ACL that looks like a group
    ///   permission, so the folder itself must be closed to other users.
    private static func read(_ path: String, what: String, guardedBy folder: String? = nil) throws(SecretError)
        -> Secret
    {
        let file: LocalFile
        do {
            file = try LocalFile.read(path, limit: limit)
        } catch {
            throw SecretError(
                code: error.isMissing ? .missing : .unreadable, description: "\(what) \(error.message)")
        }
        if let folder {
            var information = stat()
            if file.isForAll, stat(folder, &information) != 0 || information.st_mode & S_IXOTH != 0 {
                throw SecretError(
                    code: .exposed,
                    description: "\(what) can be read by every user of this machine; run: chmod 600 \(path)")
            }
        } else if !file.ownerOnly {
            throw SecretError(
                code: .exposed,
                description: "\(what) can be read by users other than its owner; run: chmod 600 \(path)")
        }
        // Only root gets here: other users cannot read a file of another user.
        if folder == nil, file.owner != 0, file.owner != geteuid() {
            throw SecretError(
                code: .foreign,
                description:
                    """
                    \(what) belongs to another user, number \(file.owner), who can read and change it; run the \
                    command as that user, or: chown \(geteuid()) \(path)
                    """
            )
        }
        guard var text = String(validating: file.bytes, as: UTF8.self) else {
            throw SecretError(code: .unreadable, description: "\(what) is not UTF-8 text")
        }
        // "\r\n" is one Character.
        if text.last == "\n" || text.last == "\r\n" { text.removeLast() }
        return Secret(text)
    }
}

extension SecretReference: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The reference as the file writes it; a literal is masked.
    package var description: String {
        switch self {
        case .file(let path): "{ file: \(YAMLText.scalar(path)) }"
        case .credential(let name): "{ credential: \(YAMLText.scalar(name)) }"
        case .env(let name): "{ env: \(YAMLText.scalar(name)) }"
        case .literal: "****"
        }
    }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .enum) }
}
