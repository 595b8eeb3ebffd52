package import BoxConfiguration
import MediaTypes

/// Tracks the encoders of a box: which group uses which, which of them rest, and which trials have to run.
///
/// Pure: times are inputs, and effects are results. A time is the duration since a fixed moment, on a clock that does
/// not go back.
package struct EncoderPool: Sendable {
    package enum Effect: Sendable, Hashable {
        /// Run this trial, and report its result with ``trialFinished(_:_:now:)``.
        case runTrial(Trial)
        /// Hand the group over to the encoder that ``assignEncoder(to:)`` returns.
        case move(group: String, Move)
    }

    /// Why a group should get another encoder.
    package enum Move: Sendable, Hashable {
        /// A better encoder works.
        case better
        /// The GPU of the present encoder is gone.
        case gone
        /// The device of the present encoder failed for another group.
        case failing
        /// The device hangs for another group, so there is no use in waiting for this group's encoder.
        case hanging
        /// The configuration no longer allows the present encoder.
        case changed
    }

    /// The most trials at a time, each on another device. The number is small, because the running streams need the
    /// processor too.
    package static let mostTrials = 2

    package internal(set) var catalogue: EncoderCatalogue
    /// The families that `auto` tries.
    package internal(set) var order: [EncoderFamily]

    struct Group: Sendable {
        var encoding: VideoEncoding
        var job: EncodingJob
        /// The position of the group in the order in which groups were added. Trials and moves follow this order.
        let number: Int
        /// The encoder that was assigned last. The group may not use it yet.
        var assigned: EncoderCandidate?
        /// The encoder that the operator asked for.
        var pinned: EncoderCandidate?
        /// The encoder that it used when the service last ran.
        var lastUsed: EncoderCandidate?
        /// The rests of encoders that failed in this group only.
        var rests: [EncoderCandidate: Rest] = [:]
    }

    /// The result of a trial, as the pool remembers it.
    enum KnownResult: Sendable {
        case passed(scalesOnGPU: Bool)
        /// - Parameter rest: The pause before the next trial. `nil` if the result will not change.
        case failed(FailureReason, rest: Rest?)
    }

    /// The device, or the use of an encoder by a group, whose failures are counted.
    enum Culprit: Sendable, Hashable {
        case device(String)
        case use(group: String, EncoderCandidate)
    }

    var groups: [String: Group] = [:]
    var nextNumber = 0
    /// The known results of trials.
    var results: [Trial: KnownResult] = [:]
    /// The rests of devices, by device.
    var rests: [String: Rest] = [:]
    /// The times of the recent failures.
    var failures: [Culprit: [Duration]] = [:]
    /// The trials that run now.
    var running: Set<Trial> = []
    /// Running trials whose device failed or changed after they began, so that their results no longer count.
    var outdated: Set<Trial> = []

    package init(_ catalogue: EncoderCatalogue, order: [EncoderFamily] = EncoderPreferences.defaultOrder) {
        self.catalogue = catalogue
        self.order = order
    }

    /// Adds a group, or changes its settings or its input.
    ///
    /// - Parameters:
    ///   - job: The work that these settings mean for the present input.
    ///   - lastUsed: The encoder that the group used when the service last ran. It is tried first.
    package mutating func setEncoding(
        _ encoding: VideoEncoding, job: EncodingJob, for name: String, lastUsed: EncoderCandidate? = nil, now: Duration
    ) -> [Effect] {
        if groups[name] == nil {
            groups[name] = Group(encoding: encoding, job: job, number: nextNumber, lastUsed: lastUsed)
            nextNumber += 1
        } else if groups[name]?.encoding != encoding {
            groups[name]?.encoding = encoding
            groups[name]?.pinned = nil
            groups[name]?.rests = [:]
            failures = failures.filter { culprit, _ in if case .use(group: name, _) = culprit { false } else { true } }
        }
        groups[name]?.job = job
        forgetResults()
        return startTrials(now)
    }

    /// Removes a group.
    package mutating func forget(_ name: String) {
        groups[name] = nil
        failures = failures.filter { culprit, _ in if case .use(group: name, _) = culprit { false } else { true } }
        forgetResults()
    }

    /// Chooses the encoder that a group uses from now on, and adds it to the load of its device.
    package mutating func assignEncoder(to name: String) -> EncoderSelector.Choice {
        let choice = choose(for: name)
        groups[name]?.assigned = choice.candidate
        return choice
    }

    /// Records that a group continues with an encoder, or uses none.
    package mutating func recordUse(of candidate: EncoderCandidate?, by name: String) {
        groups[name]?.assigned = candidate
    }

    /// Records which encoder the operator wants for a group. `nil` leaves the choice to the configuration.
    package mutating func pin(_ candidate: EncoderCandidate?, to name: String) {
        groups[name]?.pinned = candidate
    }

    /// The encoder that the operator wants for a group.
    package func pinned(to name: String) -> EncoderCandidate? { groups[name]?.pinned }

    package mutating func setOrder(_ order: [EncoderFamily], now: Duration) -> [Effect] {
        guard order != self.order else { return [] }
        self.order = order
        return moves() + startTrials(now)
    }
}
