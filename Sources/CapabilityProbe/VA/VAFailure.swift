/// Why there is no report of a VA driver.
package struct VAFailure: Sendable, Hashable, Codable, CustomStringConvertible {
    package enum Kind: String, Sendable, Hashable, Codable {
        /// The driver, or libva, said no: none is installed, the GPU is busy or gone.
        case refused
        /// It ended by a signal.
        case crashed
        /// It gave no answer in time, and was killed.
        case hung
        /// It could not be asked at all, or what came back is no report.
        case unanswered
    }

    package var kind: Kind
    /// For people, one line.
    package var reason: String

    package init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }

    package var description: String { reason }
}
