/// Why a wish of the operator's was refused: one sentence.
package struct OperatorError: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String
    /// The wish names something that is not there; otherwise it is right, and cannot be had.
    package var isMistake: Bool

    init(_ description: String, isMistake: Bool) {
        self.description = description
        self.isMistake = isMistake
    }
}
