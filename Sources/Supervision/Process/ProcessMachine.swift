/// The states of one supervised process, such as a relay or a publisher: whether it is wanted, whether it runs, and
/// what to do next.
///
/// Pure: events, times and random numbers are inputs, and effects are results. ``ProcessRunner`` carries the effects
/// out and reports their results.
package struct ProcessMachine: Sendable {
    /// The state of the process.
    package enum Actual: Sendable, Hashable {
        /// No process runs, and none is about to start.
        case idle
        /// It was started and has delivered nothing yet.
        case starting
        /// It delivers.
        case live
        /// It runs and has stopped delivering.
        case stalled
        /// It was asked to end.
        case ending
        /// It ended, and the next one starts after a pause.
        case pausing
    }

    package enum Event: Sendable, Hashable {
        /// The operator, the configuration or the channel starts or stops it.
        case want(Bool)
        /// It delivers.
        case delivering
        /// It has stopped delivering.
        case stalled
        /// It reads its input again. A process that is starting does not have to deliver yet, because its target may
        /// not be connected.
        case recovered
        /// The time to recover from the stall of this number is over.
        case patienceOver(stall: Int)
        /// It has reached the end of its file, so its exit is no failure.
        case complete
        /// It has to be replaced, because it needs other arguments or another input.
        case replace
        /// The reason for a pause may be gone, so the pause ends early.
        case hurry
        /// It ended, by itself or because it was asked to.
        case ended
        /// The pause after the start of this number is over.
        case pauseOver(start: Int)
    }

    package enum Effect: Sendable, Hashable {
        /// Start the process.
        case launch
        /// End it, with time to finish its output.
        case stop
        /// End it at once, because it hangs or is replaced.
        case kill
        /// Report ``Event/pauseOver(start:)`` after this time.
        case pause(Duration, start: Int)
        /// Report ``Event/patienceOver(stall:)`` after this time.
        case bePatient(Duration, stall: Int)
    }

    package private(set) var wanted = false
    package private(set) var actual = Actual.idle
    /// The number of starts.
    package private(set) var starts = 0

    private var policy: RestartPolicy
    private let stallPatience: Duration
    private let startPatience: Duration?
    private var liveSince: Duration?
    private var stalls = 0
    private var isReplacing = false
    private var reachedEndOfFile = false
    /// Whether it has stalled before it delivered anything.
    private var isStuckAtStart = false
    /// How many processes in a row were killed before they delivered anything.
    private var fruitless = 0

    /// - Parameters:
    ///   - stallPatience: How long a process may be stalled before it is killed. The limit doubles, up to eight times,
    ///     each time that the process before was killed before it delivered anything: a machine may be slow.
    ///   - startPatience: The limit for a process that has not delivered yet, such as a publisher that is connecting: a
    ///     peer may need longer to accept than to read. `nil` for `stallPatience`.
    package init(policy: RestartPolicy, stallPatience: Duration, startPatience: Duration? = nil) {
        self.policy = policy
        self.stallPatience = stallPatience
        self.startPatience = startPatience
    }

    // Longer than other functions: all transitions are in one exhaustive switch, where they can be compared.
    /// - Parameter now: Time since any fixed moment, on a clock that does not go back.
    package mutating func handle(_ event: Event, now: Duration, random: inout some RandomNumberGenerator) -> [Effect] {
        switch (actual, event) {
        case (.idle, .want(true)):
            wanted = true
            return launch()
        case (.pausing, .want(false)):
            wanted = false
            actual = .idle
            return []
        case (.starting, .want(false)), (.live, .want(false)), (.stalled, .want(false)):
            wanted = false
            actual = .ending
            return [.stop]
        case (_, .want(let isWanted)):
            // While the process ends, the request is kept for later.
            wanted = isWanted
            return []

        case (.starting, .delivering), (.stalled, .delivering):
            if liveSince == nil { liveSince = now }
            fruitless = 0
            isStuckAtStart = false
            actual = .live
            return []
        case (.live, .delivering), (.idle, .delivering), (.ending, .delivering), (.pausing, .delivering):
            return []

        case (.starting, .recovered):
            isStuckAtStart = false
            return []
        case (.stalled, .recovered):
            actual = .live
            return []
        case (.live, .recovered), (.idle, .recovered), (.ending, .recovered), (.pausing, .recovered):
            return []

        case (.starting, .stalled) where !isStuckAtStart:
            isStuckAtStart = true
            stalls += 1
            return [.bePatient(startPatience ?? stallPatience * (1 << min(fruitless, 3)), stall: stalls)]
        case (.starting, .stalled):
            return []
        case (.live, .stalled):
            actual = .stalled
            stalls += 1
            return [.bePatient(stallPatience, stall: stalls)]
        case (.idle, .stalled), (.stalled, .stalled), (.ending, .stalled), (.pausing, .stalled):
            return []

        case (.stalled, .patienceOver(let stall)) where stall == stalls:
            actual = .ending
            return [.kill]
        case (.starting, .patienceOver(let stall)) where stall == stalls && isStuckAtStart:
            actual = .ending
            fruitless += 1
            return [.kill]
        case (_, .patienceOver):
            return []

        case (_, .complete):
            reachedEndOfFile = true
            return []

        case (.starting, .replace), (.live, .replace), (.stalled, .replace):
            actual = .ending
            isReplacing = true
            return [.kill]
        case (.idle, .replace), (.ending, .replace), (.pausing, .replace):
            return []

        case (.pausing, .hurry):
            return launch()
        case (_, .hurry):
            return []

        case (.starting, .ended), (.live, .ended), (.stalled, .ended), (.ending, .ended):
            let healthyFor = liveSince.map { now - $0 } ?? .zero
            defer {
                liveSince = nil
                isReplacing = false
            }
            guard wanted else {
                actual = .idle
                return []
            }
            if isReplacing { return launch() }
            let pause = policy.delayAfterEnd(
                healthyFor: healthyFor, reachedEndOfFile: reachedEndOfFile, random: &random)
            if pause == .zero { return launch() }
            actual = .pausing
            return [.pause(pause, start: starts)]
        case (.idle, .ended), (.pausing, .ended):
            return []

        case (.pausing, .pauseOver(let start)) where start == starts:
            return launch()
        case (_, .pauseOver):
            return []
        }
    }

    private mutating func launch() -> [Effect] {
        actual = .starting
        isStuckAtStart = false
        reachedEndOfFile = false
        starts += 1
        return [.launch]
    }
}
