import MPEGTS

/// Keeps the largest numbers that were noted in the last five to ten seconds of the caller's clock.
struct RecentMaximum {
    /// The largest and the second largest number of the present interval, and of the previous one.
    private var current = (first: Int64(0), second: Int64(0))
    private var before = (first: Int64(0), second: Int64(0))
    private var end = RecentMaximum.interval

    private static let interval = 5 * Ticks.perSecond

    /// The largest number; 0 if there was none.
    var largest: Int64 { max(current.first, before.first) }
    /// The largest number that was reached at least twice; 0 if there was none.
    var repeated: Int64 { max(min(current.first, before.first), current.second, before.second) }

    /// - Parameters:
    ///   - number: Above 0.
    ///   - clock: The ticks since the first note.
    mutating func note(_ number: Int64, at clock: Int64) {
        advance(to: clock)
        if number > current.first {
            current = (number, current.first)
        } else {
            current.second = max(current.second, number)
        }
    }

    mutating func advance(to clock: Int64) {
        guard clock >= end else { return }
        before = clock >= end + Self.interval ? (0, 0) : current
        current = (0, 0)
        end = clock + Self.interval
    }
}
