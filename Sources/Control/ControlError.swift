/// Why the control socket cannot be had: one sentence with the mend.
public struct ControlError: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}
