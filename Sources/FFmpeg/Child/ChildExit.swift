/// The end of a child.
package struct ChildExit: Sendable, Hashable {
    package let status: ChildStatus
    /// Whether the end was requested, through the handle or by cancellation.
    package let asked: Bool
    /// The cause of the end. `nil` if the end was requested and nothing was wrong.
    package let cause: FailureCause?
    package let log: LogExcerpt

    package init(status: ChildStatus, asked: Bool, cause: FailureCause?, log: LogExcerpt) {
        self.status = status
        self.asked = asked
        self.cause = cause
        self.log = log
    }
}
