/// Why a secret could not be had. The description is one sentence with the mend; it names the
/// place of the secret and never the secret.
package struct SecretError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// No such file, credential or variable.
        case missing
        /// It exists and cannot be read, or is no text.
        case unreadable
        /// Others than the owner can read it.
        case exposed
        /// It is another user's file.
        case foreign
        /// Empty, too long, or not what its use allows.
        case unsuitable
    }

    package let code: Code
    package let description: String

    package init(code: Code, description: String) {
        self.code = code
        self.description = description
    }
}
