/// The generations of one encoder: whether it is wanted, which generation has the output, and which takes over.
///
/// When a generation ends, the next one begins where the output ends. A planned handover starts the next generation
/// while the present one runs, and the next one takes over ahead of it.
///
/// Pure: events, times and random numbers are inputs, and effects are results. ``EncoderSession`` carries the effects
/// out.
package struct GroupMachine: Sendable {
    /// The number of a generation. No number is used twice.
    package typealias Generation = Int

    /// The state of the generation that has the output.
    package enum Actual: Sendable, Hashable {
        /// No encoder runs, and none is about to start.
        case idle
        /// It was started and has given no frame yet.
        case starting
        case live
        /// It was asked to end.
        case ending
        /// It ended, and the next one starts after a pause.
        case pausing
    }

    package enum Event: Sendable, Hashable {
        /// The operator, the configuration or the channel starts or stops the encoder.
        case want(Bool)
        /// A generation's first frame is in the output.
        case delivering(Generation)
        /// A generation reads frames and delivers none, or it fell behind and was cut off from the feed.
        case stalled(Generation)
        /// The generation in use cannot continue. The next one starts after it has ended.
        case replace(HandoverCause)
        /// Another generation should take over from the one in use, which works.
        case handOver(HandoverCause)
        /// A generation ended, by itself or because it was asked to.
        case ended(Generation, HandoverCause)
        /// The pause after this generation is over.
        case pauseOver(Generation)
    }

    package enum Effect: Sendable, Hashable {
        /// Start a generation where the output ends.
        case launch(Generation, HandoverCause?)
        /// Start a generation that takes over ahead of the one that runs.
        case launchAhead(Generation, HandoverCause)
        /// The generation has the output from now on.
        case promote(Generation)
        /// End a generation, with time to write the frames that it has.
        case stop(Generation)
        /// End a generation at once: it hangs, or its frames are not needed.
        case kill(Generation)
        /// Report ``Event/pauseOver(_:)`` after this time.
        case pause(Duration, Generation)
    }

    package private(set) var wanted = false
    package private(set) var actual = Actual.idle
    /// The generation that writes the feed, or wrote it last. 0 before the first.
    package private(set) var current: Generation = 0
    /// The generation that is about to take over.
    package private(set) var successor: Generation?
    /// A former successor that was asked to end. The next one starts after its end, because the output takes one
    /// successor at a time.
    private var dropped: Generation?
    /// Why that next successor has to start. `nil` if none has to.
    private var next: HandoverCause?
    /// Why the running encoder has to be replaced although it works. `nil` if it does not have to. If a successor
    /// fails, another one is started.
    private var owed: HandoverCause?
    /// The successor that ended before it took over, and after which the pause runs.
    private var failed: Generation?

    /// Generations in a row that stalled before their first frame.
    package private(set) var fruitless = 0

    private var policy: RestartPolicy
    /// The restart policy for successors. The end of a successor leaves no gap in the feed.
    private var successorPolicy: RestartPolicy
    private var newest: Generation = 0
    private var liveSince: Duration?
    /// Why the current generation was asked to end although an encoder is wanted.
    private var replacing: (cause: HandoverCause, pauses: Bool)?

    package init(policy: RestartPolicy) {
        self.policy = policy
        successorPolicy = policy
    }

    // Longer than other functions: all transitions are in one exhaustive switch, where they can be compared.
    /// - Parameter now: Time since any fixed moment, on a clock that does not go back.
    package mutating func handle(_ event: Event, now: Duration, random: inout some RandomNumberGenerator) -> [Effect] {
        switch (actual, event) {
        case (.idle, .want(true)):
            wanted = true
            return launch(nil)
        case (.pausing, .want(false)):
            wanted = false
            actual = .idle
            return []
        case (.starting, .want(false)), (.live, .want(false)):
            wanted = false
            actual = .ending
            next = nil
            // Both still write the frames that they have received: the output may already be split between them.
            return [current, successor].compactMap { $0.map { .stop($0) } }
        case (_, .want(let isWanted)):
            // While the encoder ends, the request is kept for later.
            wanted = isWanted
            return []

        case (.starting, .delivering(let generation)) where generation == current:
            actual = .live
            liveSince = now
            fruitless = 0
            return [.promote(current)]
        case (.starting, .delivering(let generation)) where generation == successor,
            (.live, .delivering(let generation)) where generation == successor:
            let former = current
            current = generation
            successor = nil
            owed = nil
            actual = .live
            liveSince = now
            fruitless = 0
            return [.promote(current), .kill(former)]
        case (_, .delivering):
            return []

        case (.starting, .stalled(let generation)) where generation == current,
            (.live, .stalled(let generation)) where generation == current:
            if actual == .starting { fruitless += 1 }
            return replace(.stall, pauses: true)
        case (.starting, .stalled(let generation)) where generation == successor,
            (.live, .stalled(let generation)) where generation == successor:
            // Its end shows whether the generation in use can continue.
            return [.kill(generation)]
        case (_, .stalled):
            return []

        case (.starting, .replace(let cause)), (.live, .replace(let cause)):
            return replace(cause, pauses: false)
        case (.idle, .replace), (.ending, .replace), (.pausing, .replace):
            // The next generation starts with the settings of that moment.
            return []

        case (.live, .handOver(let cause)):
            if cause.isOwed { owed = cause }
            guard dropped != nil || successor != nil else { return launchAhead(cause) }
            next = cause
            return dropSuccessor()
        case (.starting, .handOver(let cause)):
            // The generation in use has given nothing that could be handed over.
            return replace(cause, pauses: false)
        case (.pausing, .handOver(let cause)):
            // The reason for the pause may be over.
            return launch(cause)
        case (.idle, .handOver), (.ending, .handOver):
            return []

        case (.ending, .ended(let generation, _)) where generation == current && successor != nil:
            current = successor!
            successor = nil
            return []
        case (.starting, .ended(let generation, let cause)) where generation == current,
            (.live, .ended(let generation, let cause)) where generation == current,
            (.ending, .ended(let generation, let cause)) where generation == current:
            return follow(cause, now: now, random: &random)
        case (_, .ended(let generation, _)) where generation == dropped:
            dropped = nil
            guard actual == .live, let cause = next else { return [] }
            return launchAhead(cause)
        case (_, .ended(let generation, _)) where generation == successor:
            successor = nil
            guard actual == .live, let owed else { return [] }
            let pause = successorPolicy.delayAfterEnd(healthyFor: .zero, random: &random)
            guard pause > .zero else { return launchAhead(owed) }
            failed = generation
            return [.pause(pause, generation)]
        case (_, .ended):
            return []

        case (.live, .pauseOver(let generation)) where generation == failed:
            return owed.map { launchAhead($0) } ?? []
        case (.pausing, .pauseOver(let generation)) where generation == current:
            return launch(replacing?.cause)
        case (_, .pauseOver):
            return []
        }
    }

    private mutating func launch(_ cause: HandoverCause?) -> [Effect] {
        newest += 1
        current = newest
        actual = .starting
        replacing = nil
        owed = nil
        next = nil
        failed = nil
        return [.launch(current, cause)]
    }

    private mutating func launchAhead(_ cause: HandoverCause) -> [Effect] {
        newest += 1
        successor = newest
        next = nil
        failed = nil
        return [.launchAhead(newest, cause)]
    }

    private mutating func dropSuccessor() -> [Effect] {
        guard let successor else { return [] }
        self.successor = nil
        dropped = successor
        return [.kill(successor)]
    }

    private mutating func replace(_ cause: HandoverCause, pauses: Bool) -> [Effect] {
        replacing = (cause, pauses)
        actual = .ending
        return dropSuccessor() + [.kill(current)]
    }

    private mutating func follow(
        _ cause: HandoverCause, now: Duration, random: inout some RandomNumberGenerator
    ) -> [Effect] {
        let healthyFor = liveSince.map { now - $0 } ?? .zero
        liveSince = nil
        let dropped = dropSuccessor()
        guard wanted else {
            actual = .idle
            replacing = nil
            return dropped
        }
        let (cause, pauses) = replacing ?? (cause, true)
        let pause = pauses ? policy.delayAfterEnd(healthyFor: healthyFor, random: &random) : .zero
        guard pause > .zero else { return dropped + launch(cause) }
        replacing = (cause, true)
        actual = .pausing
        return dropped + [.pause(pause, current)]
    }
}
