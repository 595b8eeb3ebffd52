/// Why a secret could not be read. The description is one sentence that names the fix. It names the place of the
/// secret, and never the secret.
package struct SecretError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// No such file, credential or variable.
        case missing
        /// It exists, but it cannot be read or is not text.
        case unreadable
        /// Users other than its owner can read it.
        case exposed
        /// The file belongs to another user.
        case foreign
        /// It is empty, too long, or not suitable for its use.
        case unsuitable
    }

    package let code: Code
    package let description: String

    package init(code: Code, description: String) {
        self.code = code
        self.description = description
    }
}
