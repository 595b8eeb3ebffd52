/// What a running child tells. Delivered in order, from one task.
package enum ChildEvent: Sendable, Hashable {
    /// The process exists. `pid` is FFmpeg's own and its process group's.
    case started(pid: Int32)
    /// The output is open: a target has accepted the connection. Told by publishers only.
    case outputOpened
    case progress(Progress)
    case log(LogLine)
    /// That many messages were not passed on before the next one.
    case logSuppressed(count: Int)
}
