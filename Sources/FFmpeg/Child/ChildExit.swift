/// The end of a child.
public struct ChildExit: Sendable, Hashable {
    public let status: ChildStatus
    /// Whether the end was asked for, through the handle or by cancelling.
    public let asked: Bool
    /// `nil` when the end was asked for, and nothing was wrong.
    public let cause: FailureCause?
    public let log: LogExcerpt

    public init(status: ChildStatus, asked: Bool, cause: FailureCause?, log: LogExcerpt) {
        self.status = status
        self.asked = asked
        self.cause = cause
        self.log = log
    }
}
