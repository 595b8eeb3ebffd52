import EventLoop
import MPEGTS

/// What is told of the process that converts a source's sound.
package enum AudioConverterEvent: Sendable, Hashable {
    /// Its first sound that continues what was taken before has come, or it gives sound again.
    case delivering
    /// It was given sound and has given none for a while, though it did before: another process is to be started beside
    /// it. Whichever gives sound first goes on.
    case late
    /// It was late, and a process that was started beside it goes on. It is not used any more.
    case replaced
    /// The process that was late gives sound again. This one, which was started beside it, is not used.
    case unneeded
    /// It was given sound for as long as it may take, and gave none.
    case stalled
    /// What it gives is not in the format that the channel's sound has by now: another process has to take its place.
    case outdated
    /// So many messages of sound were dropped, because it did not take them in time.
    case dropped(Int)
}

/// The sound of one source on its way through a process that makes AAC of it: the source gives messages, and what comes
/// back is the source's again. Whatever becomes of the process, nothing waits for it.
final class AudioConverter: AudioSink {
    /// What the process gives.
    let unitReader: PipeReader
    /// It is given the messages that came last, from this time on: it continues what another one converted.
    let replayStart: Int64?
    private let pipe: AudioPipe
    private let loop: EventLoop
    private let report: @Sendable (AudioConverterEvent) -> Void
    private var clock = AudioClock()
    /// The first message of which nothing has come: when it was given, in nanoseconds of the monotonic clock, and its
    /// time for the process, in ticks.
    private var owed: (since: Int64, from: Int64)?
    private var lastGiven = Int64.min / 2
    /// The newest frame that came of it, on its own timeline, in ticks.
    private var newestFrame = Int64.min / 2
    private var isDelivering = false
    private var isLate = false
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
    /// Nanoseconds that it may give nothing until another one is started beside it, and ticks of sound that it has to
    /// be given meanwhile. A ``Splicer`` waits a second for sound, and the other one has to start in what is left.
    private static let lateAfter: Int64 = 400_000_000
    private static let lateAudio = 350 * Ticks.perSecond / 1000
    /// Nanoseconds until that is looked at again where it was not given as much.
    private static let look: Int64 = 50_000_000
    /// Ticks from the newest frame that came of it to the newest message, at the most, where it keeps up.
    private static let mostBehind = 300 * Ticks.perSecond / 1000
    /// Nanoseconds without a message after which it begins anew to owe something: it keeps the last ones back.
    private static let pause: Int64 = 500_000_000

    init(
        unitReader: PipeReader, pipe: AudioPipe, replayStart: Int64?, loop: EventLoop,
        report: @escaping @Sendable (AudioConverterEvent) -> Void
    ) {
        self.unitReader = unitReader
        self.replayStart = replayStart
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
            loop.arm(for: now + (isDelivering ? Self.lateAfter : Self.patience))
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

    /// The time of the first message that it was given; `nil` before.
    var first: Int64? { clock.begin }

    // MARK: From the process

    /// It has given sound.
    ///
    /// - Parameter pts: 33 bits as on the wire.
    /// - Returns: Where it belongs on the source's timeline, in ticks; `nil` where nothing was given to it.
    func took(_ pts: Int64) -> Int64? {
        owed = nil
        newestFrame = max(newestFrame, Ticks.extend(pts, near: clock.newest))
        return clock.time(of: pts)
    }

    /// What it has given continues the sound of the source.
    func delivers() {
        if keepsUp { isLate = false }
        guard !isDelivering || isStalled else { return }
        (isDelivering, isStalled) = (true, false)
        report(.delivering)
    }

    /// What it was given has come of it, but for the little that it always has in it.
    var keepsUp: Bool { clock.newest - newestFrame <= Self.mostBehind }

    /// Ends its use, because another process goes on.
    func leave(_ event: AudioConverterEvent) {
        close()
        report(event)
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
        unitReader.hold()
    }

    func release() {
        guard isHeld else { return }
        (isHeld, owed) = (false, nil)
        unitReader.release()
    }

    func close() {
        pipe.close()
        unitReader.close()
    }

    // MARK: What is due

    /// Looks whether it owes sound; returns when to look again, in nanoseconds of the monotonic clock.
    func runTimers(now: Int64) -> Int64 {
        if now >= dropped.due {
            report(.dropped(dropped.count))
            dropped = (0, .max)
        }
        guard !isStalled, !isHeld, let owed else { return dropped.due }
        return min(dropped.due, lookForLateness(owed, now: now), lookForStall(owed, now: now))
    }

    private func lookForLateness(_ owed: (since: Int64, from: Int64), now: Int64) -> Int64 {
        guard isDelivering, !isLate else { return .max }
        let due = owed.since + Self.lateAfter
        guard now >= due else { return due }
        guard clock.newest - owed.from >= Self.lateAudio else { return now + Self.look }
        isLate = true
        report(.late)
        return .max
    }

    private func lookForStall(_ owed: (since: Int64, from: Int64), now: Int64) -> Int64 {
        let due = owed.since + Self.patience
        guard now >= due else { return due }
        // Little has been given; of what comes next it will give something.
        guard clock.newest - owed.from >= Self.enough else { return now + Self.patience }
        isStalled = true
        report(.stalled)
        return .max
    }
}
