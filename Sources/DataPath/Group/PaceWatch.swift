/// Tells an encoder that is too slow for real time from one that works off what came at once.
///
/// What an encoder is behind says nothing of its pace: a source may give seconds at once, and an encoder that resumed
/// begins behind its source. Its pace shows only while it has a backlog, for then nothing but the encoder itself keeps
/// it from giving more. It is too slow when it is far behind, gives less media than time passes, and gets no nearer.
///
/// Pure; times are nanoseconds of any clock that does not go back.
struct PaceWatch {
    /// How much more an encoder was given than it has to hold.
    enum Backlog: Hashable {
        /// Nothing that would show its pace.
        case none
        case some
        /// So much that the source's media would be lost if that went on.
        case much
    }

    /// Where an encoder is.
    struct Place {
        var backlog: Backlog
        /// Nanoseconds of media from what came out last to what came in last.
        var lag: Int64
        /// Nanoseconds of media that have come out, since any moment.
        var given: Int64
        /// How often its input jumped over media, which it was not given then.
        var jumps = 0
    }

    enum Change: Hashable {
        /// It falls behind further and further.
        case tooSlow
        /// It was too slow, and has had no backlog for a while.
        case keepsUp
    }

    /// Nanoseconds between two looks.
    let interval: Int64

    private struct Look {
        var at: Int64
        var place: Place
    }

    /// Looks at the present backlog, the newest last.
    private var looks: [Look] = []
    private var lastLook: Int64?
    private var jumps = 0
    private var calmSince: Int64?
    private var isTooSlow = false

    /// Looks over which a pace is measured. One that is far too low shows from one to the next.
    private static let window = 3
    /// Percent of real time below which an encoder does not catch up.
    private static let enough: Int64 = 105
    /// Percent of real time below which it does so little that it is not waited for.
    private static let veryLittle: Int64 = 50
    /// Nanoseconds by which it has to come nearer to count as catching up.
    private static let nearer: Int64 = 100_000_000
    /// Looks without a backlog after which one that was too slow keeps up.
    private static let calm: Int64 = 5

    init(interval: Int64) { self.interval = interval }

    /// - Returns: What is news, and when to look again.
    mutating func look(_ place: Place, now: Int64) -> (change: Change?, next: Int64) {
        if let lastLook, now - lastLook < interval { return (nil, isWatching ? lastLook + interval : .max) }
        let gap = now - (lastLook ?? now)
        lastLook = now
        let hasJumped = place.jumps != jumps
        jumps = place.jumps
        // It gave nothing of what was jumped over; and what happened while the service itself did not run is not known.
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
