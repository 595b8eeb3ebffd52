import EventLoop
import MPEGTS

/// Converts the audio of one source to AAC with a process. The source's messages go to the process, and its output
/// becomes the source's audio. Whatever happens to the process, nothing waits for it.
final class AudioConverter: AudioSink {
    /// Reads the process's output.
    let unitReader: PipeReader
    /// The time of the first message for the process, where it continues another converter's audio.
    let replayStart: Int64?
    private let pipe: AudioPipe
    private let loop: EventLoop
    private let report: @Sendable (AudioConverterEvent) -> Void
    private var timeline = AudioTimelineMap()
    /// The first message without output: when the process got it, in nanoseconds of the monotonic clock, and its time
    /// for the process, in ticks.
    private var owed: (since: Int64, from: Int64)?
    private var lastGiven = Int64.min / 2
    /// The newest frame of the process, on its own timeline, in ticks.
    private var newestFrame = Int64.min / 2
    private var isDelivering = false
    private var isLate = false
    private var isStalled = false
    private var isHeld = false
    private var wasOutdated = false
    /// Dropped messages that have not been reported, and when to report them.
    private var dropped: (count: Int, due: Int64) = (0, .max)

    /// Nanoseconds that the process may give nothing while it gets audio. It holds less than a tenth of a second; the
    /// rest is for a busy machine.
    private static let patience: Int64 = 1_000_000_000
    /// Ticks of audio after which output has to come.
    private static let enough = Ticks.perSecond / 2
    /// Nanoseconds without output after which another process is started beside this one, and ticks of audio that it
    /// has to get meanwhile. A ``Splicer`` waits a second for audio, and the other process has to start in the rest of
    /// it.
    private static let lateAfter: Int64 = 400_000_000
    private static let lateAudio = 350 * Ticks.perSecond / 1000
    /// Nanoseconds until the next check where the process did not get as much.
    private static let look: Int64 = 50_000_000
    /// Most ticks from the process's newest frame to the newest message where it keeps up.
    private static let mostBehind = 300 * Ticks.perSecond / 1000
    /// Nanoseconds without a message after which the wait for output begins again: the process keeps the last messages
    /// back.
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

    func timestamp(forMessageAt time: Int64) -> UInt32 {
        let stamp = timeline.processTimestamp(for: time)
        let now = EventLoop.now()
        if owed == nil || now - lastGiven > Self.pause {
            owed = (now, timeline.newest)
            loop.arm(for: now + (isDelivering ? Self.lateAfter : Self.patience))
        }
        lastGiven = now
        return stamp
    }

    func write(
        _ tagHeader: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, _ tagEnd: UnsafeRawBufferPointer
    ) {
        guard !pipe.give(tagHeader, body, tagEnd) else { return }
        if dropped.count == 0 {
            dropped.due = EventLoop.now() + Self.patience
            loop.arm(for: dropped.due)
        }
        dropped.count += 1
    }

    /// Gives the process nothing more. It writes the rest of its output, and ends.
    func finish() { pipe.finish() }

    /// The time of the first message that the process got; `nil` before.
    var first: Int64? { timeline.firstTime }

    // MARK: From the process

    /// Called with each frame of the process.
    ///
    /// - Parameter pts: 33 bits as on the wire.
    /// - Returns: The frame's place on the source's timeline, in ticks; `nil` where the process got nothing.
    func took(_ pts: Int64) -> Int64? {
        owed = nil
        newestFrame = max(newestFrame, Ticks.extend(pts, near: timeline.newest))
        return timeline.sourceTime(of: pts)
    }

    /// Called when a frame of the process continues the source's audio.
    func delivers() {
        if keepsUp { isLate = false }
        guard !isDelivering || isStalled else { return }
        (isDelivering, isStalled) = (true, false)
        report(.delivering)
    }

    /// Whether the process has output for its input, except for the little that it always holds.
    var keepsUp: Bool { timeline.newest - newestFrame <= Self.mostBehind }

    /// Closes the converter, because another process continues.
    func leave(_ event: AudioConverterEvent) {
        close()
        report(event)
    }

    /// Reports that the output cannot be used, once.
    func isOutdated() {
        guard !wasOutdated else { return }
        wasOutdated = true
        report(.outdated)
    }

    /// Leaves the output in its pipe.
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

    // MARK: Timers

    /// Checks whether the process owes audio; returns when to check again, in nanoseconds of the monotonic clock.
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
        guard timeline.newest - owed.from >= Self.lateAudio else { return now + Self.look }
        isLate = true
        report(.late)
        return .max
    }

    private func lookForStall(_ owed: (since: Int64, from: Int64), now: Int64) -> Int64 {
        let due = owed.since + Self.patience
        guard now >= due else { return due }
        // The process got little so far. Its next input will produce output.
        guard timeline.newest - owed.from >= Self.enough else { return now + Self.patience }
        isStalled = true
        report(.stalled)
        return .max
    }
}
