/// An event of a running child. Events are delivered in order, from one task.
package enum ChildEvent: Sendable, Hashable {
    /// The process exists. `pid` is the id of FFmpeg and of its process group.
    case started(pid: Int32)
    /// The output is open: a target has accepted the connection. Sent for publishers only.
    case outputOpened
    case progress(Progress)
    case log(LogLine)
    /// This many messages were left out before the next one.
    case logSuppressed(count: Int)
}
