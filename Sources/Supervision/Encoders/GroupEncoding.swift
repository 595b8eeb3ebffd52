import BoxConfiguration
import EncoderSelection
import FFmpeg
import Logging
import MPEGTS
import MediaTypes

/// Decides for the encoder of a group: when it is replaced, with which preset it runs, and how old it may become.
final class GroupEncoding: EncoderSessionDelegate {
    enum Request: Sendable {
        case arriving(VideoFormat?, isSlate: Bool)
        case changed(VideoFormat?)
        case change(GroupConfiguration)
        /// The age of the encoder in use has to be checked.
        case checkAge
        /// The work of the processors and of the encoder was measured. Sent while a better preset is wanted.
        case room(ProcessorRoom.Sample?)
        case handOver(EncoderCandidate?, CheckedContinuation<HandoverResult, Never>)
    }

    /// The configuration of the group. A change is handed over.
    private(set) var group: GroupConfiguration
    let name: String
    let channel: String
    let statistics: GroupStatistics
    let context: ServiceContext

    /// The format that the encoder in use was started for.
    var arriving: VideoFormat?
    /// The new format of the source on air, until an encoder has been started for it. `nil` otherwise.
    var changed: VideoFormat?
    /// The format that the input probably has. Used until the first frame arrives.
    let expected: SlateFormat
    /// The size of the first source, if the configuration names none: a target does not follow another size.
    var size: FrameSize?
    /// The frames that the filters of the newest encoder were made for. `nil` if it copies the video, or before the
    /// first encoder. Other frames go through the filters distorted or with less detail, until an encoder that was made
    /// for them takes over.
    var scope: FilterScope?
    /// The preset of a software encoder.
    var preset: PresetChoice

    /// How long a generation is used before the next one takes over.
    private let lifetime: Duration
    /// The session's time when the encoder in use gave its first frame.
    private var inUseSince = Duration.zero
    /// The caller that waits for the end of a planned handover.
    private var waiting: CheckedContinuation<HandoverResult, Never>?
    /// The encoder that the operator had asked for before that handover.
    private var formerPin: EncoderCandidate?

    /// How long a generation is used: FFmpeg cannot count the times of a stream for longer than 26 hours.
    private static let longestLife = min(Duration.seconds(24 * 3600), DemuxerTimeline.longest)
    /// How often in a lifetime the age of the encoder is checked.
    private static let checksPerLifetime = 48
    /// The answer to a caller whose handover is not finished when the group ends.
    static let over = "the group has ended"

    init(
        _ group: GroupConfiguration, of channel: ChannelConfiguration, statistics: GroupStatistics,
        context: ServiceContext
    ) {
        self.group = group
        name = group.name
        self.channel = channel.name
        self.statistics = statistics
        self.context = context
        expected = SlateFormat(expecting: channel)
        lifetime = min(context.testHooks.encoderLifetime ?? Self.longestLife, Self.longestLife)
        preset = PresetChoice(group.video, first: context.testHooks.presetPause)
    }

    /// The encoder that the group would get now, and the reason, for the status.
    var choice: EncoderSelector.Choice {
        guard job != nil else {
            return .init(candidate: nil, isDegraded: false, reason: "the video is copied")
        }
        return context.encoders.currentChoice(for: name)
    }

    /// The job of an encoder of this group. `nil` if the video is copied.
    var job: EncodingJob? {
        guard case .encode(let encoding) = group.video else { return nil }
        return EncodingJob(
            encoding, arriving: arriving?.size ?? expected.size,
            rate: encoding.rate(of: arriving) ?? expected.rate, size: encoding.size == nil ? size : nil,
            pixel: arriving?.pixelAspect ?? .square)
    }

    /// Tells the encoder manager what the group needs now.
    ///
    /// - Parameter session: The session that hands over when the encoder manager asks for it. `nil` if an earlier call
    ///   has passed the session.
    func requestEncoder(for session: Session? = nil) {
        guard case .encode(let encoding) = group.video, let job else { return context.encoders.forget(name) }
        guard let session else { return context.encoders.setEncoding(encoding, job: job, for: name) }
        context.encoders.setEncoding(encoding, job: job, for: name) { session.report($0) }
    }

    // MARK: Events

    func begin(in session: isolated Session, _ tasks: inout DiscardingTaskGroup) {
        requestEncoder(for: session)
        // One task for all generations. One sleeping task for each would add up over a night of handovers.
        let (clock, pause) = (context.clock, lifetime / Self.checksPerLifetime)
        tasks.addTask { [session] in
            while await (try? clock.sleep(for: pause)) != nil {
                session.send(.checkAge)
            }
        }
    }

    func handle(_ request: Request, in session: isolated Session, _ tasks: inout DiscardingTaskGroup) {
        switch request {
        case .arriving(let format, let isSlate): note(format, isSlate: isSlate, in: session, &tasks)
        case .changed(let format): follow(format, in: session, &tasks)
        case .change(let group): change(to: group, in: session, &tasks)
        case .checkAge: refreshIfDue(in: session, &tasks)
        case .room(let sample): noteRoom(sample, in: session, &tasks)
        case .handOver(let candidate, let waiting): handOver(to: candidate, for: waiting, in: session, &tasks)
        }
    }

    func note(_ event: EncoderSessionEvent, in session: isolated Session) {
        switch event {
        case .stateChanged:
            statistics.stateChanged(session.machine.actual, wanted: session.machine.wanted, now: context.clock.now)
            if session.machine.actual != .live {
                answer(.failed("the encoder in use ended meanwhile; a new one starts"))
            }
        case .settled(let generation, let gap?):
            answer(.handedOver(session.generations[generation]?.encoder, after: gap))
        case .settled(_, nil):
            answer(.failed("the next encoder ended before it took over; the encoder in use continues"))
            notePresetFailure(in: session)
            if let changed { session.send(.changed(changed)) }
        case .promoted(let generation):
            inUseSince = session.now
            notePreset(of: generation, in: session)
            if let changed { session.send(.changed(changed)) }
        case .keepsUp:
            guard statistics.now.isTooSlow else { return }
            session.logger.notice("the encoder keeps up with real time again")
            statistics.isTooSlow(false)
        case .handedOver(let cause, let gap):
            statistics.handedOver(cause, gap: gap)
        case .ended(let end):
            statistics.ended(
                end.exit, of: end.encoder?.name ?? "copy", cause: end.cause, started: end.started)
        }
    }

    func end(in session: isolated Session, leaving requests: [Request]) {
        answer(.failed(Self.over))
        for case .handOver(_, let waiting) in requests { waiting.resume(returning: .failed(Self.over)) }
    }

    func isTooSlow(
        _ generation: GroupMachine.Generation, in session: isolated Session, _ tasks: inout DiscardingTaskGroup
    ) {
        if let encoder = session.encoder, !encoder.isSoftware {
            session.update(generation) { $0.fault = .slow }
            session.logger.warning("the encoder is too slow for real time, another encoder takes over")
            session.blame(generation, .slow)
            return session.handle(.replace(.slow), in: &tasks)
        }
        guard usesFasterPreset(in: session) else { return }
        session.update(generation) { $0.fault = .slow }
        session.handle(.replace(.slow), in: &tasks)
        lookForRoom(in: session, &tasks)
    }

    private func refreshIfDue(in session: isolated Session, _ tasks: inout DiscardingTaskGroup) {
        // A refresh must not be late, so it is early by up to one check.
        guard session.now - inUseSince >= lifetime - lifetime / Self.checksPerLifetime,
            session.machine.actual == .live, session.machine.successor == nil
        else { return }
        session.handle(.handOver(.refresh), in: &tasks)
    }

    // MARK: Requests

    private func change(
        to group: GroupConfiguration, in session: isolated Session, _ tasks: inout DiscardingTaskGroup
    ) {
        let encodesDifferently = self.group.video != group.video || self.group.audio != group.audio
        self.group = group
        guard encodesDifferently else { return }
        preset.reset(to: group.video, now: session.now)
        context.encoders.pin(nil, to: name)
        requestEncoder(for: session)
        statistics.isTooSlow(false)
        session.handle(.handOver(.config), in: &tasks)
    }

    private func handOver(
        to candidate: EncoderCandidate?, for waiting: CheckedContinuation<HandoverResult, Never>,
        in session: isolated Session, _ tasks: inout DiscardingTaskGroup
    ) {
        guard self.waiting == nil else {
            return waiting.resume(returning: .failed("another handover of the group is under way"))
        }
        guard session.machine.actual == .live else {
            return waiting.resume(returning: .failed("group \(name) is not live, so there is nothing to hand over"))
        }
        formerPin = context.encoders.pinned(to: name)
        if let candidate { context.encoders.pin(candidate, to: name) }
        self.waiting = waiting
        session.handle(.handOver(.byOperator), in: &tasks)
    }

    /// Answers the caller that waits for a handover, if there is one.
    private func answer(_ result: HandoverResult) {
        guard let waiting else { return }
        self.waiting = nil
        if case .failed = result { context.encoders.pin(formerPin, to: name) }
        waiting.resume(returning: result)
    }
}
