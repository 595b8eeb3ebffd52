/// Tells a target that takes less than it is sent from one that gets everything.
///
/// A target is slow when more frames than the slack were skipped within the last window; a line that was slow for a
/// moment, and whose target catches up from the feed, is not. It is slow until nothing was skipped for a whole window
/// and the target has not fallen further behind within it: a line that carries 97 % skips once in minutes, and is slow
/// in between.
///
/// What a target skips of a burst is not counted: where a source gives half a minute at once that a network held up, no
/// line for real time takes it before the feed has gone on.
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
        /// Decoding time of the newest frame of the feed, in ticks.
        var end: Int64?
    }

    private enum Verdict {
        case unknown, slow, complete
    }

    private var looks: [(at: Int64, place: Place)] = []
    private var nextLook = Int64.min
    private var verdict = Verdict.unknown
    private var told: (share: Double, at: Int64)?
    /// Nanoseconds of media that the feed took in faster than real time; less than nothing while none came. Those of a
    /// burst are forgotten as fast as real time.
    private var burst: Int64 = 0
    private var last: (at: Int64, place: Place)?
    /// Frames of bursts that were skipped.
    private var excused = 0
    /// Nanoseconds of media at once that a line is to take: a source may be four seconds ahead, and a feed keeps six.
    private static let longestBurst: Int64 = 4_000_000_000

    init() { looks.reserveCapacity(Int(Self.window / Self.interval) + 3) }

    /// When to look again.
    static func next(after now: Int64) -> Int64 { (now / interval + 1) * interval }

    /// - Parameter place: Evaluated only when a look is due.
    /// - Returns: What is news, and when to look again.
    mutating func look(_ place: @autoclosure () -> Place, now: Int64) -> (change: Change?, next: Int64) {
        guard now >= nextLook else { return (nil, nextLook) }
        nextLook = Self.next(after: now)
        return (judge(withoutBursts(place(), now: now), now: now), nextLook)
    }

    private mutating func withoutBursts(_ place: Place, now: Int64) -> Place {
        if let last, let end = place.end, let former = last.place.end {
            let time = now - last.at
            // A feed whose frames paused goes on as much later: that is no burst.
            burst += (end - former) * 100_000 / 9 - time
            if burst > 0 { burst = max(0, burst - time) } else if end != former { burst = min(0, burst + time / 10) }
            if burst > Self.longestBurst { excused += place.skipped - last.place.skipped }
        }
        last = (now, place)
        var rest = place
        rest.fed -= excused
        rest.skipped -= excused
        return rest
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
