/// Limits how often one publisher replaces another: each change writes lines to the log, even if every client has the
/// key.
///
/// A few changes are free, since connections break. A client that connects repeatedly has to wait. Pure; times are
/// nanoseconds of any clock that does not go back.
struct TakeoverRateLimiter {
    /// When all changes so far are forgotten.
    private var settledAt = Int64.min

    private static let interval: Int64 = 2_000_000_000
    /// Changes in a row that are free.
    private static let freeChanges: Int64 = 5

    /// Counts a change, if it may happen now.
    ///
    /// - Returns: Nanoseconds to wait before asking again; 0 if the change may happen now.
    mutating func take(now: Int64) -> Int64 {
        let next = max(settledAt, now) + Self.interval
        let wait = next - now - Self.freeChanges * Self.interval
        guard wait <= 0 else { return wait }
        settledAt = next
        return 0
    }
}
