import CLinux
import Glibc
import HeapModule
import Synchronization

/// One thread that waits for descriptors and deadlines, and runs the jobs of the actors that belong to it between them.
///
/// What belongs to the thread needs no lock, and bytes that came in go out again without a hop to another thread. As
/// the executor of actors it takes Swift's jobs too, so the compiler proves that nobody else touches what belongs to
/// it.
package final class EventLoop: SerialExecutor, @unchecked Sendable {
    /// Something that wants to know when its descriptor is ready. Called on the loop's thread.
    package protocol Handler: AnyObject {
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
    /// When it is asked next.
    private var dueAt = Int64.max
    private var actions: [Appointment: () -> Void] = [:]
    /// When they are due; those that were cancelled stay here.
    private var appointments: Heap<Appointment> = []
    private var lastAppointment = 0
    /// When the timer goes off.
    private var armedFor = Int64.max

    /// Something that is to be done at a time.
    package struct Appointment: Sendable, Hashable, Comparable {
        fileprivate let due: Int64
        fileprivate let number: Int

        package static func < (one: Appointment, other: Appointment) -> Bool {
            (one.due, one.number) < (other.due, other.number)
        }
    }

    private enum Work {
        case job(UnownedJob)
        case call(@Sendable () -> Void)
    }

    private struct Inbox {
        var work: [Work] = []
        var isAwake = false
        var isStopped = false
    }

    private static let mostEvents = 64
    private static let mostCancelled = 1024

    package init() {
        // Whoever reads what is written here may be gone at any time.
        signal(SIGPIPE, SIG_IGN)
        poll = epoll_create1(CInt(EPOLL_CLOEXEC))
        wakeup = eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK))
        timer = timerfd_create(CLOCK_MONOTONIC, CInt(TFD_CLOEXEC) | CInt(TFD_NONBLOCK))
        precondition(poll >= 0 && wakeup >= 0 && timer >= 0, "no descriptors left for an event loop")
        for descriptor in [wakeup, timer] {
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
        close(timer)
    }

    /// Ends the thread once the jobs in hand are done. To be called on the loop's thread.
    package func stop() {
        // Whoever set the timer may be gone before the thread is.
        whatIsDue = nil
        actions = [:]
        inbox.withLock { $0.isStopped = true }
        wake()
    }

    /// Nanoseconds of the monotonic clock.
    package static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    // MARK: Executor

    package func enqueue(_ job: consuming ExecutorJob) { enqueue(.job(UnownedJob(job))) }

    /// Calls `body` on the loop's thread, behind what was asked of it before.
    package func execute(_ body: @escaping @Sendable () -> Void) { enqueue(.call(body)) }

    private func enqueue(_ work: Work) {
        let mustWake = inbox.withLock { inbox in
            inbox.work.append(work)
            defer { inbox.isAwake = true }
            return !inbox.isAwake
        }
        if mustWake { wake() }
    }

    /// The loop's own callbacks reach an actor through `assumeIsolated`; this is how Swift makes sure of it.
    package func checkIsolated() {
        precondition(pthread_equal(pthread_self(), thread.withLock { $0 }) != 0, "not on the loop's thread")
    }

    private func wake() {
        var one: UInt64 = 1
        _ = write(wakeup, &one, 8)
    }

    // MARK: Descriptors, on the loop's thread

    /// Calls `handler` whenever one of `events` is there. The loop keeps the handler until ``remove(_:)``.
    package func add(_ descriptor: CInt, events: UInt32, handler: any Handler) -> Bool {
        generation &+= 1
        guard control(EPOLL_CTL_ADD, descriptor, events, generation) else { return false }
        handlers[descriptor] = (handler, generation)
        return true
    }

    /// Calls the handler of a descriptor for other events from now on.
    package func change(_ descriptor: CInt, events: UInt32) {
        guard let entry = handlers[descriptor] else { return }
        _ = control(EPOLL_CTL_MOD, descriptor, events, entry.generation)
    }

    private func control(_ operation: CInt, _ descriptor: CInt, _ events: UInt32, _ generation: UInt32) -> Bool {
        var event = epoll_event(
            events: events, data: epoll_data_t(u64: UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor))))
        return epoll_ctl(poll, operation, descriptor, &event) == 0
    }

    /// Forgets a descriptor. To be called before it is closed.
    package func remove(_ descriptor: CInt) {
        guard handlers.removeValue(forKey: descriptor) != nil else { return }
        epoll_ctl(poll, EPOLL_CTL_DEL, descriptor, nil)
    }

    /// Sets what is called when a deadline has come: it does what is due, and says when something will be next, in
    /// nanoseconds of the monotonic clock; `.max` for never.
    package func setTimer(_ due: @escaping () -> Int64) { whatIsDue = due }

    /// Says that something will be due.
    ///
    /// Deadlines move away with each picture, so the timer is left to go off early and is set again then: a few times a
    /// second, where a limit for each wait would program the hardware a hundred times.
    package func arm(for deadline: Int64) {
        dueAt = min(dueAt, deadline)
        program(for: deadline)
    }

    private func program(for deadline: Int64) {
        guard deadline < armedFor else { return }
        armedFor = deadline
        var time = itimerspec()
        time.it_value = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
        timerfd_settime(timer, CInt(TFD_TIMER_ABSTIME), &time, nil)
    }

    /// Calls `act` once, at a time in nanoseconds of the monotonic clock or a little later; never before this returns.
    @discardableResult
    package func at(_ due: Int64, _ act: @escaping () -> Void) -> Appointment {
        lastAppointment += 1
        let appointment = Appointment(due: due, number: lastAppointment)
        // Whoever makes and cancels them without an end is not to fill the memory.
        if appointments.count > 2 * actions.count + Self.mostCancelled { appointments = Heap(actions.keys) }
        actions[appointment] = act
        appointments.insert(appointment)
        program(for: due)
        return appointment
    }

    package func cancel(_ appointment: Appointment) { actions[appointment] = nil }

    /// Does what is due, and sets the timer for what will be next.
    private func goOff() {
        let last = Appointment(due: Self.now(), number: lastAppointment)
        while let next = appointments.min, next <= last {
            appointments.removeMin()
            actions.removeValue(forKey: next)?()
        }
        if let whatIsDue, dueAt <= last.due {
            dueAt = .max
            dueAt = min(whatIsDue(), dueAt)
        }
        program(for: min(dueAt, appointments.min?.due ?? .max))
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
        var work: [Work] = []
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
                goOff()
            }
            let isStopped = inbox.withLock { inbox in
                swap(&work, &inbox.work)
                inbox.isAwake = false
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
