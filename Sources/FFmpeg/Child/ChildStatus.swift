/// How a child ended: data, not an error.
package enum ChildStatus: Sendable, Hashable {
    case exited(Int32)
    case signalled(Int32)
    /// It was killed and did not end: the kernel keeps it, as it does where a disk or a driver does not answer, and has
    /// been left with it.
    case abandoned
    /// There was no process; the reason is one sentence without a secret.
    case notStarted(reason: String)
}
