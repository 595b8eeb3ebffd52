import Polling
import TransportStream

/// What is told of the process that converts a source's sound.
public enum SoundEvent: Sendable, Hashable {
    /// Its first sound has come, or it gives sound again.
    case delivering
    /// It was given sound for as long as it may take, and gave none.
    case stalled
    /// What it gives is not in the format that the channel's sound has by now: another process has to take its place.
    case outdated
    /// So many messages of sound were dropped, because it did not take them in time.
    case dropped(Int)
}

/// The sound of one source on its way through a process that makes AAC of it: the source gives messages, and what comes
/// back is the source's again. Whatever becomes of the process, nothing waits for it.
final class SoundConverter: SoundOutlet {
    /// What the process gives.
    let inlet: Inlet
    private let pipe: SoundPipe
    private let loop: EventLoop
    private let report: @Sendable (SoundEvent) -> Void
    private var clock = SoundClock()
    /// The first message of which nothing has come: when it was given, in nanoseconds of the monotonic clock, and its
    /// time for the process, in ticks.
    private var owed: (since: Int64, from: Int64)?
    private var lastGiven = Int64.min / 2
    private var isDelivering = false
    private var isStalled = false
    private var isHeld = false
    private var wasOutdated = false
    /// Messages that were dropped and not told, and when they are.
    private var dropped: (count: Int, due: Int64) = (0, .max)

    /// Nanoseconds that the process may give nothing while it is given sound. It has less than a tenth of a second in
    /// it; the rest is for a machine that is busy.
    private static let patience: Int64 = 1_000_000_000
    /// Ticks of sound from which on something has to come of it.
    private static let enough = Ticks.perSecond / 2
    /// Nanoseconds without a message after which it begins anew to owe something: it keeps the last ones back.
    private static let pause: Int64 = 500_000_000

    init(inlet: Inlet, pipe: SoundPipe, loop: EventLoop, report: @escaping @Sendable (SoundEvent) -> Void) {
        self.inlet = inlet
        self.pipe = pipe
        self.loop = loop
        self.report = report
    }

    // MARK: To the process

    func stamp(_ time: Int64) -> UInt32 {
        let stamp = clock.stamp(time)
        let now = EventLoop.now()
        if owed == nil || now - lastGiven > Self.pause {
            owed = (now, clock.newest)
            loop.arm(for: now + Self.patience)
        }
        lastGiven = now
        return stamp
    }

    func give(
        _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, _ tail: UnsafeRawBufferPointer
    ) {
        guard !pipe.give(head, body, tail) else { return }
        if dropped.count == 0 {
            dropped.due = EventLoop.now() + Self.patience
            loop.arm(for: dropped.due)
        }
        dropped.count += 1
    }

    /// Gives the process nothing more: it writes what it has, and ends.
    func finish() { pipe.finish() }

    // MARK: From the process

    /// It has given sound.
    ///
    /// - Parameter pts: 33 bits as on the wire.
    /// - Returns: Where it belongs on the source's timeline, in ticks; `nil` where nothing was given to it.
    func took(_ pts: Int64) -> Int64? {
        owed = nil
        if !isDelivering || isStalled {
            (isDelivering, isStalled) = (true, false)
            report(.delivering)
        }
        return clock.time(of: pts)
    }

    /// What it gives cannot be used. That is told once.
    func isOutdated() {
        guard !wasOutdated else { return }
        wasOutdated = true
        report(.outdated)
    }

    /// Leaves what it gives in its pipe.
    func hold() {
        isHeld = true
        inlet.hold()
    }

    func release() {
        guard isHeld else { return }
        (isHeld, owed) = (false, nil)
        inlet.release()
    }

    func close() {
        pipe.close()
        inlet.close()
    }

    // MARK: What is due

    /// Looks whether it owes sound; returns when to look again, in nanoseconds of the monotonic clock.
    func doWhatIsDue(now: Int64) -> Int64 {
        if now >= dropped.due {
            report(.dropped(dropped.count))
            dropped = (0, .max)
        }
        guard !isStalled, !isHeld, let owed else { return dropped.due }
        let due = owed.since + Self.patience
        guard now >= due else { return min(due, dropped.due) }
        // Little has been given; of what comes next it will give something.
        guard clock.newest - owed.from >= Self.enough else { return min(now + Self.patience, dropped.due) }
        isStalled = true
        report(.stalled)
        return dropped.due
    }
}
