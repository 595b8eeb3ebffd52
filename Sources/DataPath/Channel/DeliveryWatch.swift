/// Detects a target that takes less than the stream.
///
/// A target is slow when it skipped more frames than the slack within the last window. It is not slow where its line
/// was slow for a moment and it catches up from the feed. It stays slow until a whole window has passed in which it
/// skipped nothing and fell no further behind: a line that carries 97 % skips once in minutes, and is slow in between.
///
/// Frames of a burst that a target skips do not count. Where a source gives at once half a minute that a network
/// delayed, no line for real time takes it before the feed has discarded it.
///
/// Pure; times are nanoseconds of any clock that does not go back.
struct DeliveryWatch {
    /// Nanoseconds of a measurement: several groups of pictures, and several times what a feed keeps.
    static let window: Int64 = 30_000_000_000
    /// Nanoseconds from one look to the next. Looks of all targets fall on the same moments, and cost one wake-up.
    static let interval: Int64 = 1_000_000_000
    /// Shortest time between two reports of a share in nanoseconds, so that the text of a problem does not change with
    /// every look.
    static let reportInterval: Int64 = 10_000_000_000
    /// The slack is the number of frames of a window divided by this, and at least so many frames at a low rate.
    private static let slackDivisor = 100
    private static let leastSlack = 2

    enum Change: Hashable {
        /// The share of the stream that reaches the target, from 0 to less than 1.
        case slow(share: Double)
        /// For a whole window, everything has arrived.
        case complete
    }

    /// The place of a target in its feed, in frames since the feed began.
    struct Place {
        /// Frames that entered the feed.
        var fed: Int
        /// Frames of the feed that the target has not got yet.
        var behind: Int
        /// Frames that the target skipped.
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
    private var reported: (share: Double, at: Int64)?
    /// Nanoseconds of media that entered the feed faster than real time; negative while none came. The value of a burst
    /// shrinks as fast as real time.
    private var burst: Int64 = 0
    private var last: (at: Int64, place: Place)?
    /// Skipped frames of bursts.
    private var excused = 0
    /// Nanoseconds of media at once that a line has to take: a source may be four seconds ahead, and a feed keeps six.
    private static let longestBurst: Int64 = 4_000_000_000

    init() { looks.reserveCapacity(Int(Self.window / Self.interval) + 3) }

    /// When to look again.
    static func next(after now: Int64) -> Int64 { (now / interval + 1) * interval }

    /// - Parameter place: Evaluated only when a look is due.
    /// - Returns: A change, and when to look again.
    mutating func look(_ place: @autoclosure () -> Place, now: Int64) -> (change: Change?, next: Int64) {
        guard now >= nextLook else { return (nil, nextLook) }
        nextLook = Self.next(after: now)
        return (judge(withoutBursts(place(), now: now), now: now), nextLook)
    }

    private mutating func withoutBursts(_ place: Place, now: Int64) -> Place {
        if let last, let end = place.end, let former = last.place.end {
            let time = now - last.at
            // After a pause of the frames, a feed continues with times that are as much later. That is no burst.
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
        // One look that is as old as the window stays: the difference to it is the window's.
        while looks.count > 2, now - looks[1].at >= Self.window { looks.removeFirst() }
        let start = looks[0]
        let fed = place.fed - start.place.fed
        let skipped = place.skipped - start.place.skipped
        // Frames by which the target fell behind have not arrived either, and frames that it caught up have.
        let missing = skipped + place.behind - start.place.behind
        let slack = max(fed / Self.slackDivisor, Self.leastSlack)
        if skipped > slack || (verdict == .slow && (skipped > 0 || missing > slack)) {
            // In whole percent, rounded down: an incomplete stream is never at a hundred.
            let percent = fed > 0 ? (fed - missing) * 100 / fed : 0
            return reportSlow(Double(min(max(percent, 0), 99)) / 100, now: now)
        }
        guard now - start.at >= Self.window, skipped == 0, missing <= slack, verdict != .complete else { return nil }
        verdict = .complete
        reported = nil
        return .complete
    }

    private mutating func reportSlow(_ share: Double, now: Int64) -> Change? {
        verdict = .slow
        if let reported, reported.share == share || now - reported.at < Self.reportInterval { return nil }
        reported = (share: share, at: now)
        return .slow(share: share)
    }
}
