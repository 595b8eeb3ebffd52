/// Why the control socket cannot be had: one sentence with the mend.
package struct ControlError: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
