import FFmpeg
import Synchronization

/// What there is to tell of a group: written by its runner, read by whoever makes a snapshot.
final class GroupLedger: Sendable {
    struct Entry: Sendable {
        var actual = GroupMachine.Actual.idle
        var isWanted = false
        /// When it went live.
        var liveSince: Timestamp?
        var handovers: [HandoverCause: Int] = [:]
        /// Times from the last picture of one encoder to the first of the next.
        var holes = Histogram(bounds: [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 1, 2, 2.5, 5, 10])
        var history = ProcessHistory()
        /// Ends that nobody asked for, by encoder and cause.
        var exits: [String: [HandoverCause: Int]] = [:]
        /// Pictures that encoders left out, by their own word.
        var dropped = 0
        var isTooSlow = false
    }

    private let entry = Mutex(Entry())

    var now: Entry { entry.withLock { $0 } }

    func stands(_ actual: GroupMachine.Actual, wanted: Bool) {
        entry.withLock { entry in
            entry.actual = actual
            entry.isWanted = wanted
            switch actual {
            case .live: entry.liveSince = entry.liveSince ?? .now
            case .idle, .pausing: entry.liveSince = nil
            case .starting, .ending: break
            }
        }
    }

    func handedOver(_ cause: HandoverCause, hole: Duration) {
        entry.withLock { entry in
            entry.handovers[cause, default: 0] += 1
            entry.holes.add(Double(hole.components.seconds) + Double(hole.components.attoseconds) / 1e18)
        }
    }

    /// - Parameter cause: `nil` for an end that was asked for.
    func ended(_ exit: ChildExit, of encoder: String, cause: HandoverCause?, started: Timestamp) {
        entry.withLock { entry in
            entry.history.add(exit, started: started)
            entry.dropped += exit.lastProgress?.dropped ?? 0
            if let cause { entry.exits[encoder, default: [:]][cause, default: 0] += 1 }
        }
    }

    func isTooSlow(_ isTooSlow: Bool) {
        entry.withLock { $0.isTooSlow = isTooSlow }
    }
}
