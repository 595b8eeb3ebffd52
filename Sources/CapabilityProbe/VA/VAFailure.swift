/// Why a VA driver gave no report.
package struct VAFailure: Sendable, Hashable, Codable, CustomStringConvertible {
    package enum Kind: String, Sendable, Hashable, Codable {
        /// The driver or libva refused: none is installed, or the GPU is busy or gone.
        case refused
        /// The process was ended by a signal.
        case crashed
        /// It gave no answer in time, and was killed.
        case hung
        /// It could not be asked, or its answer is not a report.
        case unanswered
    }

    package var kind: Kind
    /// One line for display.
    package var reason: String

    package init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }

    package var description: String { reason }
}
