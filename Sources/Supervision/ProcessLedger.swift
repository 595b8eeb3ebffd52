import FFmpeg
import Synchronization
import TransportStream

/// What there is to tell of a source or a target: written by its runner, read by whoever makes a snapshot.
final class ProcessLedger: Sendable {
    struct Entry: Sendable {
        var actual = ProcessMachine.Actual.idle
        var isWanted = false
        /// When it went live.
        var liveSince: Timestamp?
        /// How often it was started.
        var starts = 0
        /// How often it went live: a target that was connected.
        var connects = 0
        var history = ProcessHistory()
        /// Why it could not even be started; `nil` once it was.
        var obstacle: String?
        /// What an operator could mend although it can be started.
        var trouble: String?
        /// Bytes that the processes that have ended were given.
        var delivered = 0
        /// Their jumps to the newest keyframe.
        var skips = 0
        /// The picture of a source.
        var format: VideoFormat?
        var isOnAir = false
        /// What a source is bound to is not plugged in.
        var isAbsent = false
        /// How often it took the air.
        var airs = 0
    }

    private let entry = Mutex(Entry())

    var now: Entry { entry.withLock { $0 } }

    func stands(_ actual: ProcessMachine.Actual, wanted: Bool, starts: Int) {
        entry.withLock { entry in
            if actual == .live, entry.actual == .starting {
                entry.connects += 1
                entry.liveSince = .now
                entry.obstacle = nil
            }
            if actual != .live, actual != .stalled { entry.liveSince = nil }
            entry.actual = actual
            entry.isWanted = wanted
            entry.starts = starts
        }
    }

    func ended(_ exit: ChildExit, started: Timestamp, delivered: Int = 0, skips: Int = 0) {
        entry.withLock { entry in
            entry.history.add(exit, started: started)
            entry.delivered += delivered
            entry.skips += skips
            entry.obstacle = nil
        }
    }

    func couldNotStart(_ why: String) {
        entry.withLock { $0.obstacle = why }
    }

    /// - Parameter why: `nil` when it is there.
    func isAbsent(_ why: String?) {
        entry.withLock { entry in
            entry.isAbsent = why != nil
            entry.obstacle = why
        }
    }

    func hasTrouble(_ what: String?) { entry.withLock { $0.trouble = what } }

    func shows(_ format: VideoFormat?) {
        entry.withLock { $0.format = format }
    }

    func isOnAir(_ isOnAir: Bool) {
        entry.withLock { entry in
            if isOnAir, !entry.isOnAir { entry.airs += 1 }
            entry.isOnAir = isOnAir
        }
    }
}
