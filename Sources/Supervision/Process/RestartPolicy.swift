import MediaTypes

/// Decides how long to wait before a process that ended is restarted: not at all at first, then longer each time. It
/// never gives up.
///
/// A pause is a random value between half of a bound and the bound, and the bound doubles after each pause. The random
/// value keeps many processes that lost the same network from returning at the same moment.
package struct RestartPolicy: Sendable, Hashable {
    /// How many times in a row the process is restarted without a pause.
    package var immediateRestarts: Int
    /// The shortest pause after the immediate restarts.
    package var shortestPause: Duration = .milliseconds(250)
    /// The upper bound of the first pause.
    package var firstBound: Duration
    /// The longest pause.
    package var longestPause: Duration = .seconds(30)
    /// How long a process has to deliver before it ends, so that earlier ends no longer count.
    package var forgivenAfter: Duration
    /// Like ``forgivenAfter``, for a process that read its file to the end. A shorter file counts as a failure, so that
    /// it is not restarted without a pause forever.
    package static let forgivenAfterEndOfFile = Duration.seconds(1)

    /// How many times the process has ended since it last delivered for ``forgivenAfter``.
    private var recentEnds = 0

    /// For the publisher of a target. If a platform refuses, the service asks no more often than a person would.
    package static let publisher = RestartPolicy(
        immediateRestarts: 1, firstBound: .seconds(1), forgivenAfter: .seconds(30))
    /// For a pull. Its server may refuse or drop the connection, as a platform may.
    package static let pull = RestartPolicy(immediateRestarts: 1, firstBound: .seconds(1), forgivenAfter: .seconds(30))
    /// For an encoder. Every pause is a gap in the stream, so it is restarted without a pause several times in a row.
    package static let encoder = RestartPolicy(immediateRestarts: 4, forgivenAfter: .seconds(2))
    /// For a relay. When a sender disconnects, the relay that listened for it ends, and has to listen again at once.
    package static let relay = RestartPolicy(immediateRestarts: 2, forgivenAfter: .seconds(1))

    package init(immediateRestarts: Int, firstBound: Duration = .milliseconds(500), forgivenAfter: Duration) {
        self.immediateRestarts = immediateRestarts
        self.firstBound = firstBound
        self.forgivenAfter = forgivenAfter
    }

    /// Records that the process ended, and returns the pause before its next start.
    ///
    /// - Parameters:
    ///   - healthyFor: How long the process delivered before it ended.
    ///   - reachedEndOfFile: Whether the process read its file to the end.
    package mutating func delayAfterEnd(
        healthyFor: Duration, reachedEndOfFile: Bool = false, random: inout some RandomNumberGenerator
    ) -> Duration {
        let allowance = reachedEndOfFile ? min(forgivenAfter, Self.forgivenAfterEndOfFile) : forgivenAfter
        if healthyFor >= allowance { recentEnds = 0 }
        recentEnds += 1
        guard recentEnds > immediateRestarts else { return .zero }
        let doublings = min(recentEnds - immediateRestarts - 1, 20)
        let bound = max(shortestPause, min(longestPause, firstBound * (1 << doublings)))
        let bounds = max(shortestPause, bound / 2).wholeMilliseconds...bound.wholeMilliseconds
        let milliseconds = Int.random(in: bounds, using: &random)
        return .milliseconds(milliseconds)
    }
}
