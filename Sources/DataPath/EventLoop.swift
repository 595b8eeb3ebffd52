import CLinux
import Glibc
import Synchronization

/// One thread that waits for descriptors and runs the jobs of the ``DataPath`` actor between them.
///
/// Packets go from pipe to pipe on this thread alone: the feeds need no lock, and a unit that came in goes out to all
/// its readers without a hop to another thread. As the executor of an actor it takes Swift's jobs too, so the
/// compiler proves that nobody else touches what belongs to the thread.
final class EventLoop: SerialExecutor, @unchecked Sendable {
    /// Something that wants to know when its descriptor is ready. Called on the loop's thread.
    protocol Handler: AnyObject {
        func ready(_ events: UInt32)
    }

    private let poll: CInt
    private let wakeup: CInt
    private let timer: CInt
    private let inbox = Mutex(Inbox())
    private let thread = Mutex(pthread_t())

    // Of the loop's thread alone:
    private var handlers: [CInt: (handler: any Handler, generation: UInt32)] = [:]
    private var generation: UInt32 = 0
    private var whatIsDue: (() -> Int64)?
    /// When the timer goes off.
    private var armedFor = Int64.max

    private struct Inbox {
        var jobs: [UnownedJob] = []
        var isAwake = false
        var isStopped = false
    }

    private static let mostEvents = 64

    init() {
        poll = epoll_create1(CInt(EPOLL_CLOEXEC))
        wakeup = eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK))
        timer = timerfd_create(CLOCK_MONOTONIC, CInt(TFD_CLOEXEC) | CInt(TFD_NONBLOCK))
        precondition(poll >= 0 && wakeup >= 0 && timer >= 0, "no descriptors left for an event loop")
        for descriptor in [wakeup, timer] {
            var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: UInt64(UInt32(bitPattern: descriptor))))
            epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event)
        }
        let context = Unmanaged.passRetained(self).toOpaque()
        let status = thread.withLock { pthread_create(&$0, nil, { context in
            Unmanaged<EventLoop>.fromOpaque(context!).takeRetainedValue().run()
            return nil
        }, context) }
        precondition(status == 0, "no thread for the event loop")
        pthread_detach(thread.withLock { $0 })
    }

    deinit {
        close(poll)
        close(wakeup)
        close(timer)
    }

    /// Ends the thread once the jobs in hand are done. To be called on the loop's thread.
    func stop() {
        // Whoever set the timer may be gone before the thread is.
        whatIsDue = nil
        inbox.withLock { $0.isStopped = true }
        wake()
    }

    /// Nanoseconds of the monotonic clock.
    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    // MARK: Executor

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let mustWake = inbox.withLock { inbox in
            inbox.jobs.append(job)
            defer { inbox.isAwake = true }
            return !inbox.isAwake
        }
        if mustWake { wake() }
    }

    /// The loop's own callbacks reach the actor through `assumeIsolated`; this is how Swift makes sure of it.
    func checkIsolated() {
        precondition(pthread_equal(pthread_self(), thread.withLock { $0 }) != 0, "not on the data path's thread")
    }

    private func wake() {
        var one: UInt64 = 1
        _ = write(wakeup, &one, 8)
    }

    // MARK: Descriptors, on the loop's thread

    /// Calls `handler` whenever one of `events` is there. The loop keeps the handler until ``remove(_:)``.
    func add(_ descriptor: CInt, events: UInt32, handler: any Handler) -> Bool {
        generation &+= 1
        var event = epoll_event(
            events: events, data: epoll_data_t(u64: UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor))))
        guard epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event) == 0 else { return false }
        handlers[descriptor] = (handler, generation)
        return true
    }

    /// Forgets a descriptor. To be called before it is closed.
    func remove(_ descriptor: CInt) {
        guard handlers.removeValue(forKey: descriptor) != nil else { return }
        epoll_ctl(poll, EPOLL_CTL_DEL, descriptor, nil)
    }

    /// Sets what is called when a deadline has come: it does what is due, and says when something will be next, in
    /// nanoseconds of the monotonic clock; `.max` for never.
    func setTimer(_ due: @escaping () -> Int64) { whatIsDue = due }

    /// Says that something will be due.
    ///
    /// Deadlines move away with each picture, so the timer is left to go off early and is set again then: a few times a
    /// second, where a limit for each wait would program the hardware a hundred times.
    func arm(for deadline: Int64) {
        guard deadline < armedFor else { return }
        armedFor = deadline
        var time = itimerspec()
        time.it_value = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
        timerfd_settime(timer, CInt(TFD_TIMER_ABSTIME), &time, nil)
    }

    // MARK: The thread

    /// Encoders keep every core busy, and a picture must not wait for them. Where this is not permitted, all is well
    /// until the box is overloaded. Not a real-time class: measured, its preemptions cost a tenth more.
    private func takePrecedence() {
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, -10)
    }

    private func run() {
        takePrecedence()
        var events = [epoll_event](repeating: epoll_event(), count: Self.mostEvents)
        var jobs: [UnownedJob] = []
        while true {
            let count = epoll_wait(poll, &events, CInt(Self.mostEvents), -1)
            var isDue = false
            for index in 0..<max(0, Int(count)) {
                let data = events[index].data.u64
                let descriptor = CInt(truncatingIfNeeded: data)
                if descriptor == wakeup {
                    var value: UInt64 = 0
                    _ = read(wakeup, &value, 8)
                } else if descriptor == timer {
                    var value: UInt64 = 0
                    _ = read(timer, &value, 8)
                    isDue = true
                } else if let entry = handlers[descriptor], entry.generation == UInt32(data >> 32) {
                    // An event for a descriptor that was closed in this round must not reach its successor.
                    entry.handler.ready(events[index].events)
                }
            }
            // Last: a thread that had to wait for the processor takes nobody for silent whose bytes are there.
            if isDue {
                armedFor = .max
                if let whatIsDue { arm(for: whatIsDue()) }
            }
            let isStopped = inbox.withLock { inbox in
                swap(&jobs, &inbox.jobs)
                inbox.isAwake = false
                return inbox.isStopped
            }
            for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
            jobs.removeAll(keepingCapacity: true)
            if isStopped, inbox.withLock({ $0.jobs.isEmpty }) { return }
        }
    }
}
