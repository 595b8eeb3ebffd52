/// When a process that ended is started again: at once at first, then after pauses that grow, and for ever.
///
/// Pauses are drawn evenly between half of a bound that doubles and the bound: they grow, and many publishers that
/// lost the same network do not come back in step.
package struct RestartPolicy: Sendable, Hashable {
    /// Ends in a row that are answered at once.
    package var burst: Int
    /// The shortest pause behind the burst.
    package var floor: Duration = .milliseconds(250)
    /// The bound of the first pause behind the burst.
    package var base: Duration
    /// The longest pause.
    package var cap: Duration = .seconds(30)
    /// A process that was healthy for so long has its earlier ends forgiven.
    package var forgivenAfter: Duration
    /// The same for one that came to the end of its file: a file that is shorter than this is no source.
    package static let completeAfter = Duration.seconds(1)

    private var ends = 0

    /// A publisher: a platform that refuses is not to be asked more often than a person would.
    package static let publisher = RestartPolicy(burst: 1, base: .seconds(1), forgivenAfter: .seconds(30))
    /// A pull: its server may refuse or cut it off, as a publisher's may.
    package static let pull = RestartPolicy(burst: 1, base: .seconds(1), forgivenAfter: .seconds(30))
    /// An encoder: every pause is a hole, so several ends in a row are answered at once.
    package static let encoder = RestartPolicy(burst: 4, forgivenAfter: .seconds(2))
    /// A relay: a listener that served its publisher is needed again at once.
    package static let relay = RestartPolicy(burst: 2, forgivenAfter: .seconds(1))

    package init(burst: Int, base: Duration = .milliseconds(500), forgivenAfter: Duration) {
        self.burst = burst
        self.base = base
        self.forgivenAfter = forgivenAfter
    }

    /// The pause before the next start.
    ///
    /// - Parameters:
    ///   - healthyFor: How long the process did its work before it ended.
    ///   - isComplete: It came to the end of its file.
    package mutating func pause(
        healthyFor: Duration, isComplete: Bool = false, random: inout some RandomNumberGenerator
    ) -> Duration {
        if healthyFor >= forgivenAfter || isComplete && healthyFor >= Self.completeAfter { ends = 0 }
        ends += 1
        guard ends > burst else { return .zero }
        let doublings = min(ends - burst - 1, 20)
        let bound = max(floor, min(cap, base * (1 << doublings)))
        let milliseconds = Int64.random(in: max(floor, bound / 2).milliseconds...bound.milliseconds, using: &random)
        return .milliseconds(milliseconds)
    }
}

extension Duration {
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
