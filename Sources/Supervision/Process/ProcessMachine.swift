/// The life of one supervised process, be it a relay, an encoder or a publisher: what is wanted, what is, and what to
/// do next.
///
/// Pure: times and randomness come in, effects go out. The runner of the process carries the effects out and
/// reports what became of them.
package struct ProcessMachine: Sendable {
    /// Where the process stands.
    package enum Actual: Sendable, Hashable {
        /// There is none, and none is coming.
        case idle
        /// It was started and has delivered nothing yet, however long it takes.
        case starting
        /// It does its work.
        case live
        /// It runs and delivers nothing any more.
        case stalled
        /// It was told to end.
        case ending
        /// It ended, and the next one starts after a pause.
        case pausing
    }

    package enum Event: Sendable, Hashable {
        /// The operator, the configuration or the channel wants it to run, or not.
        case want(Bool)
        /// It delivers.
        case delivering
        /// It delivers nothing any more.
        case stalled
        /// It takes its input again. One that is starting need not deliver yet: a target may not be connected.
        case recovered
        /// The time is over that a process had to recover from its stall of this number.
        case patienceOver(stall: Int)
        /// It comes to the end of its file: that it ends is no failure.
        case complete
        /// It has to be another one: other arguments, or another input.
        case replace
        /// What kept it from running may be over: a pause is cut short.
        case hurry
        /// It ended, by itself or because it was told to.
        case ended
        /// The pause behind the start of this number is over.
        case pauseOver(start: Int)
    }

    package enum Effect: Sendable, Hashable {
        /// Start the process.
        case launch
        /// End it, with time to finish what it writes.
        case stop
        /// End it at once: it hangs or is in the way.
        case kill
        /// Report ``Event/pauseOver(start:)`` after this time.
        case pause(Duration, start: Int)
        /// Report ``Event/patienceOver(stall:)`` after this time.
        case bePatient(Duration, stall: Int)
    }

    package private(set) var wanted = false
    package private(set) var actual = Actual.idle
    /// How often a process was started.
    package private(set) var starts = 0

    private var policy: RestartPolicy
    private let stallPatience: Duration
    private let startPatience: Duration?
    private var liveSince: Duration?
    private var stalls = 0
    private var isReplacing = false
    private var isComplete = false
    /// It takes nothing, or gives nothing, and never has.
    private var isStuckAtStart = false
    /// Processes in a row that were killed before they had delivered anything.
    private var fruitless = 0

    /// - Parameter stallPatience: How long a process may be stalled before it is killed; twice as long each time, up to
    ///   eight times, where the one before was killed before it delivered anything: a machine may be slow.
    /// - Parameter startPatience: The same for one that has not delivered yet, such as a publisher that is connecting:
    ///   a peer may take its time where one that has delivered may not. `nil` for `stallPatience`.
    package init(policy: RestartPolicy, stallPatience: Duration, startPatience: Duration? = nil) {
        self.policy = policy
        self.stallPatience = stallPatience
        self.startPatience = startPatience
    }

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
        case (_, .want(let wish)):
            // While it ends, the wish is kept until it has.
            wanted = wish
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
            isComplete = true
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
            let pause = policy.pause(healthyFor: healthyFor, isComplete: isComplete, random: &random)
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
        isComplete = false
        starts += 1
        return [.launch]
    }
}
