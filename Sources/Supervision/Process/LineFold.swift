import Synchronization

/// Which lines that come again and again are logged: the first at once, then one a minute.
///
/// A target that refuses and a disk that is read only are retried indefinitely, and each attempt ends with the same
/// words.
final class LineFold: Sendable {
    private struct Line {
        var loggedAt: ContinuousClock.Instant
        /// How often it came since.
        var folded = 0
    }

    private let lines = Mutex<[String: Line]>([:])

    private static let span = Duration.seconds(60)
    /// Different lines that are remembered.
    private static let most = 16

    /// A line comes.
    ///
    /// - Returns: How many like it were left out since it was last logged; `nil` when it is to be left out too.
    func note(_ text: String, now: ContinuousClock.Instant = .now) -> Int? {
        lines.withLock { lines in
            if let line = lines[text], now - line.loggedAt < Self.span {
                lines[text] = Line(loggedAt: line.loggedAt, folded: line.folded + 1)
                return nil
            }
            let folded = lines[text]?.folded ?? 0
            if lines.count >= Self.most { lines = lines.filter { now - $0.value.loggedAt < Self.span } }
            if lines.count >= Self.most { lines = [:] }
            lines[text] = Line(loggedAt: now)
            return folded
        }
    }
}
