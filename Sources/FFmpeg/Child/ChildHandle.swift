import Synchronization

/// Stops a child from outside. One handle serves one child, and may be used before the child exists.
package final class ChildHandle: Sendable {
    package enum Stop: Int, Sendable, Hashable, Comparable {
        /// SIGINT, so that FFmpeg writes trailers. After 2.5 s a second SIGINT frees a blocked output, and after 2.5 s
        /// more SIGKILL ends the process.
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

    /// Requests the end. Another request has no effect, except that `.now` replaces `.gracefully`.
    ///
    /// - Parameter fault: The fault for which the process is ended. `nil` if there is none.
    package func stop(_ stop: Stop, for fault: FailureCause? = nil) {
        if let fault { self.fault.withLock { $0 = $0 ?? fault } }
        wanted.withLock { wanted in
            if let known = wanted, known >= stop { return }
            wanted = stop
            continuation.yield(stop)
        }
    }

    /// Waits until the end is requested. For code that uses a handle without a process.
    package func untilAsked() async {
        for await _ in requests { return }
    }

    /// The process id, while the process runs.
    package var pid: Int32? { process.withLock { $0 } }

    func runs(_ pid: Int32?) { process.withLock { $0 = pid } }

    /// Whether a thread of the process runs or waits for a processor. If so, the process does not hang in a driver.
    package var isRunnable: Bool { pid.map { DeathWatch.hasThread(in: "R", $0) } ?? false }

    /// The fault for which the process was ended.
    package var blame: FailureCause? { fault.withLock(\.self) }

    /// Shortens the wait for the end to the minimum, because the service itself has to end.
    func hurry() { urgent.withLock { $0 = true } }

    var isUrgent: Bool { urgent.withLock(\.self) }

    /// The strongest request so far.
    package var requested: Stop? { wanted.withLock { $0 } }
}
