/// Tells a target that takes less than it is sent from one that gets everything.
///
/// A target is slow when more frames than the slack were skipped within the last window; a line that was slow for a
/// moment, and whose target catches up from the feed, is not. It is slow until nothing was skipped for a whole window
/// and the target has not fallen further behind within it: a line that carries 97 % skips once in minutes, and is slow
/// in between.
///
/// Pure; times are nanoseconds of any clock that does not go back.
struct DeliveryWatch {
    /// Nanoseconds over which is measured: several groups of pictures, and several times what a feed keeps.
    static let window: Int64 = 30_000_000_000
    /// Nanoseconds from one look to the next. Looks of all targets fall on the same moments, and cost one wake-up.
    static let interval: Int64 = 1_000_000_000
    /// Nanoseconds for which a share is told, so that the words of a problem do not change with every look.
    static let retellInterval: Int64 = 10_000_000_000
    /// What may be missing of a window: one frame of so many, and so many frames at a low rate.
    private static let slackDivisor = 100
    private static let leastSlack = 2

    enum Change: Hashable {
        /// So much of the stream reaches the target, from 0 to less than 1.
        case slow(share: Double)
        /// Everything has arrived for a whole window.
        case complete
    }

    /// Where a target is in its feed, in frames since the feed began.
    struct Place {
        /// Frames that went into the feed.
        var fed: Int
        /// Frames that the target has still before it.
        var behind: Int
        /// Frames that it jumped over.
        var skipped: Int
    }

    private enum Verdict {
        case unknown, slow, complete
    }

    private var looks: [(at: Int64, place: Place)] = []
    private var nextLook = Int64.min
    private var verdict = Verdict.unknown
    private var told: (share: Double, at: Int64)?

    init() { looks.reserveCapacity(Int(Self.window / Self.interval) + 3) }

    /// When to look again.
    static func next(after now: Int64) -> Int64 { (now / interval + 1) * interval }

    /// - Parameter place: Evaluated only when a look is due.
    /// - Returns: What is news, and when to look again.
    mutating func look(_ place: @autoclosure () -> Place, now: Int64) -> (change: Change?, next: Int64) {
        guard now >= nextLook else { return (nil, nextLook) }
        nextLook = Self.next(after: now)
        return (judge(place(), now: now), nextLook)
    }

    private mutating func judge(_ place: Place, now: Int64) -> Change? {
        looks.append((at: now, place: place))
        // One look that is as old as the window stays: the growth since then is the window's.
        while looks.count > 2, now - looks[1].at >= Self.window { looks.removeFirst() }
        let start = looks[0]
        let fed = place.fed - start.place.fed
        let skipped = place.skipped - start.place.skipped
        // What it fell behind has not arrived either, and what it caught up has.
        let missing = skipped + place.behind - start.place.behind
        let slack = max(fed / Self.slackDivisor, Self.leastSlack)
        if skipped > slack || (verdict == .slow && (skipped > 0 || missing > slack)) {
            // In whole percent, rounded down: what lacks something is not at a hundred.
            let percent = fed > 0 ? (fed - missing) * 100 / fed : 0
            return tellSlow(Double(min(max(percent, 0), 99)) / 100, now: now)
        }
        guard now - start.at >= Self.window, skipped == 0, missing <= slack, verdict != .complete else { return nil }
        verdict = .complete
        told = nil
        return .complete
    }

    private mutating func tellSlow(_ share: Double, now: Int64) -> Change? {
        verdict = .slow
        if let told, told.share == share || now - told.at < Self.retellInterval { return nil }
        told = (share: share, at: now)
        return .slow(share: share)
    }
}
