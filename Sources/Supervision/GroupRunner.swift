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
    /// What is likely to come, as long as nothing has.
    private let expected: SlateFormat
    /// The size of the first source, where the configuration names none: a target does not follow another size.
    private var size: FrameSize?
    /// How much the encoder gives for speed; raised when it is too slow.
    private var effort = EncoderEffort.normal
    /// What the operator had asked for before the handover that somebody waits for.
    private var formerPin: EncoderCandidate?
    /// A better encoder was there while the one in use had given no picture yet.
    private var waitsForFirstPicture = false
    /// Who waits for a planned handover.
    private var waiting: CheckedContinuation<HandoverResult, Never>?

    /// A generation whose process runs or is being started.
    private struct Running {
        var child: ChildHandle
        var cause: HandoverCause?
        var encoder: EncoderCandidate?
        var attachment: DataPath.Attachment?
        /// Why it was ended though the group is wanted.
        var fault: HandoverCause?
        /// What went wrong with it is told already, or it was told to end.
        var isAccountedFor = false
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
        case move(EncoderPool.Move)
        case refresh(GroupMachine.Generation)
        case handOver(EncoderCandidate?, CheckedContinuation<HandoverResult, Never>)
        case finish
    }

    /// How long before it takes over a generation is started. Starting takes libx264 a tenth of a second, and as long
    /// again on a busy machine; one that is late costs a pause, and no picture.
    private static let lead = Duration.seconds(1)
    /// How long a generation may take to its first picture; twice as long each time where the one before took longer. A GPU that
    /// hangs at its start is left soon; the processor's encoders do not hang, but a machine may be slow, above all while it boots.
    private var startPatience: Duration {
        let isHardware = encoder.map { !$0.isSoftware } ?? false
        return min(.seconds(isHardware ? 2 : 6) * (1 << min(machine.fruitless, 4)), .seconds(30))
    }
    /// How long a generation is used: FFmpeg cannot count the times of a stream for longer than 26 hours.
    private static let longestLife = min(Duration.seconds(24 * 3600), DemuxerTimeline.longest)
    /// How long a process may take to end by itself once its input has.
    private static let endOfInputPatience = Duration.milliseconds(2500)

    init(_ group: GroupConfiguration, of channel: ChannelConfiguration, ledger: GroupLedger, box: Box, dataPath: DataPath) {
        self.group = group
        name = group.name
        self.channel = channel.name
        expected = SlateFormat(expecting: channel)
        self.ledger = ledger
        lifetime = min(box.encoderLifetime ?? Self.longestLife, Self.longestLife)
        self.box = box
        self.dataPath = dataPath
        logger = box.logger(["channel": "\(channel.name)", "group": "\(group.name)"])
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
        requestEncoder { [queue] in queue.yield(.move($0)) }
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
                case .move(let move): self.move(move, in: &tasks)
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
        box.encoders.forget(name)
    }

    /// Hands the group over, to a candidate or to a fresh process of the encoder in use, and waits until that has the feed.
    func handOver(to candidate: EncoderCandidate?) async -> HandoverResult {
        await withCheckedContinuation { waiting in
            if case .terminated = queue.yield(.handOver(candidate, waiting)) { waiting.resume(returning: .failed("the group has ended")) }
        }
    }

    /// Tries an encoder for this group, beside the one that runs.
    func trial(of candidate: EncoderCandidate) async -> TrialResult {
        guard let job else { return .failed(.unsupported, "group \(name) copies its picture, so it has no encoder") }
        return await box.encoders.attempt(candidate, job)
    }

    /// The encoder that has the group feed, or will have it.
    var encoder: EncoderCandidate? { generations[machine.current]?.encoder }

    /// What the group would be given now, and why: for people.
    var choice: EncoderSelector.Choice {
        guard job != nil else { return .init(candidate: nil, isDegraded: false, reason: "the picture is passed on as it comes") }
        return box.encoders.choice(for: name)
    }

    // MARK: The encoder

    /// What an encoder has to do here; `nil` where the picture is copied.
    private var job: EncodingJob? {
        guard case .encode(let wish) = group.video else { return nil }
        return EncodingJob(
            wish, arriving: arriving.map { FrameSize(width: $0.width, height: $0.height) } ?? expected.size,
            rate: arriving?.frameRate.map { FFmpeg.FrameRate($0.numerator, $0.denominator) } ?? expected.rate, size: wish.size == nil ? size : nil)
    }

    /// Says what the group needs now.
    private func requestEncoder(_ moved: (@Sendable (EncoderPool.Move) -> Void)? = nil) {
        guard case .encode(let wish) = group.video, let job else { return box.encoders.forget(name) }
        box.encoders.need(wish, as: job, for: name, moved: moved)
    }

    /// A generation's encoder failed: another one is chosen from now on, where the fault asks for that.
    private func blame(_ generation: GroupMachine.Generation, _ fault: EncoderFault, _ explanation: String? = nil) {
        guard let running = generations[generation], !running.isAccountedFor, let candidate = running.encoder else { return }
        generations[generation]?.isAccountedFor = true
        // An encoder that the operator asked for is his until it fails.
        if box.encoders.pinned(to: name) == candidate, machine.actual == .starting || fault != .crash {
            logger.warning("\(candidate) does not work: the configuration's encoder takes over")
            box.encoders.pin(nil, to: name)
        }
        box.encoders.failed(candidate, fault, explanation, in: name)
    }

    private func move(_ move: EncoderPool.Move, in tasks: inout DiscardingTaskGroup) {
        let choice = choice
        if move == .better, machine.actual == .starting {
            // First a picture on air, by whatever gives it.
            waitsForFirstPicture = true
            return
        }
        // It may have moved by itself meanwhile, or be about to.
        guard let next = choice.candidate, next != encoder || machine.actual == .pausing else { return }
        if let successor = machine.successor, generations[successor]?.encoder == next { return }
        logger.notice("the group moves to another encoder", metadata: ["encoder": "\(next)", "why": "\(choice.reason)"])
        let cause = HandoverCause(move)
        if move == .gone || move == .hanging, machine.actual == .live || machine.actual == .starting {
            generations[machine.current]?.isAccountedFor = true
            handle(.replace(cause), in: &tasks)
        } else {
            handle(.handOver(cause), in: &tasks)
        }
    }

    // MARK: Events

    private func handle(_ event: GroupMachine.Event, in tasks: inout DiscardingTaskGroup) {
        let before = machine.actual
        if case .ended(let generation, _) = event {
            generations[generation] = nil
            if generation == machine.successor {
                box.encoders.keep(encoder, for: name)
                answer(.failed("the encoder that was to take over ended; the one before goes on"))
            }
        }
        let effects = machine.handle(event, now: clock.now - epoch, random: &random)
        if machine.actual != before {
            if machine.actual == .idle || machine.actual == .pausing { box.encoders.keep(nil, for: name) }
            logger.debug("encoder is \(machine.actual)")
            ledger.stands(machine.actual, wanted: machine.wanted)
        }
        for effect in effects { carryOut(effect, in: &tasks) }
        if waiting != nil, machine.actual != .live { answer(.failed("the encoder in use ended meanwhile; a new one takes over")) }
    }

    private func handle(_ event: EncoderEvent, of generation: GroupMachine.Generation, in tasks: inout DiscardingTaskGroup) {
        switch event {
        case .delivering(let format, let hole):
            let cause = generations[generation]?.cause
            if let cause, let hole {
                ledger.handedOver(cause, hole: hole)
                logger.notice("handed over", metadata: ["cause": "\(cause.rawValue)", "after": "\(hole.milliseconds)ms"])
            }
            ledger.isTooSlow(false)
            logger.notice("live", metadata: format.map { ["video": "\($0)"] } ?? [:])
            if let encoder = generations[generation]?.encoder { box.encoders.delivers(encoder, for: name) }
            if generation == machine.successor { answer(.handedOver(generations[generation]?.encoder, after: hole ?? .zero)) }
            handle(.delivering(generation), in: &tasks)
            if waitsForFirstPicture { queue.yield(.move(.better)) }
            waitsForFirstPicture = false
        case .stalled:
            logger.warning("the encoder takes pictures and gives none: it is replaced")
            generations[generation]?.fault = .stall
            blame(generation, .hang)
            handle(.stalled(generation), in: &tasks)
        case .slow:
            guard generation == machine.current else { return }
            if effort.faster != nil || encoder?.isSoftware == false { generations[generation]?.fault = .slow }
            if let encoder, !encoder.isSoftware {
                logger.warning("the encoder is too slow to keep real time: another one takes over")
                blame(generation, .slow)
                return handle(.replace(.slow), in: &tasks)
            }
            guard let faster = effort.faster else {
                // What to do about it is said by the status, whose problems are logged.
                logger.warning("the encoder is too slow to keep real time, and there is no faster one")
                return ledger.isTooSlow(true)
            }
            effort = faster
            logger.warning("the encoder is too slow to keep real time: a faster one takes over", metadata: ["effort": "\(faster)"])
            handle(.replace(.slow), in: &tasks)
        case .keepsUp:
            guard generation == machine.current, ledger.now.isTooSlow else { return }
            logger.notice("the encoder keeps real time again")
            ledger.isTooSlow(false)
        case .torn:
            logger.warning("the encoder that was to take over did not: it is started anew")
            blame(generation, .handover)
            handle(.stalled(generation), in: &tasks)
        case .superseded, .ended:
            break
        }
    }

    private func note(_ format: VideoFormat?, isSlate: Bool, in tasks: inout DiscardingTaskGroup) {
        guard let format, case .encode(let wish) = group.video else { return }
        guard let known = arriving else {
            // The first: now it is known what encoders have to be tried at.
            arriving = format
            return requestEncoder()
        }
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
        formerPin = box.encoders.pinned(to: name)
        if let candidate { box.encoders.pin(candidate, to: name) }
        self.waiting = waiting
        handle(.handOver(.operator_), in: &tasks)
    }

    /// Tells whoever waits for a handover what became of it.
    private func answer(_ result: HandoverResult) {
        guard let waiting else { return }
        self.waiting = nil
        if case .failed = result { box.encoders.pin(formerPin, to: name) }
        waiting.resume(returning: result)
    }

    private func change(to group: GroupConfiguration, in tasks: inout DiscardingTaskGroup) {
        let encodesAnother = self.group.video != group.video || self.group.audio != group.audio
        self.group = group
        guard encodesAnother else { return }
        effort = .normal
        box.encoders.pin(nil, to: name)
        requestEncoder { [queue] in queue.yield(.move($0)) }
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
            generations[generation]?.isAccountedFor = true
            tasks.addTask { [dataPath, clock] in
                if let attachment = running.attachment { await dataPath.endInput(of: attachment) }
                guard await (try? clock.sleep(for: Self.endOfInputPatience)) != nil else { return }
                running.child.stop(.gracefully)
            }
        case .kill(let generation):
            generations[generation]?.isAccountedFor = true
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
            if beginning == .fresh, job != nil { await box.encoders.firstVerdict(for: name) }
            let (command, cut) = await self.command(beginning, for: generation)
            guard let command else { return .exit }
            let queue = queue
            let (attachment, input, output) = try await dataPath.attachEncoder(
                to: group.name, in: channel, needsKeyframe: group.video != .copy, takingOverAt: cut, isFresh: beginning == .fresh,
                startPatience: startPatience
            ) { queue.yield(.data(generation, $0)) }
            generations[generation]?.attachment = attachment
            let started = Timestamp.now
            let exit = await life.run(command, input: input, output: output, child: child, expected: [.ended], progressed: { [ledger] in
                if let dropped = $0.dropped { ledger.dropped(dropped, by: generation) }
            })
            ledger.forget(generation)
            await dataPath.detach(attachment)
            return await account(for: exit, of: generation, started: started)
        } catch is DataPath.NothingToTakeOver {
            return .exit
        } catch {
            logger.error("cannot run: \(error)")
            return .exit
        }
    }

    /// Why a generation ended. What that says of its encoder is told to whoever chooses the next.
    private func account(for exit: ChildExit, of generation: GroupMachine.Generation, started: Timestamp) async -> HandoverCause {
        let encoder = generations[generation]?.encoder
        // Once another one has the feed, how it ends says nothing.
        guard generation == machine.current || generation == machine.successor else { return .exit }
        var cause = exit.cause
        // A driver does not say why it does nothing any more; the device that is no longer there does.
        if cause == .driverError, let slot = encoder?.gpu, await !box.encoders.isThere(slot) { cause = .deviceGone }
        let end = cause.map { HandoverCause($0) } ?? generations[generation]?.fault
        ledger.ended(exit, of: encoder?.name ?? "copy", cause: end, started: started)
        if let cause, let fault = EncoderFault(cause) {
            let isSuccessor = generation == machine.successor
            blame(generation, isSuccessor && fault == .crash ? .handover : fault, encoder.flatMap { TrialResult(exit, of: $0, overdue: nil, flaw: nil).explanation })
        }
        return cause.map { HandoverCause($0) } ?? .exit
    }

    /// What a generation uses; `nil` where the picture is copied, or nothing works.
    private func assign(to generation: GroupMachine.Generation) -> EncoderCandidate? {
        let choice = box.encoders.assign(to: name)
        if choice.candidate == nil { logger.error("there is no encoder: \(choice.reason)") }
        generations[generation]?.encoder = choice.candidate
        return choice.candidate
    }

    private func command(_ beginning: Beginning, for generation: GroupMachine.Generation) async -> (FFmpegCommand?, Splicer.Cut?) {
        guard beginning == .ahead else {
            var place = await dataPath.resumption(of: group.name, in: channel)
            // The pictures of another rate, or on the grid of a conversion, may lie next to the last one.
            if beginning == .repaced { place.video = place.video.map { $0 + place.halfFrame } }
            return (command(for: place.videoFormat, isSlate: place.isSlate, resume: beginning == .fresh ? nil : ResumePoint(place), of: generation), nil)
        }
        guard let place = await dataPath.takeover(of: group.name, in: channel, lead: Self.lead) else { return (nil, nil) }
        let audio = place.audio(rate: group.audio.encodedRate)
        return (
            command(
                for: place.videoFormat, isSlate: place.isSlate,
                resume: ResumePoint(videoStart: place.video, audioStart: audio, readingFrom: place.first ?? place.video), of: generation),
            Splicer.Cut(video: place.video, audio: audio)
        )
    }

    private func command(
        for format: VideoFormat?, isSlate: Bool, resume: ResumePoint?, of generation: GroupMachine.Generation
    ) -> FFmpegCommand? {
        arriving = format
        let size = size ?? format.map { FrameSize(width: $0.width, height: $0.height) }
        if !isSlate { self.size = size }
        guard group.video != .copy else { return Commands.encoder(group, recipe: Libx264Recipe(), format: format, size: size, resume: resume) }
        requestEncoder()
        guard let candidate = assign(to: generation), let recipe = box.encoders.recipe(for: candidate, in: name, effort: effort) else { return nil }
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
