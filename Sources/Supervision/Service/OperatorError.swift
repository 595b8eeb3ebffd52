/// Why an operator's request was refused: one sentence.
package struct OperatorError: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String
    /// Whether the request names something that does not exist. Otherwise it is correct, but cannot be carried out.
    package var isMistake: Bool

    init(_ description: String, isMistake: Bool) {
        self.description = description
        self.isMistake = isMistake
    }
}
