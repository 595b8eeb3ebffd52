import CLinux
import Glibc
import SystemSupport

/// Reports when the wall clock is set: by hand, or by NTP minutes after the start of a box without a clock battery.
///
/// It compares the wall clock with `CLOCK_MONOTONIC`. NTP slews both in the same way, so only a step changes their
/// difference.
final class ClockWatch: Sendable {
    private let timer: CInt
    private let wakeup: CInt

    /// The steps of the clock from now on, forward or back. The stream ends when its reader is cancelled, or at once if
    /// the kernel does not report steps.
    static func steps() -> AsyncStream<Duration> {
        let (steps, queue) = AsyncStream.makeStream(of: Duration.self, bufferingPolicy: .bufferingNewest(16))
        guard let watch = ClockWatch() else {
            queue.finish()
            return steps
        }
        queue.onTermination = { _ in watch.end() }
        Task {
            await BlockingIO.run { watch.run { queue.yield($0) } }
            queue.finish()
        }
        return steps
    }

    init?() {
        timer = timerfd_create(CLOCK_REALTIME, CInt(TFD_CLOEXEC) | CInt(TFD_NONBLOCK))
        wakeup = eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK))
        // `deinit` closes the descriptors. It also runs if this returns nil.
        guard timer >= 0, wakeup >= 0 else { return nil }
    }

    deinit {
        if timer >= 0 { close(timer) }
        if wakeup >= 0 { close(wakeup) }
    }

    /// Ends ``run(_:)``.
    func end() {
        var one: UInt64 = 1
        _ = write(wakeup, &one, 8)
    }

    /// Blocks until ``end()``.
    func run(_ stepped: (Duration) -> Void) {
        var lead = ClockLead()
        while arm() {
            // Read after arming, so that a step from here on ends the wait.
            if let step = lead.step(to: Self.lead()) { stepped(step) }
            var ends = [
                pollfd(fd: timer, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wakeup, events: Int16(POLLIN), revents: 0),
            ]
            if poll(&ends, 2, -1) < 0, errno != EINTR { return }
            if ends[1].revents != 0 { return }
            var expirations: UInt64 = 0
            _ = read(timer, &expirations, 8)
        }
    }

    /// Arms the timer. It never expires, but becomes readable when the clock is set.
    private func arm() -> Bool {
        var never = itimerspec(it_interval: timespec(), it_value: timespec(tv_sec: .max, tv_nsec: 0))
        // With ECANCELED the clock was set since the last call, and the timer is armed all the same.
        return timerfd_settime(timer, CInt(TFD_TIMER_ABSTIME) | CInt(TFD_TIMER_CANCEL_ON_SET), &never, nil) == 0
            || errno == ECANCELED
    }

    private static let readings = 3

    /// How far the wall clock is ahead. Of a few readings it uses the one that took the least time, because this thread
    /// may have to wait in between.
    private static func lead() -> Duration {
        let readings = (0..<readings).map { _ in
            let before = now(CLOCK_MONOTONIC)
            let wall = now(CLOCK_REALTIME)
            let after = now(CLOCK_MONOTONIC)
            return (lead: wall - before, span: after - before)
        }
        return readings.min { $0.span < $1.span }!.lead
    }

    private static func now(_ clock: clockid_t) -> Duration {
        var time = timespec()
        clock_gettime(clock, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
