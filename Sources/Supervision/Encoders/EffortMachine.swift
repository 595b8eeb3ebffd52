import FFmpeg

/// Decides how much work a group's software encoder spends on a frame: less when it is too slow, more again when there
/// is room.
///
/// A better preset is tried after a pause, by a planned handover. The pause doubles each time that the better preset
/// turns out to be too slow soon after. Once the better preset has held, the pause is as short as at first. So a box
/// that is busy for a moment gets its quality back soon, and a box that is too small for the better preset tries it a
/// few times a day.
///
/// Pure: events and times are inputs, and effects are results. A time is the duration since any fixed moment, on a
/// clock that does not go back.
struct EffortMachine: Sendable {
    enum Event: Sendable, Hashable {
        /// The encoder in use is too slow to keep real time.
        case slow
        /// The load of the processors was measured.
        ///
        /// - Parameter hasRoom: Whether the processors could do more work. True if that is not known.
        case measured(hasRoom: Bool)
        /// An encoder that was started with ``EffortMachine/effort`` now writes the group's feed.
        case tookOver
        /// An encoder was started to take over, and ended before it did.
        case failed
        /// The group uses no software encoder, so nothing is learned about a preset.
        case unused
        /// The group's configuration changed.
        case reset
    }

    enum Effect: Sendable, Hashable {
        /// Replace the encoder in use by one with ``EffortMachine/effort``.
        case replace
        /// Hand over to an encoder with ``EffortMachine/effort``.
        case handOver
        /// The fastest preset is too slow.
        case exhausted
    }

    /// The times that decide when a better preset is tried, and when it counts as fast enough.
    struct Pauses: Sendable, Hashable {
        /// The first pause before a better preset is tried. After each relapse the pause is twice as long as the last
        /// one.
        var firstPause = Duration.seconds(60)
        var longestPause = Duration.seconds(4 * 3600)
        /// How long the processors need room before a better preset is tried.
        var roomTime = Duration.seconds(30)
        /// How long a better preset has to keep up before earlier relapses are forgotten.
        var proofTime = Duration.seconds(600)
        /// The time between two measurements of the processors.
        var measurementInterval = Duration.seconds(10)

        /// - Parameter first: The first pause, for tests. The others are shorter by the same factor.
        init(first: Duration? = nil) {
            guard let first else { return }
            (longestPause, roomTime, proofTime, measurementInterval) = (first * 240, first / 2, first * 10, first / 4)
            firstPause = first
        }
    }

    /// The effort with which the next encoder is started.
    private(set) var effort = EncoderEffort.normal
    /// The effort to return to while a better one has not taken over yet.
    private var former: EncoderEffort?
    /// The length of the next pause.
    private(set) var pause: Duration
    private var notBefore = Duration.zero
    private var roomSince: Duration?
    /// When the better preset counts as fast enough.
    private var provenAt: Duration?
    private let pauses: Pauses

    init(pauses: Pauses = Pauses()) {
        self.pauses = pauses
        pause = pauses.firstPause
    }

    /// Whether a better preset than the one in use is wanted.
    var isLowered: Bool { effort != .normal }
    /// Whether a better preset was started and has not taken over yet.
    var isTrying: Bool { former != nil }

    /// - Parameter steps: The efforts that make a difference for the encoder in use, the one with the most work first.
    mutating func handle(_ event: Event, steps: [EncoderEffort], now: Duration) -> Effect? {
        forgetRelapsesIfProven(now)
        switch event {
        case .slow:
            if let former {
                // While two encoders run, they need more than one does. The encoder in use was fast enough before, so
                // it is restarted with its own preset.
                relapse(to: former, now: now)
                return .replace
            }
            guard let faster = steps.first(where: { $0.rawValue > effort.rawValue }) else { return .exhausted }
            if provenAt == nil { wait(now: now) } else { relapse(to: faster, now: now) }
            effort = faster
            return .replace
        case .measured(let hasRoom):
            roomSince = hasRoom ? roomSince ?? now : nil
            guard former == nil, let better = steps.last(where: { $0.rawValue < effort.rawValue }) else { return nil }
            guard now >= notBefore, let roomSince, now - roomSince >= pauses.roomTime else { return nil }
            former = effort
            effort = better
            return .handOver
        case .tookOver:
            guard former != nil else { return nil }
            former = nil
            provenAt = now + max(pauses.proofTime, pause)
            notBefore = now + pauses.firstPause
            roomSince = nil
            return nil
        case .failed:
            guard let former else { return nil }
            relapse(to: former, now: now)
            return nil
        case .unused:
            guard now >= notBefore else { return nil }
            (effort, former) = (.normal, nil)
            return nil
        case .reset:
            self = EffortMachine(pauses: pauses)
            return nil
        }
    }

    private mutating func forgetRelapsesIfProven(_ now: Duration) {
        guard let provenAt, now >= provenAt else { return }
        self.provenAt = nil
        pause = pauses.firstPause
    }

    private mutating func relapse(to effort: EncoderEffort, now: Duration) {
        self.effort = effort
        pause = min(pause * 2, pauses.longestPause)
        wait(now: now)
    }

    private mutating func wait(now: Duration) {
        former = nil
        provenAt = nil
        roomSince = nil
        notBefore = now + pause
    }
}
