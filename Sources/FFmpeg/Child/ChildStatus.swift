/// How a child ended: data, not an error.
package enum ChildStatus: Sendable, Hashable {
    case exited(Int32)
    case signalled(Int32)
    /// It was killed and did not end: the kernel keeps it, because a disk or a driver does not answer. The service no
    /// longer waits for it.
    case abandoned
    /// The process was not started. The reason is one sentence without a secret.
    case notStarted(reason: String)
}
