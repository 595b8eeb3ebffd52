import Configuration
import DataPath
import EncoderSelection
import FFmpeg
import Logging
import TransportStream

/// One output group that encodes: the generations of its encoder, each handed over to the next.
///
/// Events come from the data path, from the processes and from timers, through one queue; the ``GroupMachine`` sees
/// them in their order.
actor GroupRunner: Runnable {
    /// What the group shall be. A change is handed over.
    private(set) var group: GroupConfiguration
    nonisolated let name: String
    nonisolated let ledger: GroupLedger
    private let channel: String
    /// How long a generation is used before the next one takes over.
    private let lifetime: Duration
    private let box: Box
    private let dataPath: DataPath
    private let life: Life
    private let logger: Logger

    private var machine = GroupMachine(policy: .encoder)
    private var generations: [GroupMachine.Generation: Running] = [:]
    private var isFinishing = false
    private var random = SystemRandomNumberGenerator()
    private let clock = ContinuousClock()
    private let epoch: ContinuousClock.Instant
    private nonisolated let events: AsyncStream<Event>
    private nonisolated let queue: AsyncStream<Event>.Continuation

    /// What the encoder in use was told that it would get.
    private var arriving: VideoFormat?
    /// The size of the first source, where the configuration names none: a target does not follow another size.
    private var size: FrameSize?
    /// How much the encoder gives for speed; raised when it is too slow.
    private var effort = EncoderEffort.normal
    /// The encoder that the next generation uses.
    private var choice: EncoderSelector.Choice
    /// What the operator asked for; `nil` leaves it to the configuration.
    private var wish: EncoderCandidate?
    private var formerWish: EncoderCandidate?
    /// Who waits for a planned handover.
    private var waiting: CheckedContinuation<HandoverResult, Never>?

    /// A generation whose process runs or is being started.
    private struct Running {
        var child: ChildHandle
        var cause: HandoverCause?
        var encoder: EncoderCandidate?
        var attachment: DataPath.Attachment?
    }

    /// Where a generation begins.
    private enum Beginning {
        /// With what comes now.
        case fresh
        /// Where the group feed ends.
        case resumed
        /// There too, with pictures at another pace than those before.
        case repaced
        /// Ahead, where it takes over from the one that runs.
        case ahead
    }

    private enum Event: Sendable {
        case machine(GroupMachine.Event)
        case data(GroupMachine.Generation, EncoderEvent)
        case arriving(VideoFormat?, isSlate: Bool)
        case change(GroupConfiguration)
        case refresh(GroupMachine.Generation)
        case handOver(EncoderCandidate?, CheckedContinuation<HandoverResult, Never>)
        case finish
    }

    /// How long before it takes over a generation is started. Starting takes libx264 a tenth of a second, and as long
    /// again on a busy machine; one that is late costs a pause, and no picture.
    private static let lead = Duration.seconds(1)
    /// How long a generation is used: FFmpeg cannot count the times of a stream for longer than 26 hours.
    private static let longestLife = min(Duration.seconds(24 * 3600), DemuxerTimeline.longest)
    /// How long a process may take to end by itself once its input has.
    private static let endOfInputPatience = Duration.milliseconds(2500)

    init(_ group: GroupConfiguration, of channel: String, ledger: GroupLedger, box: Box, dataPath: DataPath) {
        self.group = group
        name = group.name
        self.channel = channel
        self.ledger = ledger
        choice = Self.choose(group, in: box)
        lifetime = min(box.encoderLifetime ?? Self.longestLife, Self.longestLife)
        self.box = box
        self.dataPath = dataPath
        logger = box.logger(["channel": "\(channel)", "group": "\(group.name)"])
        life = Life(box: box, logger: logger)
        (events, queue) = AsyncStream.makeStream()
        epoch = clock.now
    }

    nonisolated func want(_ wanted: Bool) { queue.yield(.machine(.want(wanted))) }
    /// This is on air. An encoder that was made for another frame rate is replaced.
    nonisolated func arriving(_ format: VideoFormat?, isSlate: Bool) { queue.yield(.arriving(format, isSlate: isSlate)) }
    /// Goes on by another configuration, from one frame to the next.
    nonisolated func change(to group: GroupConfiguration) { queue.yield(.change(group)) }
    /// Ends the group for good.
    nonisolated func finish() { queue.yield(.finish) }

    /// Runs until ``finish()`` was called and the last process has ended.
    func run() async {
        await withDiscardingTaskGroup { tasks in
            for await event in events {
                switch event {
                case .machine(.want) where isFinishing: break
                case .machine(let event): handle(event, in: &tasks)
                case .data(let generation, let event): handle(event, of: generation, in: &tasks)
                case .arriving(let format, let isSlate): note(format, isSlate: isSlate, in: &tasks)
                case .refresh(let generation):
                    if generation == machine.current { handle(.handOver(.refresh), in: &tasks) }
                case .change(let group): change(to: group, in: &tasks)
                case .handOver(let candidate, let waiting): handOver(to: candidate, for: waiting, in: &tasks)
                case .finish:
                    isFinishing = true
                    handle(.want(false), in: &tasks)
                }
                if isFinishing, machine.actual == .idle, generations.isEmpty { break }
            }
            queue.finish()
            answer(.failed("the group has ended"))
            tasks.cancelAll()
        }
    }

    /// Hands the group over, to a candidate or to a fresh process of the encoder in use, and waits until that has the feed.
    func handOver(to candidate: EncoderCandidate?) async -> HandoverResult {
        await withCheckedContinuation { waiting in
            if case .terminated = queue.yield(.handOver(candidate, waiting)) { waiting.resume(returning: .failed("the group has ended")) }
        }
    }

    /// Tries an encoder for this group, beside the one that runs.
    func trial(of candidate: EncoderCandidate) async -> TrialResult {
        guard case .encode(let wish) = group.video else { return .failed(.unsupported, "group \(name) copies its picture, so it has no encoder") }
        return await EncoderTrial(box: box, catalogue: box.encoders).run(candidate, for: wish, format: arriving)
    }

    /// Why it is this encoder, for people.
    var reason: String { wish.map { "\($0): the operator asked for it" } ?? choice.reason }
    /// It does with less than was asked for.
    var isDegraded: Bool { wish == nil && choice.isDegraded }
    /// The encoder that has the group feed, or will have it.
    var encoder: EncoderCandidate? { generations[machine.current]?.encoder ?? candidate }

    private static func choose(_ group: GroupConfiguration, in box: Box) -> EncoderSelector.Choice {
        guard case .encode(let wish) = group.video else {
            return EncoderSelector.Choice(candidate: nil, isDegraded: false, reason: "the picture is passed on as it comes", passedOver: [:])
        }
        return EncoderSelector(catalogue: box.encoders, order: box.encoderOrder).choose(for: wish)
    }

    // MARK: Events

    private func handle(_ event: GroupMachine.Event, in tasks: inout DiscardingTaskGroup) {
        let before = machine.actual
        if case .ended(let generation, let cause) = event {
            generations[generation] = nil
            if generation == machine.current { reconsider(cause) }
            if generation == machine.successor { answer(.failed("the encoder that was to take over ended; the one before goes on")) }
        }
        let effects = machine.handle(event, now: clock.now - epoch, random: &random)
        if machine.actual != before {
            logger.debug("encoder is \(machine.actual)")
            ledger.stands(machine.actual, wanted: machine.wanted)
        }
        for effect in effects { carryOut(effect, in: &tasks) }
        if waiting != nil, machine.actual != .live { answer(.failed("the encoder in use ended meanwhile; a new one takes over")) }
    }

    /// An encoder that the operator asked for is his until it fails; then the configuration's is the next.
    private func reconsider(_ cause: HandoverCause) {
        guard let wish, machine.actual == .starting || cause.isOfDevice else { return }
        logger.warning("\(wish) does not work: the configuration's encoder takes over", metadata: ["cause": "\(cause.rawValue)"])
        self.wish = nil
    }

    private func handle(_ event: EncoderEvent, of generation: GroupMachine.Generation, in tasks: inout DiscardingTaskGroup) {
        switch event {
        case .delivering(let format, let hole):
            let cause = generations[generation]?.cause
            if let cause, let hole {
                ledger.handedOver(cause, hole: hole)
                logger.notice("handed over", metadata: ["cause": "\(cause.rawValue)", "after": "\(hole.milliseconds)ms"])
            }
            logger.notice("live", metadata: format.map { ["video": "\($0)"] } ?? [:])
            if generation == machine.successor { answer(.handedOver(generations[generation]?.encoder, after: hole ?? .zero)) }
            handle(.delivering(generation), in: &tasks)
        case .stalled:
            logger.warning("the encoder takes pictures and gives none: it is replaced")
            handle(.stalled(generation), in: &tasks)
        case .slow:
            guard generation == machine.current else { return }
            guard let faster = effort.faster else {
                logger.warning("the encoder is too slow to keep real time, and there is no faster one: make the picture smaller or the rate lower")
                return ledger.isTooSlow(true)
            }
            effort = faster
            logger.warning("the encoder is too slow to keep real time: a faster one takes over", metadata: ["effort": "\(faster)"])
            handle(.replace(.slow), in: &tasks)
        case .torn:
            logger.warning("the encoder that was to take over did not: it is started anew")
            handle(.stalled(generation), in: &tasks)
        case .superseded, .ended:
            break
        }
    }

    private func note(_ format: VideoFormat?, isSlate: Bool, in tasks: inout DiscardingTaskGroup) {
        guard let format, case .encode(let wish) = group.video, let known = arriving else { return }
        let isOtherRate = known.frameRate != nil && format.frameRate != nil && known.frameRate != format.frameRate
        // What stood in for the first source had a size of its own.
        let isFirstSize = wish.size == nil && size == nil && !isSlate && (known.width, known.height) != (format.width, format.height)
        if isOtherRate || isFirstSize { handle(.replace(.source), in: &tasks) }
    }

    private func handOver(
        to candidate: EncoderCandidate?, for waiting: CheckedContinuation<HandoverResult, Never>, in tasks: inout DiscardingTaskGroup
    ) {
        guard self.waiting == nil else { return waiting.resume(returning: .failed("another handover of the group is under way")) }
        guard machine.actual == .live else {
            return waiting.resume(returning: .failed("group \(name) is not live, so there is nothing to hand over"))
        }
        let former = wish
        wish = candidate ?? wish
        self.waiting = waiting
        formerWish = former
        handle(.handOver(.operator_), in: &tasks)
    }

    /// Tells whoever waits for a handover what became of it.
    private func answer(_ result: HandoverResult) {
        guard let waiting else { return }
        self.waiting = nil
        if case .failed = result { wish = formerWish }
        waiting.resume(returning: result)
    }

    private func change(to group: GroupConfiguration, in tasks: inout DiscardingTaskGroup) {
        let encodesAnother = self.group.video != group.video || self.group.audio != group.audio
        self.group = group
        guard encodesAnother else { return }
        effort = .normal
        wish = nil
        choice = Self.choose(group, in: box)
        ledger.isTooSlow(false)
        handle(.handOver(.config), in: &tasks)
    }

    // MARK: Effects

    private func carryOut(_ effect: GroupMachine.Effect, in tasks: inout DiscardingTaskGroup) {
        switch effect {
        case .launch(let generation, let cause):
            start(generation, cause == nil ? .fresh : cause == .source ? .repaced : .resumed, because: cause, in: &tasks)
        case .launchAhead(let generation, let cause):
            start(generation, .ahead, because: cause, in: &tasks)
        case .promote(let generation):
            tasks.addTask { [clock, queue, lifetime] in
                guard await (try? clock.sleep(for: lifetime)) != nil else { return }
                queue.yield(.refresh(generation))
            }
        case .stop(let generation):
            guard let running = generations[generation] else { return }
            tasks.addTask { [dataPath, clock] in
                if let attachment = running.attachment { await dataPath.endInput(of: attachment) }
                guard await (try? clock.sleep(for: Self.endOfInputPatience)) != nil else { return }
                running.child.stop(.gracefully)
            }
        case .kill(let generation):
            generations[generation]?.child.stop(.now)
        case .pause(let pause, let generation):
            tasks.addTask { [clock, queue] in
                guard await (try? clock.sleep(for: pause)) != nil else { return }
                queue.yield(.machine(.pauseOver(generation)))
            }
        }
    }

    private func start(
        _ generation: GroupMachine.Generation, _ beginning: Beginning, because cause: HandoverCause?, in tasks: inout DiscardingTaskGroup
    ) {
        let child = ChildHandle()
        generations[generation] = Running(child: child, cause: cause)
        tasks.addTask {
            let end = await self.live(generation, beginning, child: child)
            self.queue.yield(.machine(.ended(generation, end)))
        }
    }

    // MARK: One generation

    /// Runs one generation's process; returns when it has ended.
    private func live(_ generation: GroupMachine.Generation, _ beginning: Beginning, child: ChildHandle) async -> HandoverCause {
        do {
            let (command, cut) = await self.command(beginning)
            guard let command else { return .exit }
            generations[generation]?.encoder = candidate
            let queue = queue
            let (attachment, input, output) = try await dataPath.attachEncoder(
                to: group.name, in: channel, needsKeyframe: group.video != .copy, takingOverAt: cut, isFresh: beginning == .fresh
            ) { queue.yield(.data(generation, $0)) }
            generations[generation]?.attachment = attachment
            let started = Timestamp.now
            let exit = await life.run(command, input: input, output: output, child: child, expected: [.ended])
            await dataPath.detach(attachment)
            // Once another one has the feed, how it ends says nothing.
            if generation == machine.current || generation == machine.successor {
                ledger.ended(exit, of: generations[generation]?.encoder?.name ?? "copy", started: started)
            }
            return exit.cause.map { HandoverCause($0) } ?? .exit
        } catch is DataPath.NothingToTakeOver {
            return .exit
        } catch {
            logger.error("cannot run: \(error)")
            return .exit
        }
    }

    /// What the next generation uses. Until hardware is chosen by itself, a group that asks for nothing else gets the
    /// software encoder of its codec: a picture is better than none.
    private var candidate: EncoderCandidate? {
        guard case .encode(let video) = group.video else { return nil }
        return wish ?? choice.candidate ?? EncoderCandidate(video.codec == .hevc ? "libx265" : "libx264")
    }

    private func command(_ beginning: Beginning) async -> (FFmpegCommand?, Splicer.Cut?) {
        guard beginning == .ahead else {
            var place = await dataPath.resumption(of: group.name, in: channel)
            // The pictures of another rate, or on the grid of a conversion, may lie next to the last one.
            if beginning == .repaced { place.video = place.video.map { $0 + place.halfFrame } }
            return (command(for: place.videoFormat, isSlate: place.isSlate, resume: beginning == .fresh ? nil : ResumePoint(place)), nil)
        }
        guard let place = await dataPath.takeover(of: group.name, in: channel, lead: Self.lead) else { return (nil, nil) }
        let audio = place.audio(rate: group.audio.encodedRate)
        return (
            command(
                for: place.videoFormat, isSlate: place.isSlate,
                resume: ResumePoint(videoStart: place.video, audioStart: audio, readingFrom: place.first ?? place.video)),
            Splicer.Cut(video: place.video, audio: audio)
        )
    }

    private func command(for format: VideoFormat?, isSlate: Bool, resume: ResumePoint?) -> FFmpegCommand {
        arriving = format
        let size = size ?? format.map { FrameSize(width: $0.width, height: $0.height) }
        if !isSlate { self.size = size }
        let recipe = candidate.flatMap { box.encoders.recipe(for: $0, effort: effort) } ?? Libx264Recipe(effort: effort)
        return Commands.encoder(group, recipe: recipe, format: format, size: size, resume: resume)
    }
}

extension ResumePoint {
    init?(_ place: DataPath.Resumption) {
        guard let video = place.video else { return nil }
        self.init(videoStart: video, audioStart: place.audio ?? video, readingFrom: place.first ?? video)
    }
}

extension DataPath.Takeover {
    /// The first place at or behind the picture that is on the grid of the encoder in use.
    ///
    /// - Parameter rate: Samples a second that the encoder gives, in frames of 1024; `nil` where it copies.
    func audio(rate: Int?) -> Int64 {
        guard let rate, video > audioGrid else { return max(video, audioGrid) }
        let perSecond = Int64(rate)
        let frames = ((video - audioGrid) * perSecond + 1024 * Ticks.perSecond - 1) / (1024 * Ticks.perSecond)
        return audioGrid + (frames * 1024 * Ticks.perSecond + perSecond / 2) / perSecond
    }
}

extension AudioOutput {
    /// Samples a second; `nil` where the sound is passed on.
    var encodedRate: Int? {
        switch self {
        case .copy: nil
        case .encode(let wish): wish.rate
        }
    }
}
