import CLinux
import Glibc
import HeapModule
import Synchronization

/// A thread that waits for descriptors and deadlines, and runs the jobs of its actors between them.
///
/// State that belongs to the thread needs no lock, and incoming bytes are passed on without a hop to another thread.
/// The loop is the executor of its actors, so the compiler proves that no other thread uses their state.
package final class EventLoop: SerialExecutor, @unchecked Sendable {
    /// Handles the events of a descriptor. The loop calls it on its thread.
    package protocol Handler: AnyObject {
        func ready(_ events: UInt32)
    }

    private let poll: CInt
    private let wakeup: CInt
    private let timerDescriptor: CInt
    private let inbox = Mutex(Inbox())
    private let thread = Mutex(pthread_t())

    // Used only on the loop's thread:
    private var handlers: [CInt: (handler: any Handler, generation: UInt32)] = [:]
    private var generation: UInt32 = 0
    private var onDeadline: (() -> Int64)?
    /// The time of the next call of ``onDeadline``, in nanoseconds of the monotonic clock.
    private var nextDeadline = Int64.max
    private var actions: [Timer: () -> Void] = [:]
    /// The times of the actions. Cancelled ones stay here until they are due.
    private var timers: Heap<Timer> = []
    /// The number of the newest action.
    private var lastTimerNumber = 0
    /// The time at which the timer descriptor fires, in nanoseconds of the monotonic clock.
    private var armedFor = Int64.max

    /// An action that is to run at a time.
    package struct Timer: Sendable, Hashable, Comparable {
        fileprivate let due: Int64
        fileprivate let number: Int

        package static func < (one: Timer, other: Timer) -> Bool {
            (one.due, one.number) < (other.due, other.number)
        }
    }

    private enum Work {
        case job(UnownedJob)
        case call(@Sendable () -> Void)
    }

    private struct Inbox {
        var work: [Work] = []
        /// Whether the thread has been woken, and has not taken the work yet.
        var wakeIsPending = false
        var isStopped = false
    }

    private static let maximumEvents = 64
    /// How many cancelled actions, beside as many as there are actions, stay in the heap before it is made again.
    private static let cancelledAllowance = 1024

    package init() {
        // The reader of a pipe or socket may be gone at any time.
        signal(SIGPIPE, SIG_IGN)
        poll = epoll_create1(CInt(EPOLL_CLOEXEC))
        wakeup = eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK))
        timerDescriptor = timerfd_create(CLOCK_MONOTONIC, CInt(TFD_CLOEXEC) | CInt(TFD_NONBLOCK))
        precondition(poll >= 0 && wakeup >= 0 && timerDescriptor >= 0, "no descriptors left for an event loop")
        for descriptor in [wakeup, timerDescriptor] {
            var event = epoll_event(
                events: EPOLLIN.rawValue, data: epoll_data_t(u64: UInt64(UInt32(bitPattern: descriptor))))
            epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event)
        }
        let context = Unmanaged.passRetained(self).toOpaque()
        let status = thread.withLock {
            pthread_create(
                &$0, nil,
                { context in
                    Unmanaged<EventLoop>.fromOpaque(context!).takeRetainedValue().run()
                    return nil
                }, context)
        }
        precondition(status == 0, "no thread for the event loop")
        pthread_detach(thread.withLock { $0 })
    }

    deinit {
        close(poll)
        close(wakeup)
        close(timerDescriptor)
    }

    /// Ends the thread after the queued jobs. Call it on the loop's thread.
    package func stop() {
        // The owner of the callback may be freed before the thread ends.
        onDeadline = nil
        actions = [:]
        inbox.withLock { $0.isStopped = true }
        wake()
    }

    /// Returns the time of the monotonic clock, in nanoseconds.
    package static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    // MARK: Executor

    package func enqueue(_ job: consuming ExecutorJob) { enqueue(.job(UnownedJob(job))) }

    /// Calls `body` on the loop's thread, after the jobs that were queued before.
    package func execute(_ body: @escaping @Sendable () -> Void) { enqueue(.call(body)) }

    private func enqueue(_ work: Work) {
        let mustWake = inbox.withLock { inbox in
            inbox.work.append(work)
            defer { inbox.wakeIsPending = true }
            return !inbox.wakeIsPending
        }
        if mustWake { wake() }
    }

    /// Called by Swift when a callback of the loop enters an actor with `assumeIsolated`.
    package func checkIsolated() {
        precondition(pthread_equal(pthread_self(), thread.withLock { $0 }) != 0, "not on the loop's thread")
    }

    private func wake() {
        var one: UInt64 = 1
        _ = write(wakeup, &one, 8)
    }

    // MARK: Descriptors, on the loop's thread

    /// Calls `handler` for each of `events`. The loop retains the handler until ``remove(_:)``.
    package func add(_ descriptor: CInt, events: UInt32, handler: any Handler) -> Bool {
        generation &+= 1
        guard control(EPOLL_CTL_ADD, descriptor, events, generation) else { return false }
        handlers[descriptor] = (handler, generation)
        return true
    }

    /// Changes the events for which the handler of a descriptor is called.
    package func change(_ descriptor: CInt, events: UInt32) {
        guard let entry = handlers[descriptor] else { return }
        _ = control(EPOLL_CTL_MOD, descriptor, events, entry.generation)
    }

    private func control(_ operation: CInt, _ descriptor: CInt, _ events: UInt32, _ generation: UInt32) -> Bool {
        var event = epoll_event(
            events: events, data: epoll_data_t(u64: UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor))))
        return epoll_ctl(poll, operation, descriptor, &event) == 0
    }

    /// Removes a descriptor. Call it before closing the descriptor.
    package func remove(_ descriptor: CInt) {
        guard handlers.removeValue(forKey: descriptor) != nil else { return }
        epoll_ctl(poll, EPOLL_CTL_DEL, descriptor, nil)
    }

    /// Sets the callback for deadlines. It does the work that is due, and returns the next deadline in nanoseconds of
    /// the monotonic clock, or `.max` if there is none.
    package func setDeadlineCallback(_ callback: @escaping () -> Int64) { onDeadline = callback }

    /// Calls the callback of ``setDeadlineCallback(_:)`` at the deadline or earlier.
    ///
    /// Each video frame moves the deadlines later, but the timer is not moved with them. It fires at the old time, a
    /// few times a second, and is then set to the new deadline. A timeout for each `epoll_wait` would instead set a
    /// hardware timer a hundred times a second.
    package func arm(for deadline: Int64) {
        nextDeadline = min(nextDeadline, deadline)
        program(for: deadline)
    }

    private func program(for deadline: Int64) {
        guard deadline < armedFor else { return }
        armedFor = deadline
        var time = itimerspec()
        time.it_value = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
        timerfd_settime(timerDescriptor, CInt(TFD_TIMER_ABSTIME), &time, nil)
    }

    /// Calls `act` once, at `due` (in nanoseconds of the monotonic clock) or a little later. Even if `due` has passed,
    /// the call follows after this method has returned.
    @discardableResult
    package func at(_ due: Int64, _ act: @escaping () -> Void) -> Timer {
        lastTimerNumber += 1
        let newTimer = Timer(due: due, number: lastTimerNumber)
        // Actions that are created and cancelled again and again must not fill the memory.
        if timers.count > 2 * actions.count + Self.cancelledAllowance { timers = Heap(actions.keys) }
        actions[newTimer] = act
        timers.insert(newTimer)
        program(for: due)
        return newTimer
    }

    package func cancel(_ timer: Timer) { actions[timer] = nil }

    /// Runs the actions that are due, and sets the timer for the next ones.
    private func runDueActions() {
        // Actions that are created from now on wait for the next round.
        let limit = Timer(due: Self.now(), number: lastTimerNumber)
        while let next = timers.min, next <= limit {
            timers.removeMin()
            actions.removeValue(forKey: next)?()
        }
        if nextDeadline <= limit.due {
            // Reset even if no callback is set: a deadline that stays in the past would make the timer fire again and
            // again.
            nextDeadline = .max
            if let onDeadline { nextDeadline = min(onDeadline(), nextDeadline) }
        }
        program(for: min(nextDeadline, timers.min?.due ?? .max))
    }

    // MARK: The thread

    /// Raises the priority of the thread: encoders keep every core busy, and a video frame must not wait for them.
    /// Without the permission, the service works until the box is overloaded. The thread is in no real-time class: the
    /// preemptions of such a class cost a tenth more in a measurement.
    private func raisePriority() {
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, -10)
    }

    private func run() {
        raisePriority()
        var events = [epoll_event](repeating: epoll_event(), count: Self.maximumEvents)
        var work: [Work] = []
        while true {
            let count = epoll_wait(poll, &events, CInt(Self.maximumEvents), -1)
            var isDue = false
            for index in 0..<max(0, Int(count)) {
                let data = events[index].data.u64
                let descriptor = CInt(truncatingIfNeeded: data)
                if descriptor == wakeup {
                    var value: UInt64 = 0
                    _ = read(wakeup, &value, 8)
                } else if descriptor == timerDescriptor {
                    var value: UInt64 = 0
                    _ = read(timerDescriptor, &value, 8)
                    isDue = true
                } else if let entry = handlers[descriptor], entry.generation == UInt32(data >> 32) {
                    // An event of a descriptor that was closed in this round must not reach its successor.
                    entry.handler.ready(events[index].events)
                }
            }
            // Actions run after the descriptors: if the thread got the processor late, it first reads the bytes that
            // have arrived, so that no action treats their sender as silent.
            if isDue {
                armedFor = .max
                runDueActions()
            }
            let isStopped = inbox.withLock { inbox in
                swap(&work, &inbox.work)
                inbox.wakeIsPending = false
                return inbox.isStopped
            }
            for piece in work {
                switch piece {
                case .job(let job): job.runSynchronously(on: asUnownedSerialExecutor())
                case .call(let body): body()
                }
            }
            work.removeAll(keepingCapacity: true)
            if isStopped, inbox.withLock({ $0.work.isEmpty }) { return }
        }
    }
}

extension Duration {
    package var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
