/// The end of a child.
package struct ChildExit: Sendable, Hashable {
    package let status: ChildStatus
    /// Whether the end was asked for, through the handle or by cancelling.
    package let asked: Bool
    /// `nil` when the end was asked for, and nothing was wrong.
    package let cause: FailureCause?
    package let log: LogExcerpt

    package init(status: ChildStatus, asked: Bool, cause: FailureCause?, log: LogExcerpt) {
        self.status = status
        self.asked = asked
        self.cause = cause
        self.log = log
    }
}
