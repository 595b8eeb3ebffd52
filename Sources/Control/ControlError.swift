/// Why the control socket cannot be used: one sentence that names the fix.
package struct ControlError: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
