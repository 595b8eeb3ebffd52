import DataPath
import EncoderSelection
import FFmpeg
import MPEGTS
import Synchronization

/// The statistics of a source or a target. Its runner writes them, and snapshots read them.
final class ProcessStatistics: Sendable {
    struct Entry: Sendable {
        var actual = ProcessMachine.Actual.idle
        var isWanted = false
        /// When its process was started.
        var startedAt: ContinuousClock.Instant?
        /// When the process began to deliver.
        var liveSince: ContinuousClock.Instant?
        /// The number of starts.
        var starts = 0
        /// How often the process began to deliver. For a target: how often it was connected.
        var connects = 0
        var history = ProcessHistory()
        /// How many ends in a row were not asked for. The count starts again after a process that delivered for
        /// ``steady``.
        var failures = 0
        /// Why it could not be started. `nil` after it was.
        var obstacle: String?
        /// A problem that an operator can fix although the process can be started.
        var trouble: String?
        /// The publisher that runs. Its figures are added to those below.
        var attachment: DataPath.Attachment?
        /// Bytes that were sent to processes that have ended.
        var delivered = 0
        /// Their jumps to the newest keyframe.
        var skips = 0
        /// Ticks of the stream that those jumps left out.
        var skippedTicks: Int64 = 0
        /// The share of the stream that reaches a target which reads less than it is sent, from 0 to less than 1. `nil`
        /// while all of it does.
        var share: Double?
        /// The video format of a source.
        var format: VideoFormat?
        var isOnAir = false
        /// The encoder of a source's frames. `nil` if there is none.
        var encoder: EncoderCandidate?
        /// A sentence that the card of a source is not plugged in, and which cards are. `nil` if it is plugged in.
        var absence: String?
        /// Whether its sender is connected and sends no video.
        var isSilent = false
        /// Whether a sender is connected to the source. It need not send video.
        var hasSender = false
        /// How many times the source went on air.
        var airs = 0
        /// Packets that SRT dropped, by its own count.
        var droppedPackets = 0
        /// The option that FFmpeg refuses for the configured slate. `nil` while it refuses nothing.
        var refused: String?
        /// Notes about a source that delivers, or could deliver.
        var notes: [SourceNote: String] = [:]

        /// Whether it has delivered for so long that earlier failures no longer matter.
        func isSteady(_ now: ContinuousClock.Instant) -> Bool {
            liveSince.map { now - $0 >= ProcessStatistics.steady } ?? false
        }
    }

    /// How long a process delivers before earlier failures are forgotten. A process that is cut off every few seconds
    /// is as bad as one that never delivers.
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
            // A process that is killed because it hangs was steady until now. Its end is recorded later.
            if actual == .ending, entry.isSteady(now) { entry.failures = 0 }
            if actual != .live, actual != .stalled { entry.liveSince = nil }
            entry.actual = actual
            entry.isWanted = wanted
            entry.starts = starts
        }
    }

    /// Forgets the state of a former process. The counters continue.
    func beginRun() {
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

    /// Sets a note.
    ///
    /// - Parameter text: `nil` removes the note.
    /// - Returns: Whether the note changed.
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

    /// Records the end of a process.
    ///
    /// - Parameter reachedEndOfFile: Whether the process read its file to the end, which is no failure.
    func ended(
        _ exit: ChildExit, started: Timestamp, reachedEndOfFile: Bool = false, delivered: Int = 0, skips: Int = 0,
        skippedTicks: Int64 = 0, now: ContinuousClock.Instant = .now
    ) {
        entry.withLock { entry in
            entry.attachment = nil
            entry.history.add(exit, started: started)
            let hasPlayed =
                reachedEndOfFile && entry.liveSince.map { now - $0 >= RestartPolicy.forgivenAfterEndOfFile } == true
            if entry.isSteady(now) || hasPlayed { entry.failures = 0 }
            if exit.cause != nil, !hasPlayed { entry.failures += 1 }
            entry.delivered += delivered
            entry.skips += skips
            entry.skippedTicks += skippedTicks
            // The next process uses the same network, so the share stays. Repeated failures are a worse problem.
            if entry.failures > 1 { entry.share = nil }
            entry.obstacle = nil
        }
    }

    /// Records the end of the encoder of a source's frames, or of its audio converter. Another one continues, so the
    /// source has not failed.
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

    /// - Parameter why: `nil` if the card is plugged in.
    func isAbsent(_ why: String?) {
        entry.withLock { entry in
            entry.absence = why
            // The obstacle belongs to another card, or to this one before it was unplugged.
            entry.obstacle = nil
        }
    }

    func hasTrouble(_ trouble: String?) { entry.withLock { $0.trouble = trouble } }

    /// - Parameter why: The obstacle that keeps it from running. `nil` if there is none.
    func isHindered(by why: String?) {
        entry.withLock { $0.obstacle = why }
    }

    /// Sets the option that FFmpeg refuses for the configured slate.
    func isRefused(_ option: String?) {
        entry.withLock { $0.refused = option }
    }

    func isSilent(_ isSilent: Bool) {
        entry.withLock { $0.isSilent = isSilent }
    }

    /// Counts packets of a source that SRT dropped.
    func dropped(packets: Int) {
        entry.withLock { $0.droppedPackets += packets }
    }

    func hasSender(_ hasSender: Bool) {
        entry.withLock { $0.hasSender = hasSender }
    }

    func shows(_ format: VideoFormat?) {
        entry.withLock { $0.format = format }
    }

    /// Sets the share of the stream that reaches a target.
    ///
    /// - Parameter share: `nil` if all of it does.
    func reaches(_ share: Double?) {
        entry.withLock { $0.share = share }
    }

    func isOnAir(_ isOnAir: Bool) {
        entry.withLock { entry in
            if isOnAir, !entry.isOnAir { entry.airs += 1 }
            entry.isOnAir = isOnAir
        }
    }

    /// Returns the bytes that were sent to all its processes, their jumps to the newest keyframe, and the ticks of the
    /// stream that those jumps left out.
    ///
    /// - Parameter taken: The figures that the caller got from the data path before this call, for the processes that
    ///   ran then.
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
            // If the process has ended meanwhile, the entry has its figures.
            guard now.attachment == attachment, let figures else { continue }
            return (
                before.delivered + figures.delivered, before.skips + figures.skips,
                before.skippedTicks + figures.skippedTicks
            )
        }
    }
}
