import EventLoop

/// Which of the things that somebody outside can bring about again and again are told one by one, so that nobody can
/// fill a log: a few in a span of time, the others as a number.
///
/// Pure; times are nanoseconds of any clock that does not go back.
package struct ReportLimit: Sendable {
    private var began: Int64?
    private var told = 0
    private var unsaid = 0

    private static let span: Int64 = 60_000_000_000
    private static let most = 5

    package init() {}

    /// It happened now.
    ///
    /// - Returns: How many before it were left unsaid, when it is to be told.
    package mutating func note() -> Int? { note(now: EventLoop.now()) }

    /// It happened.
    ///
    /// - Returns: How many before it were left unsaid, when it is to be told.
    mutating func note(now: Int64) -> Int? {
        if now - (began ?? .min / 2) >= Self.span { (began, told) = (now, 0) }
        guard told < Self.most else {
            unsaid += 1
            return nil
        }
        told += 1
        defer { unsaid = 0 }
        return unsaid
    }
}
