/// How often the publisher's place changes hands: each time costs lines in the log, also where everybody has the key.
///
/// A few times cost nothing, since lines break; whoever comes again and again waits. Pure; times are nanoseconds of any
/// clock that does not go back.
struct TakeoverRateLimiter {
    /// When all that was taken is forgotten.
    private var rested = Int64.min

    private static let interval: Int64 = 2_000_000_000
    /// In a row, that cost nothing.
    private static let free: Int64 = 5

    /// Somebody wants the place.
    ///
    /// - Returns: How long it has to wait and ask again, in nanoseconds; with 0 it has the place.
    mutating func take(now: Int64) -> Int64 {
        let next = max(rested, now) + Self.interval
        let wait = next - now - Self.free * Self.interval
        guard wait <= 0 else { return wait }
        rested = next
        return 0
    }
}
