import DataPath
import FFmpeg
import Synchronization

/// The statistics of a group. Its runner writes them, and snapshots read them.
final class GroupStatistics: Sendable {
    struct Entry: Sendable {
        var actual = GroupMachine.Actual.idle
        var isWanted = false
        /// When it went live.
        var liveSince: ContinuousClock.Instant?
        /// The figures of the group's former feeds. They are negative for the data that a channel had taken in before
        /// the group began to pass it through.
        var former = DataPath.FeedFigures()
        var handovers: [HandoverCause: Int] = [:]
        /// The times from the last frame of one encoder to the first frame of the next.
        var gaps = Histogram(bounds: [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 1, 2, 2.5, 5, 10])
        var history = ProcessHistory()
        /// Ends that were not asked for, by encoder and cause.
        var exits: [String: [HandoverCause: Int]] = [:]
        /// Frames that encoders dropped, by their own count.
        var dropped = 0
        /// The same count of each encoder that runs.
        var running: [GroupMachine.Generation: Int] = [:]
        var isTooSlow = false
        /// The preset of the encoder in use, if it is faster than the usual one, which was too slow; otherwise `nil`.
        var loweredPreset: String?
    }

    private let entry = Mutex(Entry())

    var now: Entry { entry.withLock { $0 } }

    func stateChanged(_ actual: GroupMachine.Actual, wanted: Bool, now: ContinuousClock.Instant = .now) {
        entry.withLock { entry in
            entry.actual = actual
            entry.isWanted = wanted
            switch actual {
            case .live: entry.liveSince = entry.liveSince ?? now
            case .idle, .pausing: entry.liveSince = nil
            case .starting, .ending: break
            }
        }
    }

    func handedOver(_ cause: HandoverCause, gap: Duration) {
        entry.withLock { entry in
            entry.handovers[cause, default: 0] += 1
            entry.gaps.add(gap.seconds)
        }
    }

    /// Records an encoder's own count of dropped frames so far.
    func dropped(_ count: Int, by generation: GroupMachine.Generation) {
        entry.withLock { entry in
            entry.dropped += max(0, count - (entry.running[generation] ?? 0))
            entry.running[generation] = count
        }
    }

    /// Removes a generation that has ended.
    func forget(_ generation: GroupMachine.Generation) {
        entry.withLock { _ = $0.running.removeValue(forKey: generation) }
    }

    /// Adds the figures of a former feed.
    ///
    /// - Parameter factor: -1 for figures that do not count.
    func keep(_ figures: DataPath.FeedFigures, times factor: Int = 1) {
        entry.withLock { entry in
            entry.former.frames += factor * figures.frames
            entry.former.lostFrames += factor * figures.lostFrames
            entry.former.skips += factor * figures.skips
            entry.former.bytes += factor * figures.bytes
            entry.former.mediaBytes += factor * figures.mediaBytes
        }
    }

    /// Records the end of an encoder.
    ///
    /// - Parameter cause: `nil` for an end that was asked for.
    func ended(_ exit: ChildExit, of encoder: String, cause: HandoverCause?, started: Timestamp) {
        entry.withLock { entry in
            entry.history.add(exit, started: started)
            if let cause { entry.exits[encoder, default: [:]][cause, default: 0] += 1 }
        }
    }

    func isTooSlow(_ isTooSlow: Bool) {
        entry.withLock { $0.isTooSlow = isTooSlow }
    }

    func hasLoweredPreset(_ preset: String?) {
        entry.withLock { $0.loweredPreset = preset }
    }
}
