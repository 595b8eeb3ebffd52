import MPEGTS

/// The largest of the numbers that were seen of late: the last five to ten seconds, as they are counted from outside.
struct RecentCases {
    /// Of the piece that is being counted, and of the one before: the largest and the second largest.
    private var current = (first: Int64(0), second: Int64(0))
    private var before = (first: Int64(0), second: Int64(0))
    private var end = RecentCases.piece

    private static let piece = 5 * Ticks.perSecond

    /// 0 where there was none.
    var largest: Int64 { max(current.first, before.first) }
    /// At least two cases were as large as this; 0 where there were none.
    var repeated: Int64 { max(min(current.first, before.first), current.second, before.second) }

    /// - Parameters:
    ///   - number: Above 0.
    ///   - clock: Ticks that passed since the first case.
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
        before = clock >= end + Self.piece ? (0, 0) : current
        current = (0, 0)
        end = clock + Self.piece
    }
}
