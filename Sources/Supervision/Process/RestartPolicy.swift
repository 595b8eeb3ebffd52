import MediaTypes

/// When a process that ended is started again: at once at first, then after growing pauses, indefinitely.
///
/// A pause is a random value between half of a bound and the bound, and the bound doubles. So pauses grow, and many
/// publishers that lost the same network do not return at the same moment.
package struct RestartPolicy: Sendable, Hashable {
    /// How many ends in a row are followed by a start at once.
    package var burst: Int
    /// The shortest pause after the burst.
    package var floor: Duration = .milliseconds(250)
    /// The bound of the first pause after the burst.
    package var base: Duration
    /// The longest pause.
    package var cap: Duration = .seconds(30)
    /// Earlier ends are forgotten after a process was healthy for this long.
    package var forgivenAfter: Duration
    /// The same for a process that reached the end of its file. A shorter file is no source.
    package static let completeAfter = Duration.seconds(1)

    private var ends = 0

    /// For a publisher. A platform that refuses is not asked more often than a person would.
    package static let publisher = RestartPolicy(burst: 1, base: .seconds(1), forgivenAfter: .seconds(30))
    /// For a pull. Its server may refuse or cut it off, as a publisher's may.
    package static let pull = RestartPolicy(burst: 1, base: .seconds(1), forgivenAfter: .seconds(30))
    /// For an encoder. Every pause is a gap, so it starts again at once several times in a row.
    package static let encoder = RestartPolicy(burst: 4, forgivenAfter: .seconds(2))
    /// For a relay. A listener that served its publisher is needed again at once.
    package static let relay = RestartPolicy(burst: 2, forgivenAfter: .seconds(1))

    package init(burst: Int, base: Duration = .milliseconds(500), forgivenAfter: Duration) {
        self.burst = burst
        self.base = base
        self.forgivenAfter = forgivenAfter
    }

    /// The pause before the next start.
    ///
    /// - Parameters:
    ///   - healthyFor: How long the process delivered before it ended.
    ///   - isComplete: It reached the end of its file.
    package mutating func pause(
        healthyFor: Duration, isComplete: Bool = false, random: inout some RandomNumberGenerator
    ) -> Duration {
        if healthyFor >= forgivenAfter || isComplete && healthyFor >= Self.completeAfter { ends = 0 }
        ends += 1
        guard ends > burst else { return .zero }
        let doublings = min(ends - burst - 1, 20)
        let bound = max(floor, min(cap, base * (1 << doublings)))
        let bounds = max(floor, bound / 2).wholeMilliseconds...bound.wholeMilliseconds
        let milliseconds = Int.random(in: bounds, using: &random)
        return .milliseconds(milliseconds)
    }
}
