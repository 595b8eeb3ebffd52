import TransportStream

/// Tells an encoder that is too slow to keep real time from one that catches up.
///
/// An encoder that resumed begins behind its source, by what was replayed to it; what counts is that it gets nearer.
/// Pure; times are nanoseconds of any clock that does not go back.
struct LagWatch {
    /// Ticks behind its source from which on an encoder that does not catch up is too slow: less than half of what a
    /// feed keeps, so that the next one finds everything that is missing.
    static let most = 5 * Ticks.perSecond / 2
    /// Ticks behind that are every encoder's right.
    private static let little = Ticks.perSecond
    /// Nanoseconds between two looks.
    private static let interval: Int64 = 1_000_000_000

    enum Change: Hashable {
        /// It falls behind further and further.
        case tooSlow
        /// It was too slow, and has caught up.
        case keepsUp
    }

    private var lastLook: Int64?
    private var lagThen: Int64 = 0
    private var isTooSlow = false

    /// - Parameter lag: Ticks from the newest picture that went out to the newest one that came in.
    /// - Returns: What is news, and when to look again.
    mutating func look(lag: Int64, now: Int64) -> (change: Change?, next: Int64) {
        if let lastLook, now - lastLook < Self.interval { return (nil, lag > Self.little || isTooSlow ? lastLook + Self.interval : .max) }
        defer {
            lastLook = now
            lagThen = lag
        }
        var change: Change?
        if isTooSlow, lag <= Self.little {
            (isTooSlow, change) = (false, .keepsUp)
        } else if !isTooSlow, lastLook != nil, lag > Self.most, lag >= lagThen, lagThen > Self.little {
            // What it was given at once since the last look says nothing of its pace.
            (isTooSlow, change) = (true, .tooSlow)
        }
        return (change, lag > Self.little || isTooSlow ? now + Self.interval : .max)
    }
}
