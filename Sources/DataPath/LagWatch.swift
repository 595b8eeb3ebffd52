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

    private var lastLook: Int64?
    private var lagThen: Int64 = 0

    /// - Parameter lag: Ticks from the newest picture that went out to the newest one that came in.
    /// - Returns: Whether it is too slow, told once a look, and when to look again.
    mutating func look(lag: Int64, now: Int64) -> (isSlow: Bool, next: Int64) {
        if let lastLook, now - lastLook < Self.interval { return (false, lag > Self.little ? lastLook + Self.interval : .max) }
        defer {
            lastLook = now
            lagThen = lag
        }
        let isSlow = lastLook != nil && lag > Self.most && lag >= lagThen
        return (isSlow, lag > Self.little ? now + Self.interval : .max)
    }
}
