/// How a child ended: data, not an error.
public enum ChildStatus: Sendable, Hashable {
    case exited(Int32)
    case signalled(Int32)
    /// There was no process; the reason is one sentence without a secret.
    case notStarted(reason: String)
}
