import Synchronization

/// The way to stop a child from outside. One handle serves one child; it may be used before the child exists.
package final class ChildHandle: Sendable {
    package enum Stop: Int, Sendable, Hashable, Comparable {
        /// SIGINT, so that trailers are written; a second one after 2.5 s frees a wedged output; SIGKILL after 2.5 s
        /// more.
        case gracefully
        /// SIGKILL.
        case now

        package static func < (a: Stop, b: Stop) -> Bool { a.rawValue < b.rawValue }
    }

    private let wanted = Mutex<Stop?>(nil)
    private let fault = Mutex<FailureCause?>(nil)
    private let urgent = Mutex(false)
    private let process = Mutex<Int32?>(nil)
    let requests: AsyncStream<Stop>
    private let continuation: AsyncStream<Stop>.Continuation

    package init() {
        (requests, continuation) = AsyncStream.makeStream()
    }

    /// Asks for the end. Asking again does nothing, except that `.now` overtakes `.gracefully`.
    ///
    /// - Parameter fault: What is wrong with the process, where it is ended for that; `nil` where nothing is.
    package func stop(_ stop: Stop, for fault: FailureCause? = nil) {
        if let fault { self.fault.withLock { $0 = $0 ?? fault } }
        wanted.withLock { wanted in
            if let known = wanted, known >= stop { return }
            wanted = stop
            continuation.yield(stop)
        }
    }

    /// Returns once its end is asked for: for what lives like a child and is no process.
    package func untilAsked() async {
        for await _ in requests { return }
    }

    /// The process, while it runs.
    package var pid: Int32? { process.withLock { $0 } }

    func runs(_ pid: Int32?) { process.withLock { $0 = pid } }

    /// A thread of the process has a processor or waits for one: it works, or would, and hangs in no driver.
    package var isRunnable: Bool { pid.map { DeathWatch.hasThread(in: "R", $0) } ?? false }

    /// What the process was ended for.
    package var blame: FailureCause? { fault.withLock(\.self) }

    /// The end is waited for no longer than it has to be: the service itself has to end.
    func hurry() { urgent.withLock { $0 = true } }

    var isUrgent: Bool { urgent.withLock(\.self) }

    /// What has been asked for so far.
    package var requested: Stop? { wanted.withLock { $0 } }
}
