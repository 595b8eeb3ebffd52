import EventLoop

/// Limits how often an event is reported, so that clients and senders cannot fill the log by causing it repeatedly: a
/// few in a span of time are reported one by one, and the others as a number.
///
/// Pure; times are nanoseconds of any clock that does not go back.
package struct ReportLimit: Sendable {
    private var spanStart: Int64?
    private var reported = 0
    private var suppressed = 0

    private static let span: Int64 = 60_000_000_000
    private static let maximumPerSpan = 5

    package init() {}

    /// Counts an event that happens now.
    ///
    /// - Returns: The number of events that were suppressed before this one, if this one is to be reported.
    package mutating func note() -> Int? { note(now: EventLoop.now()) }

    /// Counts an event.
    ///
    /// - Returns: The number of events that were suppressed before this one, if this one is to be reported.
    mutating func note(now: Int64) -> Int? {
        if now - (spanStart ?? .min / 2) >= Self.span { (spanStart, reported) = (now, 0) }
        guard reported < Self.maximumPerSpan else {
            suppressed += 1
            return nil
        }
        reported += 1
        defer { suppressed = 0 }
        return suppressed
    }
}
