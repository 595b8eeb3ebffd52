import BoxConfiguration
import DataPath
import EncoderSelection
import FFmpeg
import Logging
import MPEGTS
import MediaTypes
import SystemSupport

/// One output group that encodes: the generations of its encoder, each handed over to the next.
///
/// What it has in common with others that have an encoder is in ``EncoderSupervisor``.
actor GroupRunner: EncoderSupervisor, Runnable {
    /// What the group shall be. A change is handed over.
    private(set) var group: GroupConfiguration
    nonisolated let name: String
    nonisolated let statistics: GroupStatistics
    private let channel: String
    /// How long a generation is used before the next one takes over.
    private let lifetime: Duration
    nonisolated let context: ServiceContext
    nonisolated let dataPath: DataPath
    nonisolated let monitor: ChildMonitor
    nonisolated let logger: Logger
    nonisolated let epoch: ContinuousClock.Instant
    nonisolated let endOfInputPatience = Duration.milliseconds(2500)
    // Less than what a feed keeps, with the start of the next one.
    nonisolated let busyPatience = Duration.milliseconds(1500)

    var machine = GroupMachine(policy: .encoder)
    var generations: [GroupMachine.Generation: EncoderGeneration] = [:]
    var waitsForFirstPicture = false
    private var isFinishing = false
    private nonisolated let events: AsyncStream<Event>
    private nonisolated let queue: AsyncStream<Event>.Continuation

    /// What the encoder in use was told that it would get.
    private var arriving: VideoFormat?
    /// What the source on air goes on with, until it is known that an encoder knows it.
    private var changed: VideoFormat?
    /// When the encoder in use gave its first picture.
    private var inUseSince = ContinuousClock().now
    /// What is likely to come, as long as nothing has.
    private let expected: SlateFormat
    /// The size of the first source, where the configuration names none: a target does not follow another size.
    private var size: FrameSize?
    /// What the filters of the newest encoder were made for; `nil` where it copies the picture, or before the first.
    /// Other frames go through them too, distorted or with less detail, until an encoder takes over that was made for
    /// them.
    private var scope: FilterScope?
    /// How much work a software encoder spends on a picture: less when it is too slow, more again when there is room.
    private var effort: EffortMachine
    private let pauses: EffortMachine.Pauses
    private var lastSample: ProcessorRoom.Sample?
    private var isLookingForRoom = false
    /// What the operator had asked for before the handover that somebody waits for.
    private var formerPin: EncoderCandidate?
    /// Who waits for a planned handover.
    private var waiting: CheckedContinuation<HandoverResult, Never>?

    private enum Event: Sendable {
        case machine(GroupMachine.Event)
        case data(GroupMachine.Generation, EncoderEvent)
        case arriving(VideoFormat?, isSlate: Bool)
        case changed(VideoFormat?)
        case change(GroupConfiguration)
        case move(EncoderPool.Move)
        /// Whether the encoder in use has run for long.
        case look
        /// What the processors and the encoder have done, while a better preset is wanted.
        case room(ProcessorRoom.Sample?)
        case hung(GroupMachine.Generation)
        case handOver(EncoderCandidate?, CheckedContinuation<HandoverResult, Never>)
        case finish
    }

    /// How long before it takes over a generation is started. Starting takes libx264 a tenth of a second, and as long
    /// again on a busy machine; one that is late costs a pause, and no picture.
    private static let lead = Duration.seconds(1)
    /// How long a generation is used: FFmpeg cannot count the times of a stream for longer than 26 hours.
    private static let longestLife = min(Duration.seconds(24 * 3600), DemuxerTimeline.longest)
    /// How often it is looked whether one is old.
    private static let looksPerLifetime = 48

    init(
        _ group: GroupConfiguration, of channel: ChannelConfiguration, statistics: GroupStatistics,
        context: ServiceContext, dataPath: DataPath
    ) {
        self.group = group
        name = group.name
        self.channel = channel.name
        expected = SlateFormat(expecting: channel)
        self.statistics = statistics
        lifetime = min(context.testHooks.encoderLifetime ?? Self.longestLife, Self.longestLife)
        pauses = EffortMachine.Pauses(first: context.testHooks.presetPause)
        effort = EffortMachine(pauses: pauses)
        self.context = context
        self.dataPath = dataPath
        logger = context.logger(["channel": "\(channel.name)", "group": "\(group.name)"])
        monitor = ChildMonitor(context: context, logger: logger)
        (events, queue) = AsyncStream.makeStream()
        epoch = ContinuousClock().now
    }

    nonisolated var subject: String { name }
    nonisolated func report(_ event: GroupMachine.Event) { queue.yield(.machine(event)) }
    nonisolated func report(_ event: EncoderEvent, of generation: GroupMachine.Generation) {
        queue.yield(.data(generation, event))
    }
    nonisolated func report(_ move: EncoderPool.Move) { queue.yield(.move(move)) }
    nonisolated func reportHung(_ generation: GroupMachine.Generation) { queue.yield(.hung(generation)) }

    nonisolated func want(_ wanted: Bool) { queue.yield(.machine(.want(wanted))) }
    /// This is on air. An encoder that was made for another frame rate is replaced.
    nonisolated func arriving(_ format: VideoFormat?, isSlate: Bool) {
        queue.yield(.arriving(format, isSlate: isSlate))
    }
    /// The source on air goes on with another size or frame rate. An encoder that was told a wrong one is handed over.
    nonisolated func changes(to format: VideoFormat?) { queue.yield(.changed(format)) }
    /// Goes on by another configuration, from one frame to the next.
    nonisolated func change(to group: GroupConfiguration) { queue.yield(.change(group)) }
    /// Ends the group for good.
    nonisolated func finish() { queue.yield(.finish) }

    /// Runs until ``finish()`` was called and the last process has ended.
    func run() async {
        requestEncoder { self.report($0) }
        await withDiscardingTaskGroup { tasks in
            watchLifetime(in: &tasks)
            for await event in events {
                switch event {
                case .machine(.want) where isFinishing: break
                case .machine(let event): handle(event, in: &tasks)
                case .data(let generation, let event): handle(event, of: generation, in: &tasks)
                case .arriving(let format, let isSlate): note(format, isSlate: isSlate, in: &tasks)
                case .changed(let format): follow(format, in: &tasks)
                case .look: refreshIfDue(in: &tasks)
                case .room(let sample): noteRoom(sample, in: &tasks)
                case .hung(let generation): isHung(generation, in: &tasks)
                case .change(let group): change(to: group, in: &tasks)
                case .move(let move): self.move(move, to: choice, in: &tasks)
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
        context.encoders.forget(name)
    }

    /// Hands the group over, to a candidate or to a fresh process of the encoder in use, and waits until that has the
    /// feed.
    func handOver(to candidate: EncoderCandidate?) async -> HandoverResult {
        await withCheckedContinuation { waiting in
            if case .terminated = queue.yield(.handOver(candidate, waiting)) {
                waiting.resume(returning: .failed("the group has ended"))
            }
        }
    }

    /// Tries an encoder for this group, beside the one that runs.
    func trial(of candidate: EncoderCandidate) async -> TrialResult {
        guard let job else { return .failed(.unsupported, "group \(name) copies its picture, so it has no encoder") }
        return await context.encoders.attempt(candidate, job)
    }

    /// What the group would be given now, and why: for people.
    var choice: EncoderSelector.Choice {
        guard job != nil else {
            return .init(candidate: nil, isDegraded: false, reason: "the picture is passed on as it comes")
        }
        return context.encoders.choice(for: name)
    }

    // MARK: The encoder

    /// What an encoder has to do here; `nil` where the picture is copied.
    private var job: EncodingJob? {
        guard case .encode(let wish) = group.video else { return nil }
        return EncodingJob(
            wish, arriving: arriving?.size ?? expected.size,
            rate: wish.rate(of: arriving) ?? expected.rate, size: wish.size == nil ? size : nil,
            pixel: arriving?.pixelAspect ?? .square)
    }

    /// Says what the group needs now.
    private func requestEncoder(_ moved: (@Sendable (EncoderPool.Move) -> Void)? = nil) {
        guard case .encode(let wish) = group.video, let job else { return context.encoders.forget(name) }
        context.encoders.need(wish, as: job, for: name, moved: moved)
    }

    // MARK: Events

    func stateChanged() {
        statistics.stateChanged(machine.actual, wanted: machine.wanted)
        if machine.actual != .live { answer(.failed("the encoder in use ended meanwhile; a new one takes over")) }
    }

    func settled(_ generation: GroupMachine.Generation, after gap: Duration?) {
        answer(
            gap.map { .handedOver(generations[generation]?.encoder, after: $0) }
                ?? .failed("the encoder that was to take over ended; the one before goes on"))
        guard gap == nil else { return }
        if effort.isTrying {
            change(effort: .failed)
            let metadata: Logger.Metadata = ["again": "\(effort.pause)"]
            logger.warning("the encoder with the better preset did not take over", metadata: metadata)
        }
        if let changed { queue.yield(.changed(changed)) }
    }

    func handedOver(_ cause: HandoverCause, gap: Duration) { statistics.handedOver(cause, gap: gap) }

    func ended(_ exit: ChildExit, of encoder: EncoderCandidate?, cause: HandoverCause?, started: Timestamp) {
        statistics.ended(exit, of: encoder?.name ?? "copy", cause: cause, started: started)
    }

    nonisolated func progressed(_ progress: Progress?, of generation: GroupMachine.Generation) {
        guard let progress else { return statistics.forget(generation) }
        if let dropped = progress.dropped { statistics.dropped(dropped, by: generation) }
    }

    func promoted(_ generation: GroupMachine.Generation, in tasks: inout DiscardingTaskGroup) {
        inUseSince = ContinuousClock().now
        notePreset(of: generation)
        if let changed { queue.yield(.changed(changed)) }
    }

    /// One task for all generations: one of each, asleep until long after its end, would add up over a night of
    /// handovers.
    private func watchLifetime(in tasks: inout DiscardingTaskGroup) {
        tasks.addTask { [queue, lifetime] in
            while await (try? ContinuousClock().sleep(for: lifetime / Self.looksPerLifetime)) != nil {
                queue.yield(.look)
            }
        }
    }

    private func refreshIfDue(in tasks: inout DiscardingTaskGroup) {
        // It must not be late, so it is early by up to one look.
        guard ContinuousClock().now - inUseSince >= lifetime - lifetime / Self.looksPerLifetime,
            machine.actual == .live, machine.successor == nil
        else { return }
        handle(.handOver(.refresh), in: &tasks)
    }

    func isSlow(_ generation: GroupMachine.Generation, in tasks: inout DiscardingTaskGroup) {
        if let encoder, !encoder.isSoftware {
            generations[generation]?.fault = .slow
            logger.warning("the encoder is too slow to keep real time: another one takes over")
            blame(generation, .slow)
            return handle(.replace(.slow), in: &tasks)
        }
        let isRelapse = effort.isTrying
        guard change(effort: .slow) == .replace else {
            // What to do about it is said by the status, whose problems are logged.
            logger.warning("the encoder is too slow to keep real time, and there is no faster one")
            return statistics.isTooSlow(true)
        }
        generations[generation]?.fault = .slow
        let metadata: Logger.Metadata = ["preset": "\(preset(effort.effort))", "again": "\(effort.pause)"]
        if isRelapse {
            logger.warning("there is no room for a better preset beside the encoder in use", metadata: metadata)
        } else {
            logger.warning("the encoder is too slow to keep real time: a faster preset takes over", metadata: metadata)
        }
        handle(.replace(.slow), in: &tasks)
        lookForRoom(in: &tasks)
    }

    // MARK: The preset

    @discardableResult
    private func change(effort event: EffortMachine.Event) -> EffortMachine.Effect? {
        let steps = codec.map { SoftwarePreset.efforts(for: $0) } ?? []
        return effort.handle(event, steps: steps, now: ContinuousClock().now - epoch)
    }

    /// `nil` where the picture is copied.
    private var codec: VideoCodec? { if case .encode(let wish) = group.video { wish.codec } else { nil } }

    private func preset(_ effort: EncoderEffort) -> String { SoftwarePreset.name(effort, for: codec ?? .h264) }

    /// A generation has the feed: notes with which preset.
    private func notePreset(of generation: GroupMachine.Generation) {
        let used = generations[generation]?.effort
        if effort.isTrying, used == effort.effort {
            change(effort: .tookOver)
            logger.notice("a better preset is in use", metadata: ["preset": "\(preset(effort.effort))"])
        }
        statistics.hasLoweredPreset(used.flatMap { $0 == .normal ? nil : preset($0) })
    }

    /// Looks at the processors after a while, as long as a better preset is wanted.
    private func lookForRoom(in tasks: inout DiscardingTaskGroup) {
        guard effort.isLowered || effort.isTrying, !isLookingForRoom else { return }
        isLookingForRoom = true
        let child = generations[machine.current]?.child
        tasks.addTask { [queue, pauses, times = context.testHooks.processorTimes] in
            guard await (try? ContinuousClock().sleep(for: pauses.look)) != nil else { return }
            let sample = await BlockingIO.run { child?.pid.flatMap { ProcessorRoom.sample(of: $0, processors: times) } }
            queue.yield(.room(sample))
        }
    }

    /// Hands over to a better preset where there is room for it.
    private func noteRoom(_ sample: ProcessorRoom.Sample?, in tasks: inout DiscardingTaskGroup) {
        isLookingForRoom = false
        let hasRoom = !statistics.now.isTooSlow && (ProcessorRoom.isThere(from: lastSample, to: sample) ?? true)
        lastSample = sample
        defer { lookForRoom(in: &tasks) }
        guard machine.actual == .live, machine.successor == nil else { return }
        guard encoder?.isSoftware == true else {
            change(effort: .unused)
            return
        }
        guard change(effort: .look(hasRoom: hasRoom)) == .handOver else { return }
        let metadata: Logger.Metadata = ["preset": "\(preset(effort.effort))"]
        logger.notice("there is room for a better preset: it takes over", metadata: metadata)
        handle(.handOver(.room), in: &tasks)
    }

    func keepsUp() {
        guard statistics.now.isTooSlow else { return }
        logger.notice("the encoder keeps real time again")
        statistics.isTooSlow(false)
    }

    private func note(_ format: VideoFormat?, isSlate: Bool, in tasks: inout DiscardingTaskGroup) {
        guard let format, case .encode(let wish) = group.video else { return }
        changed = nil
        guard let known = arriving else {
            // The first: now it is known what encoders have to be tried at.
            arriving = format
            requestEncoder()
            if isMisfit(format) { handle(.handOver(.source), in: &tasks) }
            return
        }
        let isOtherRate = isOtherRate(known.frameRate, format.frameRate, for: wish)
        // What stood in for the first source had a size of its own.
        let isFirstSize =
            wish.size == nil && size == nil && !isSlate && (known.width, known.height) != (format.width, format.height)
        if isOtherRate || isFirstSize {
            handle(.replace(.source), in: &tasks)
        } else if isMisfit(format) {
            handle(.handOver(.source), in: &tasks)
        }
    }

    /// The source on air goes on in another format.
    ///
    /// An encoder that starts is left to give its first frame, and one that is to take over may have been told already:
    /// the format is looked at again after that.
    private func follow(_ format: VideoFormat?, in tasks: inout DiscardingTaskGroup) {
        guard let format, case .encode(let wish) = group.video else { return }
        guard let known = arriving else {
            arriving = format
            return requestEncoder()
        }
        changed = format
        guard machine.actual == .live, machine.successor == nil else { return }
        changed = nil
        let isMistold = RateCorrection.isNeeded(for: wish, told: known.frameRate, rate: format.frameRate)
        if isMistold {
            logger.notice(
                "the encoder was told \(known.frameRate == nil ? "no" : "a wrong") frame rate: another one takes over",
                metadata: ["video": "\(format)", "told": "\(known)"])
        }
        if isMistold || isMisfit(format) { handle(.handOver(.source), in: &tasks) }
    }

    /// A measured rate differs a little from an announced one. Where the rate is converted, that is another grid.
    private func isOtherRate(_ known: FrameRate?, _ next: FrameRate?, for wish: VideoEncoding)
        -> Bool
    {
        guard let known, let next else { return false }
        return wish.rate == nil ? !known.agrees(with: next) : known != next
    }

    private func isMisfit(_ format: VideoFormat) -> Bool { scope.map { !$0.suits(ArrivingFrames(format)) } ?? false }

    private func handOver(
        to candidate: EncoderCandidate?, for waiting: CheckedContinuation<HandoverResult, Never>,
        in tasks: inout DiscardingTaskGroup
    ) {
        guard self.waiting == nil else {
            return waiting.resume(returning: .failed("another handover of the group is under way"))
        }
        guard machine.actual == .live else {
            return waiting.resume(returning: .failed("group \(name) is not live, so there is nothing to hand over"))
        }
        formerPin = context.encoders.pinned(to: name)
        if let candidate { context.encoders.pin(candidate, to: name) }
        self.waiting = waiting
        handle(.handOver(.byOperator), in: &tasks)
    }

    /// Tells whoever waits for a handover what became of it.
    private func answer(_ result: HandoverResult) {
        guard let waiting else { return }
        self.waiting = nil
        if case .failed = result { context.encoders.pin(formerPin, to: name) }
        waiting.resume(returning: result)
    }

    private func change(to group: GroupConfiguration, in tasks: inout DiscardingTaskGroup) {
        let encodesAnother = self.group.video != group.video || self.group.audio != group.audio
        self.group = group
        guard encodesAnother else { return }
        change(effort: .reset)
        context.encoders.pin(nil, to: name)
        requestEncoder { self.report($0) }
        statistics.isTooSlow(false)
        handle(.handOver(.config), in: &tasks)
    }

    // MARK: One generation

    func prepare(_ generation: GroupMachine.Generation, _ beginning: EncoderGeneration.Beginning) async throws
        -> EncoderGeneration.Ready?
    {
        if beginning == .fresh, job != nil { await context.encoders.firstVerdict(for: name) }
        while true {
            let (command, cut) = await self.command(beginning, for: generation)
            guard let command else { return nil }
            do {
                let (attachment, input, output) = try await dataPath.attachEncoder(
                    to: group.name, in: channel, needsKeyframe: group.video != .copy, copiesSound: group.audio == .copy,
                    takingOverAt: cut, isFresh: beginning == .fresh, startPatience: startPatience
                ) { self.report($0, of: generation) }
                return EncoderGeneration.Ready(command: command, attachment: attachment, input: input, output: output)
            } catch is DataPath.PassedBy {
                logger.debug("the place to take over has passed meanwhile")
            }
        }
    }

    /// What a generation uses; `nil` where the picture is copied, or nothing works.
    private func assign(to generation: GroupMachine.Generation) -> EncoderCandidate? {
        let choice = context.encoders.assign(to: name)
        if choice.candidate == nil { monitor.log(.error, "there is no encoder: \(choice.reason)") }
        generations[generation]?.encoder = choice.candidate
        return choice.candidate
    }

    private func command(_ beginning: EncoderGeneration.Beginning, for generation: GroupMachine.Generation) async -> (
        FFmpegCommand?, Splicer.Cut?
    ) {
        guard beginning == .ahead else {
            var place = await dataPath.resumption(of: group.name, in: channel)
            // The pictures of another rate, or on the grid of a conversion, may lie next to the last one.
            if beginning == .repaced { place.video = place.video.map { $0 + place.halfFrame } }
            return (
                command(
                    for: place.videoFormat, isSlate: place.isSlate,
                    resume: beginning == .fresh ? nil : ResumePoint(place), of: generation), nil
            )
        }
        guard let place = await dataPath.takeover(of: group.name, in: channel, lead: Self.lead) else {
            return (nil, nil)
        }
        let audio = place.audio(rate: group.audio.encodedRate)
        return (
            command(
                for: place.videoFormat, isSlate: place.isSlate,
                resume: ResumePoint(
                    videoStart: place.video, audioStart: audio, readingFrom: place.first ?? place.video), of: generation
            ),
            Splicer.Cut(video: place.video, audio: audio)
        )
    }

    private func command(
        for format: VideoFormat?, isSlate: Bool, resume: ResumePoint?, of generation: GroupMachine.Generation
    ) -> FFmpegCommand? {
        arriving = format
        let size = size ?? format.map { ArrivingFrames($0).squareSize }
        if !isSlate { self.size = size }
        let ffmpeg = context.ffmpeg.capabilities
        guard case .encode(let wish) = group.video else {
            scope = nil
            return Commands.encoder(
                group, recipe: Libx264Recipe(), format: format, size: size, resume: resume, ffmpeg: ffmpeg)
        }
        requestEncoder()
        guard let candidate = assign(to: generation) else { return nil }
        guard let recipe = context.encoders.recipe(for: candidate, in: name, effort: effort.effort) else { return nil }
        generations[generation]?.effort = candidate.isSoftware ? effort.effort : nil
        scope = FilterScope(wish, size: size, frames: format.map { ArrivingFrames($0) }, scalesOnGPU: recipe.scales)
        return Commands.encoder(group, recipe: recipe, format: format, size: size, resume: resume, ffmpeg: ffmpeg)
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
