import BoxConfiguration
import DataPath
import EncoderSelection
import FFmpeg
import Logging
import MediaTypes

/// The encoder of a source whose frames the service has itself: the best of the box, and its generations, each handed
/// over to the next. For as long as a stream of frames lasts.
actor MezzanineRunner: EncoderSupervisor {
    nonisolated let subject: String
    nonisolated let context: ServiceContext
    nonisolated let dataPath: DataPath
    nonisolated let monitor: ChildMonitor
    nonisolated let logger: Logger
    nonisolated let epoch = ContinuousClock().now
    // The next stream waits for it.
    nonisolated let endOfInputPatience = Duration.seconds(1)
    // What is kept of large frames is little more than a second.
    nonisolated let busyPatience = Duration.milliseconds(500)

    var machine = GroupMachine(policy: .encoder)
    var generations: [GroupMachine.Generation: EncoderGeneration] = [:]
    var waitsForFirstPicture = false

    private let frames: DataPath.Attachment
    private let mezzanine: MezzanineConfiguration
    private let job: EncodingJob
    private let rate: FrameRate?
    private let statistics: ProcessStatistics
    private var isFinishing = false
    private nonisolated let events: AsyncStream<Event>
    private nonisolated let queue: AsyncStream<Event>.Continuation

    private enum Event: Sendable {
        case machine(GroupMachine.Event)
        case data(GroupMachine.Generation, EncoderEvent)
        case move(EncoderPool.Move)
        case hung(GroupMachine.Generation)
        case finish
    }

    /// - Parameters:
    ///   - subject: The source's name among those who ask for encoders.
    ///   - rate: Frames a second; `nil` where it is not known.
    init(
        _ subject: String, of frames: DataPath.Attachment, size: FrameSize, rate: FrameRate?,
        mezzanine: MezzanineConfiguration, context: ServiceContext,
        dataPath: DataPath, statistics: ProcessStatistics, logger: Logger
    ) {
        self.subject = subject
        self.frames = frames
        self.mezzanine = mezzanine
        self.rate = rate
        job = mezzanine.job(size: size, rate: rate)
        self.context = context
        self.dataPath = dataPath
        self.statistics = statistics
        self.logger = logger
        monitor = ChildMonitor(context: context, logger: logger)
        (events, queue) = AsyncStream.makeStream()
    }

    nonisolated func report(_ event: GroupMachine.Event) { queue.yield(.machine(event)) }
    nonisolated func report(_ event: EncoderEvent, of generation: GroupMachine.Generation) {
        queue.yield(.data(generation, event))
    }
    nonisolated func report(_ move: EncoderPool.Move) { queue.yield(.move(move)) }
    nonisolated func reportHung(_ generation: GroupMachine.Generation) { queue.yield(.hung(generation)) }
    /// No more frames come.
    nonisolated func finish() { queue.yield(.finish) }

    /// Runs until ``finish()`` was called and the last process has ended.
    func run() async {
        context.encoders.need(mezzanine.wish, as: job, for: subject) { self.report($0) }
        await withDiscardingTaskGroup { tasks in
            handle(.want(true), in: &tasks)
            for await event in events {
                switch event {
                case .machine(let event): handle(event, in: &tasks)
                case .data(let generation, let event): handle(event, of: generation, in: &tasks)
                case .move(let move): self.move(move, to: context.encoders.choice(for: subject), in: &tasks)
                case .hung(let generation): isHung(generation, in: &tasks)
                case .finish:
                    isFinishing = true
                    handle(.want(false), in: &tasks)
                }
                if isFinishing, machine.actual == .idle, generations.isEmpty { break }
            }
            queue.finish()
            tasks.cancelAll()
        }
        statistics.isEncoded(by: nil)
    }

    // MARK: One generation

    func prepare(_ generation: GroupMachine.Generation, _ beginning: EncoderGeneration.Beginning) async throws
        -> EncoderGeneration.Ready?
    {
        if beginning == .fresh { await context.encoders.firstVerdict(for: subject) }
        // Whatever the order of the box: without a picture nothing goes on.
        let candidate = context.encoders.assign(to: subject).candidate ?? .software(.h264)
        generations[generation]?.encoder = candidate
        let recipe =
            context.encoders.recipe(for: candidate, in: subject, effort: .least) ?? Libx264Recipe(effort: .least)
        let (attachment, input, output) = try await dataPath.attachEncoder(
            ofFrames: frames, takesOver: beginning == .ahead, startPatience: startPatience,
            frameDuration: rate.map { .seconds($0.denominator) / $0.numerator }
        ) { self.report($0, of: generation) }
        let command = FrameEncoderCommand(settings: job.settings, recipe: recipe, rate: rate).command(
            for: context.ffmpeg.capabilities)
        return EncoderGeneration.Ready(command: command, attachment: attachment, input: input, output: output)
    }

    func stateChanged() {}

    func settled(_ generation: GroupMachine.Generation, after gap: Duration?) {}

    func promoted(_ generation: GroupMachine.Generation, in tasks: inout DiscardingTaskGroup) {
        statistics.isEncoded(by: generations[generation]?.encoder)
    }

    func keepsUp() {}

    func handedOver(_ cause: HandoverCause, gap: Duration) {}

    func ended(_ exit: ChildExit, of encoder: EncoderCandidate?, cause: HandoverCause?, started: Timestamp) {
        // That it ends with its frames is nobody's concern.
        if cause != nil, exit.cause != .ended { statistics.encoderEnded(exit, started: started) }
    }

    nonisolated func progressed(_ progress: Progress?, of generation: GroupMachine.Generation) {}

    func isSlow(_ generation: GroupMachine.Generation, in tasks: inout DiscardingTaskGroup) {
        guard let encoder, !encoder.isSoftware else {
            return logger.warning(
                """
                the encoder is too slow to keep real time, and there is no faster one: make the source's picture \
                smaller or its rate lower
                """
            )
        }
        logger.warning("the encoder is too slow to keep real time: another one takes over")
        generations[generation]?.fault = .slow
        blame(generation, .slow)
        handle(.replace(.slow), in: &tasks)
    }
}

extension MezzanineConfiguration {
    /// What a source asks of an encoder.
    var wish: VideoEncoding { VideoEncoding(bitrate: bitrate, keyframe: keyframe) }

    /// What that comes to with the frames that arrive.
    func job(size: FrameSize?, rate: FrameRate?) -> EncodingJob { EncodingJob(wish, arriving: size, rate: rate) }
}
