import DataPath
import EncoderSelection
import FFmpeg
import MPEGTS
import Synchronization

/// What there is to tell of a source or a target: written by its runner, read by whoever makes a snapshot.
final class ProcessStatistics: Sendable {
    struct Entry: Sendable {
        var actual = ProcessMachine.Actual.idle
        var isWanted = false
        /// When its process was started.
        var startedAt: ContinuousClock.Instant?
        /// When it went live.
        var liveSince: ContinuousClock.Instant?
        /// How often it was started.
        var starts = 0
        /// How often it went live: a target that was connected.
        var connects = 0
        var history = ProcessHistory()
        /// Ends that nobody asked for, in a row: a process that did its work for ``steady`` is none of the row.
        var failures = 0
        /// Why it could not even be started; `nil` once it was.
        var obstacle: String?
        /// What an operator could mend although it can be started.
        var trouble: String?
        /// The publisher that runs, whose figures come on top.
        var attachment: DataPath.Attachment?
        /// Bytes that the processes that have ended were given.
        var delivered = 0
        /// Their jumps to the newest keyframe.
        var skips = 0
        /// Ticks of stream that those jumps passed over.
        var skippedTicks: Int64 = 0
        /// How much of the stream reaches a target that takes less than it is sent, from 0 to less than 1; `nil` while
        /// all does.
        var share: Double?
        /// The picture of a source.
        var format: VideoFormat?
        var isOnAir = false
        /// What encodes the frames of a source; `nil` where nothing does.
        var encoder: EncoderCandidate?
        /// What a source is bound to is not plugged in, and what is instead; `nil` when it is.
        var absence: String?
        /// Its sender is connected and sends no picture.
        var isSilent = false
        /// A sender is connected to the source. It need not send video.
        var hasSender = false
        /// How often it took the air.
        var airs = 0
        /// Packets that SRT gave up, by its own word.
        var droppedPackets = 0
        /// What FFmpeg refuses of the slate that is wanted; `nil` while it refuses nothing.
        var refused: String?
        /// What there is to know of a source that delivers, or could.
        var notes: [SourceNote: String] = [:]

        /// It has done its work for so long that what was before is no longer of interest.
        func isSteady(_ now: ContinuousClock.Instant) -> Bool {
            liveSince.map { now - $0 >= ProcessStatistics.steady } ?? false
        }
    }

    /// How long a process does its work before those that failed before it are forgotten: one that is cut off every few
    /// seconds is as good as none.
    static let steady = Duration.seconds(30)

    private let entry = Mutex(Entry())

    var now: Entry { entry.withLock { $0 } }

    func stateChanged(_ actual: ProcessMachine.Actual, wanted: Bool, starts: Int, now: ContinuousClock.Instant = .now) {
        entry.withLock { entry in
            if actual == .live, entry.actual == .starting {
                entry.connects += 1
                entry.liveSince = now
                entry.obstacle = nil
            }
            if starts != entry.starts { entry.startedAt = now }
            if !wanted { (entry.failures, entry.share) = (0, nil) }
            // One that is ended because it hangs was steady until then; its end is told when it has come.
            if actual == .ending, entry.isSteady(now) { entry.failures = 0 }
            if actual != .live, actual != .stalled { entry.liveSince = nil }
            entry.actual = actual
            entry.isWanted = wanted
            entry.starts = starts
        }
    }

    /// Another process than before is what it is about from now on; its counters go on.
    func beginAnew() {
        entry.withLock { entry in
            entry.obstacle = nil
            entry.trouble = nil
            entry.failures = 0
            entry.share = nil
            entry.format = nil
            entry.absence = nil
            entry.notes = [:]
        }
    }

    /// - Parameter text: `nil` when there is nothing to tell of it any more.
    /// - Returns: Whether that is news.
    @discardableResult
    func note(_ note: SourceNote, _ text: String?) -> Bool {
        entry.withLock { entry in
            guard entry.notes[note] != text else { return false }
            entry.notes[note] = text
            return true
        }
    }

    func runs(_ attachment: DataPath.Attachment) {
        entry.withLock { $0.attachment = attachment }
    }

    /// - Parameter isComplete: It came to the end of its file, which is no failure.
    func ended(
        _ exit: ChildExit, started: Timestamp, isComplete: Bool = false, delivered: Int = 0, skips: Int = 0,
        skippedTicks: Int64 = 0, now: ContinuousClock.Instant = .now
    ) {
        entry.withLock { entry in
            entry.attachment = nil
            entry.history.add(exit, started: started)
            let hasPlayed = isComplete && entry.liveSince.map { now - $0 >= RestartPolicy.completeAfter } == true
            if entry.isSteady(now) || hasPlayed { entry.failures = 0 }
            if exit.cause != nil, !hasPlayed { entry.failures += 1 }
            entry.delivered += delivered
            entry.skips += skips
            entry.skippedTicks += skippedTicks
            // The next process goes on over the same line; one that fails again and again has a worse problem.
            if entry.failures > 1 { entry.share = nil }
            entry.obstacle = nil
        }
    }

    /// The encoder of a source's frames has ended, or what converts its audio. Another one goes on, so the source has
    /// not failed.
    func encoderEnded(_ exit: ChildExit, started: Timestamp) {
        entry.withLock { $0.history.add(exit, started: started) }
    }

    func isEncoded(by encoder: EncoderCandidate?) {
        entry.withLock { $0.encoder = encoder }
    }

    func couldNotStart(_ why: String) {
        entry.withLock { entry in
            entry.obstacle = why
            entry.failures += 1
            entry.share = nil
        }
    }

    /// - Parameter why: `nil` when it is there.
    func isAbsent(_ why: String?) {
        entry.withLock { entry in
            entry.absence = why
            // It was that of another card, or of this one before it was pulled.
            entry.obstacle = nil
        }
    }

    func hasTrouble(_ what: String?) { entry.withLock { $0.trouble = what } }
    /// Something keeps it from running; `nil` when nothing does any more.
    func isHindered(by why: String?) {
        entry.withLock { $0.obstacle = why }
    }

    /// FFmpeg refuses something of the slate that is wanted.
    func isRefused(_ what: String?) {
        entry.withLock { $0.refused = what }
    }

    func isSilent(_ isSilent: Bool) {
        entry.withLock { $0.isSilent = isSilent }
    }

    /// SRT gave packets of a source up.
    func dropped(packets: Int) {
        entry.withLock { $0.droppedPackets += packets }
    }

    func hasSender(_ hasSender: Bool) {
        entry.withLock { $0.hasSender = hasSender }
    }

    func shows(_ format: VideoFormat?) {
        entry.withLock { $0.format = format }
    }

    /// A target takes less than it is sent.
    ///
    /// - Parameter share: How much of the stream reaches it; `nil` when all does.
    func reaches(_ share: Double?) {
        entry.withLock { $0.share = share }
    }

    func isOnAir(_ isOnAir: Bool) {
        entry.withLock { entry in
            if isOnAir, !entry.isOnAir { entry.airs += 1 }
            entry.isOnAir = isOnAir
        }
    }

    /// Bytes that all its processes have been given, their jumps to the newest keyframe, and the ticks of stream that
    /// those passed over.
    ///
    /// - Parameter taken: What the data path said a moment ago of those that ran then.
    func figures(
        from dataPath: DataPath, taken: [DataPath.Attachment: DataPath.FeedSenderFigures]
    ) async -> (bytes: Int, skips: Int, skippedTicks: Int64) {
        while true {
            let before = now
            guard let attachment = before.attachment else {
                return (before.delivered, before.skips, before.skippedTicks)
            }
            var figures = taken[attachment]
            if figures == nil { figures = await dataPath.figures(of: [attachment])[attachment] }
            // Should it have ended meanwhile, the ledger has it.
            guard now.attachment == attachment, let figures else { continue }
            return (
                before.delivered + figures.delivered, before.skips + figures.skips,
                before.skippedTicks + figures.skippedTicks
            )
        }
    }
}
