/// Why a wish of the operator's was refused: one sentence.
public struct OperatorError: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String
    /// The wish names something that is not there; otherwise it is right, and cannot be had.
    public var isMistake: Bool

    init(_ description: String, isMistake: Bool) {
        self.description = description
        self.isMistake = isMistake
    }
}
