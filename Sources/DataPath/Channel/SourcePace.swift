import MPEGTS

/// Holds back a source that runs ahead of real time.
///
/// A source is ahead by the media that it gave since it began, less the time that has passed since then. It may be
/// ahead by `most`: a server sends the last group of pictures at once. A source that was silent may make up for
/// ``mostBehind``: a network delayed its media. The lead shrinks by a hundredth of the time that passes, so that a
/// clock that runs a little fast never adds up. It does not shrink while the source is held back: a playlist whose
/// segments arrive whole would have gaps once the service has caught up with it.
///
/// Pure; times are nanoseconds of any clock that does not go back.
struct SourcePace {
    /// Nanoseconds of media that a source may make up for after a silence, however fast.
    static let mostBehind: Int64 = 30_000_000_000
    /// Shortest wait of a source in nanoseconds: two frames at 30 a second.
    private static let leastWait: Int64 = 60_000_000
    /// Nanoseconds without a wait after which a source is no longer ahead.
    private static let calm: Int64 = 10_000_000_000
    /// The lead shrinks by the time that passes, divided by this.
    private static let forgetting: Int64 = 100
    /// A longer step in a source's time begins another timeline, in ticks.
    private static let longestStep = 10 * Ticks.perSecond
    private static let longestStepBack = Ticks.perSecond / 2

    /// Nanoseconds that a source may be ahead.
    private let most: Int64
    /// The newest decoding time of a frame, on the source's own timeline, in ticks.
    private var newest: Int64?
    /// When the newest frame would have come in real time.
    private var due = Int64.min
    /// When a frame last came.
    private var lastNote: Int64 = 0
    /// The end of the source's last wait.
    private var waitedUntil: Int64 = 0
    /// Whether the source is held back, or was a moment ago.
    private var isAhead = false

    init(most: Int64) {
        self.most = most
    }

    /// The pace of the next source in the same place, which has a timeline of its own. It begins as far ahead as this
    /// one was, so that a file that is fetched repeatedly stays in real time.
    func following() -> SourcePace {
        var next = SourcePace(most: most)
        next.due = due
        return next
    }

    /// Counts a frame.
    ///
    /// - Parameter dts: Its decoding time on the wire.
    /// - Returns: Until when the source has to wait, `nil` where it need not; and whether it is held back, where that
    ///   has changed.
    mutating func note(_ dts: Int64, now: Int64) -> (wait: Int64?, change: Bool?) {
        let before = newest
        let raw = Ticks.extend(dts, near: before ?? dts)
        let step = raw - (before ?? raw)
        if before == nil { due = max(due, now) } else { forget(until: now) }
        lastNote = now
        if step > 0 || step < -Self.longestStepBack || before == nil { newest = raw }
        if step > 0, step <= Self.longestStep { due += step * 100_000 / 9 }
        due = max(due, now - Self.mostBehind)
        guard due - now > most else {
            guard isAhead, now - waitedUntil >= Self.calm else { return (nil, nil) }
            isAhead = false
            return (nil, false)
        }
        defer { isAhead = true }
        waitedUntil = max(due - most, now + Self.leastWait)
        return (waitedUntil, isAhead ? nil : true)
    }

    private mutating func forget(until now: Int64) {
        guard !isAhead, due > now else { return }
        due = max(now, due - (now - lastNote) / Self.forgetting)
    }
}
