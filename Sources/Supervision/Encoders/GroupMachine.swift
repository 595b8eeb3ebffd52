/// The generations of a group's encoder: what is wanted, which one has the group feed, and which takes over.
///
/// A generation that ends is followed by the next one, which begins where the group feed ends. A planned handover
/// starts the next one while the one before runs on, and takes over ahead of it.
///
/// Pure: times and randomness come in, effects go out. ``GroupRunner`` carries the effects out.
package struct GroupMachine: Sendable {
    /// A generation's number; none is used twice.
    package typealias Generation = Int

    /// Where the generation stands that has the group feed.
    package enum Actual: Sendable, Hashable {
        /// There is none, and none is coming.
        case idle
        /// It was started and has given no picture yet.
        case starting
        case live
        /// It was told to end.
        case ending
        /// It ended, and the next one starts after a pause.
        case pausing
    }

    package enum Event: Sendable, Hashable {
        /// The operator, the configuration or the channel wants the group encoded, or not.
        case want(Bool)
        /// A generation's first picture is in the group feed.
        case delivering(Generation)
        /// A generation takes pictures and gives none, or has been cut off from the feed.
        case stalled(Generation)
        /// The generation in use cannot go on: the next one starts once it is gone.
        case replace(HandoverCause)
        /// Another one is to take over from the one in use, which is well.
        case handOver(HandoverCause)
        /// A generation ended, by itself or because it was told to.
        case ended(Generation, HandoverCause)
        /// The pause behind this generation is over.
        case pauseOver(Generation)
    }

    package enum Effect: Sendable, Hashable {
        /// Start a generation where the group feed ends.
        case launch(Generation, HandoverCause?)
        /// Start a generation that takes over ahead of the one that runs.
        case launchAhead(Generation, HandoverCause)
        /// The generation has the group feed from now on.
        case promote(Generation)
        /// End a generation, with time to give what it has.
        case stop(Generation)
        /// End a generation at once: it hangs, or its pictures are not needed.
        case kill(Generation)
        /// Report ``Event/pauseOver(_:)`` after this time.
        case pause(Duration, Generation)
    }

    package private(set) var wanted = false
    package private(set) var actual = Actual.idle
    /// The generation that has the group feed, or was the last to have it; 0 before the first.
    package private(set) var current: Generation = 0
    /// The generation that is to take over.
    package private(set) var successor: Generation?
    /// One that was to take over and has been told to end: the next one starts once it is gone, for the feed takes one
    /// successor at a time.
    private var dropped: Generation?
    /// Why the next one starts then.
    private var next: HandoverCause?
    /// What runs is not what is wanted: as long as no later generation delivers, another one is tried.
    private var owed: HandoverCause?
    /// The successor that ended before it took over, behind which the pause runs.
    private var failed: Generation?

    /// Generations in a row that stalled before they had given a picture.
    package private(set) var fruitless = 0

    private var policy: RestartPolicy
    /// That of successors, whose ends leave no hole.
    private var successorPolicy: RestartPolicy
    private var newest: Generation = 0
    private var liveSince: Duration?
    /// Why the current generation was told to end, though the group is wanted.
    private var replacing: (cause: HandoverCause, pauses: Bool)?

    package init(policy: RestartPolicy) {
        self.policy = policy
        successorPolicy = policy
    }

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
            // What was received up to here comes out of both, where the one in use has been cut off.
            return [current, successor].compactMap { $0.map { .stop($0) } }
        case (_, .want(let wish)):
            // While it ends, the wish is kept until it has.
            wanted = wish
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
            // Its end tells whether the one in use can go on.
            return [.kill(generation)]
        case (_, .stalled):
            return []

        case (.starting, .replace(let cause)), (.live, .replace(let cause)):
            return replace(cause, pauses: false)
        case (.idle, .replace), (.ending, .replace), (.pausing, .replace):
            // The next one is started with what holds then.
            return []

        case (.live, .handOver(let cause)):
            if cause.isOwed { owed = cause }
            guard dropped != nil || successor != nil else { return launchAhead(cause) }
            next = cause
            return dropSuccessor()
        case (.starting, .handOver(let cause)):
            // There is nothing yet to hand over.
            return replace(cause, pauses: false)
        case (.pausing, .handOver(let cause)):
            // What it waited for may be there.
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
            let pause = successorPolicy.pause(healthyFor: .zero, random: &random)
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
        let pause = pauses ? policy.pause(healthyFor: healthyFor, random: &random) : .zero
        guard pause > .zero else { return dropped + launch(cause) }
        replacing = (cause, true)
        actual = .pausing
        return dropped + [.pause(pause, current)]
    }
}
