import Configuration
import DataPath
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

    /// A generation whose process runs or is being started.
    private struct Running {
        var child: ChildHandle
        var cause: HandoverCause?
        var attachment: DataPath.Attachment?
    }

    private enum Event: Sendable {
        case machine(GroupMachine.Event)
        case data(GroupMachine.Generation, EncoderEvent)
        case arriving(VideoFormat?)
        case change(GroupConfiguration)
        case finish
    }

    /// How long before it takes over a generation is started. Starting takes libx264 a tenth of a second, and as long
    /// again on a busy machine; one that is late costs a pause, and no picture.
    private static let lead = Duration.seconds(1)
    /// How long a process may take to end by itself once its input has.
    private static let endOfInputPatience = Duration.milliseconds(2500)

    init(_ group: GroupConfiguration, of channel: String, ledger: GroupLedger, box: Box, dataPath: DataPath) {
        self.group = group
        name = group.name
        self.channel = channel
        self.ledger = ledger
        self.box = box
        self.dataPath = dataPath
        logger = box.logger(["channel": "\(channel)", "group": "\(group.name)"])
        life = Life(box: box, logger: logger)
        (events, queue) = AsyncStream.makeStream()
        epoch = clock.now
    }

    nonisolated func want(_ wanted: Bool) { queue.yield(.machine(.want(wanted))) }
    /// Hands over to another encoder while the one in use is well.
    nonisolated func handOver(_ cause: HandoverCause) { queue.yield(.machine(.handOver(cause))) }
    /// The source on air sends this. An encoder that was made for another frame rate is replaced.
    nonisolated func arriving(_ format: VideoFormat?) { queue.yield(.arriving(format)) }
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
                case .arriving(let format): note(format, in: &tasks)
                case .change(let group): change(to: group, in: &tasks)
                case .finish:
                    isFinishing = true
                    handle(.want(false), in: &tasks)
                }
                if isFinishing, machine.actual == .idle, generations.isEmpty { break }
            }
            tasks.cancelAll()
        }
    }

    // MARK: Events

    private func handle(_ event: GroupMachine.Event, in tasks: inout DiscardingTaskGroup) {
        let before = machine.actual
        if case .ended(let generation, _) = event { generations[generation] = nil }
        let effects = machine.handle(event, now: clock.now - epoch, random: &random)
        if machine.actual != before {
            logger.debug("encoder is \(machine.actual)")
            ledger.stands(machine.actual, wanted: machine.wanted)
        }
        for effect in effects { carryOut(effect, in: &tasks) }
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

    private func note(_ format: VideoFormat?, in tasks: inout DiscardingTaskGroup) {
        guard let format, group.video != .copy, let known = arriving?.frameRate, let now = format.frameRate, known != now else { return }
        handle(.replace(.source), in: &tasks)
    }

    private func change(to group: GroupConfiguration, in tasks: inout DiscardingTaskGroup) {
        let encodesAnother = self.group.video != group.video || self.group.audio != group.audio
        self.group = group
        guard encodesAnother else { return }
        effort = .normal
        ledger.isTooSlow(false)
        handle(.handOver(.config), in: &tasks)
    }

    // MARK: Effects

    private func carryOut(_ effect: GroupMachine.Effect, in tasks: inout DiscardingTaskGroup) {
        switch effect {
        case .launch(let generation, let cause):
            start(generation, because: cause, isAhead: false, in: &tasks)
        case .launchAhead(let generation, let cause):
            start(generation, because: cause, isAhead: true, in: &tasks)
        case .promote:
            break
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
        _ generation: GroupMachine.Generation, because cause: HandoverCause?, isAhead: Bool, in tasks: inout DiscardingTaskGroup
    ) {
        let child = ChildHandle()
        generations[generation] = Running(child: child, cause: cause)
        tasks.addTask {
            let end = await self.live(generation, child: child, isAhead: isAhead)
            self.queue.yield(.machine(.ended(generation, end)))
        }
    }

    // MARK: One generation

    /// Runs one generation's process; returns when it has ended.
    private func live(_ generation: GroupMachine.Generation, child: ChildHandle, isAhead: Bool) async -> HandoverCause {
        do {
            let (command, cut) = await isAhead ? commandAhead() : (commandFromTail(), nil)
            guard let command else { return .exit }
            let queue = queue
            let (attachment, input, output) = try await dataPath.attachEncoder(
                to: group.name, in: channel, needsKeyframe: group.video != .copy, takingOverAt: cut
            ) { queue.yield(.data(generation, $0)) }
            generations[generation]?.attachment = attachment
            let started = Timestamp.now
            let exit = await life.run(command, input: input, output: output, child: child, expected: [.ended])
            await dataPath.detach(attachment)
            ledger.ended(exit, started: started)
            return exit.cause.map { HandoverCause($0) } ?? .exit
        } catch is DataPath.NothingToTakeOver {
            return .exit
        } catch {
            logger.error("cannot run: \(error)")
            return .exit
        }
    }

    private func commandFromTail() async -> FFmpegCommand {
        let place = await dataPath.resumption(of: group.name, in: channel)
        return command(for: place.videoFormat, resume: ResumePoint(place))
    }

    private func commandAhead() async -> (FFmpegCommand?, Splicer.Cut?) {
        guard let place = await dataPath.takeover(of: group.name, in: channel, lead: Self.lead) else { return (nil, nil) }
        let audio = place.audio(rate: group.audio.encodedRate)
        return (
            command(for: place.videoFormat, resume: ResumePoint(videoStart: place.video, audioStart: audio)),
            Splicer.Cut(video: place.video, audio: audio)
        )
    }

    private func command(for format: VideoFormat?, resume: ResumePoint?) -> FFmpegCommand {
        arriving = format
        size = size ?? format.map { FrameSize(width: $0.width, height: $0.height) }
        return Commands.encoder(group, effort: effort, format: format, size: size, resume: resume)
    }
}

extension ResumePoint {
    init?(_ place: DataPath.Resumption) {
        guard let video = place.video else { return nil }
        self.init(videoStart: video, audioStart: place.audio ?? video)
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
