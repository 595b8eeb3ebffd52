/// Detects an encoder that is too slow for real time.
///
/// How far an encoder is behind does not show its pace: a source may give seconds at once, and an encoder that resumed
/// begins behind its source. The pace shows only while there is a backlog, because then only the encoder itself limits
/// its output. It is too slow when it is far behind, gives less media than time passes, and does not catch up.
///
/// Pure; times are nanoseconds of any clock that does not go back.
struct PaceWatch {
    /// How much more an encoder got than it has to hold.
    enum Backlog: Hashable {
        /// Too little to show its pace.
        case none
        case some
        /// So much that media of the source would be lost if it continued to grow.
        case much
    }

    /// The place of an encoder in its source's media.
    struct Place {
        var backlog: Backlog
        /// Nanoseconds of media from the last output to the last input.
        var lag: Int64
        /// Nanoseconds of media that have come out, counted from any fixed moment.
        var given: Int64
        /// How often its input skipped media.
        var jumps = 0
    }

    enum Change: Hashable {
        /// The encoder falls further and further behind.
        case tooSlow
        /// The encoder was too slow, and has had no backlog for a while.
        case keepsUp
    }

    /// Nanoseconds between two looks.
    let interval: Int64

    private struct Look {
        var at: Int64
        var place: Place
    }

    /// Looks since the present backlog began, the newest last.
    private var looks: [Look] = []
    private var lastLook: Int64?
    private var jumps = 0
    private var calmSince: Int64?
    private var isTooSlow = false

    /// Looks of a measurement. A pace that is far too low shows from one look to the next.
    private static let window = 3
    /// Percent of real time below which an encoder does not catch up.
    private static let enough: Int64 = 105
    /// Percent of real time below which an encoder is too slow at once.
    private static let veryLittle: Int64 = 50
    /// Nanoseconds by which the lag has to shrink to count as catching up.
    private static let nearer: Int64 = 100_000_000
    /// Looks without a backlog after which a slow encoder counts as keeping up.
    private static let calm: Int64 = 5

    init(interval: Int64) { self.interval = interval }

    /// - Returns: A change, and when to look again.
    mutating func look(_ place: Place, now: Int64) -> (change: Change?, next: Int64) {
        if let lastLook, now - lastLook < interval { return (nil, isWatching ? lastLook + interval : .max) }
        let gap = now - (lastLook ?? now)
        lastLook = now
        let hasJumped = place.jumps != jumps
        jumps = place.jumps
        // Skipped media gave no output, and the time in which the service itself did not run is unknown.
        if hasJumped || gap >= 2 * interval || place.backlog == .none { looks = [] }
        if hasJumped || place.backlog != .none { calmSince = nil }
        guard place.backlog != .none else { return (noteCalm(now), isWatching ? now + interval : .max) }
        looks.append(Look(at: now, place: place))
        if looks.count > Self.window { looks.removeFirst() }
        guard !isTooSlow, place.backlog == .much, isFallingBehind else { return (nil, now + interval) }
        isTooSlow = true
        return (.tooSlow, now + interval)
    }

    private var isWatching: Bool { !looks.isEmpty || isTooSlow }

    private mutating func noteCalm(_ now: Int64) -> Change? {
        let since = calmSince ?? now
        calmSince = since
        guard isTooSlow, now - since >= Self.calm * interval else { return nil }
        isTooSlow = false
        return .keepsUp
    }

    private var isFallingBehind: Bool {
        guard looks.count > 1, let last = looks.last else { return false }
        if isFallingBehind(from: looks[looks.count - 2], to: last, percent: Self.veryLittle) { return true }
        return looks.count == Self.window && isFallingBehind(from: looks[0], to: last, percent: Self.enough)
    }

    private func isFallingBehind(from first: Look, to last: Look, percent: Int64) -> Bool {
        guard last.place.lag > first.place.lag - Self.nearer else { return false }
        return last.place.given - first.place.given < (last.at - first.at) * percent / 100
    }
}
