import Synchronization

/// Limits how often a repeated line is logged: the first time at once, then once a minute.
///
/// A target that refuses and a disk that is read only are retried indefinitely, and each attempt ends with the same
/// line.
final class LineFold: Sendable {
    private struct Line {
        var loggedAt: ContinuousClock.Instant
        /// How many equal lines were left out since.
        var folded = 0
    }

    private let lines = Mutex<[String: Line]>([:])

    private static let span = Duration.seconds(60)
    /// The number of different lines that are remembered.
    private static let most = 16

    /// Counts a line.
    ///
    /// - Returns: How many equal lines were left out since the last one that was logged. `nil` if this line is left
    ///   out, too.
    func note(_ text: String, now: ContinuousClock.Instant) -> Int? {
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
