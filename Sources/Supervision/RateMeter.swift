import Synchronization

/// What a group gives a second, from one look at its counters to the next.
final class RateMeter: Sendable {
    struct Counters: Sendable {
        var frames: Int
        var bytes: Int
        /// Where its timeline ends, in seconds.
        var streamSeconds: Double
    }

    struct Rates: Sendable {
        var fps = 0.0
        var bitsPerSecond = 0.0
        var speed = 0.0
    }

    private struct Entry {
        var at: Double
        var counters: Counters
        var rates = Rates()
    }

    /// Seconds between two looks that are compared; less would make the figures jump.
    private static let shortest = 1.0

    private let entries = Mutex<[String: Entry]>([:])

    func rates(of group: String, _ counters: Counters, at now: Double) -> Rates {
        entries.withLock { entries in
            guard let before = entries[group], counters.frames >= before.counters.frames else {
                entries[group] = Entry(at: now, counters: counters)
                return Rates()
            }
            let seconds = now - before.at
            guard seconds >= Self.shortest else { return before.rates }
            let rates = Rates(
                fps: Double(counters.frames - before.counters.frames) / seconds,
                bitsPerSecond: Double(counters.bytes - before.counters.bytes) * 8 / seconds,
                speed: (counters.streamSeconds - before.counters.streamSeconds) / seconds)
            entries[group] = Entry(at: now, counters: counters, rates: rates)
            return rates
        }
    }
}
