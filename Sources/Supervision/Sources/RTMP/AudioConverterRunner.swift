import DataPath
import FFmpeg
import Logging
import MPEGTS
import Synchronization

/// Converts a publisher's audio that a feed does not carry to AAC, with one process, for as long as the publisher's
/// stream is taken.
///
/// The video never waits for the process. The next process continues where the former one ended. If a process gives
/// nothing for a while, a second one starts beside it, and the first of the two that gives audio stays.
final class AudioConverterRunner: Sendable {
    private struct State {
        /// The audio that arrives. `nil` while the feed carries it.
        var audio: ForeignAudio?
        /// Whether the service converts it: it has to be converted, and can be.
        var isWanted = false
        /// The publisher's stream. `nil` while the process is not run.
        var source: DataPath.Attachment?
        /// The running processes, by the order of their starts: one, or one that is late and another beside it.
        var runs: [Int: Run] = [:]
        var lastRun = 0
        /// Starts another process.
        var changes: AsyncStream<Change>.Continuation?
        var lastStart: ContinuousClock.Instant?
        /// When another process may be started beside one that is late.
        var nextSpare: ContinuousClock.Instant?
        /// Whether the publisher's stream has ended.
        var isOver = false
    }

    private struct Run {
        let child = ChildHandle()
        var attachment: DataPath.Attachment?
        var isStalled = false
    }

    private enum Change {
        case start, end
    }

    private let channel: String
    private let context: ServiceContext
    private let dataPath: DataPath
    private let statistics: ProcessStatistics
    private let logger: Logger
    private let monitor: ChildMonitor
    private let process = ProcessQueue()
    /// Returns how many changes before were not logged. `nil` when this one is not to be logged either.
    private let limit: @Sendable () -> Int?
    private let state = Mutex(State())

    /// How long a process may continue to deliver nothing once the data path has reported it. The limit doubles each
    /// time that the process before delivered nothing at all.
    private static let patience = Duration.seconds(1)
    /// The shortest time from one start to the next: a publisher may change its codec with each message.
    private static let leastInterval = Duration.seconds(1)
    private static let checkInterval = Duration.milliseconds(10)
    /// The shortest time from one process that is started beside a late one to the next, where the late one continued:
    /// if the machine is too busy for one process, a second one does not help.
    private static let spareInterval = Duration.seconds(5)

    /// - Parameters:
    ///   - statistics: The statistics of the source.
    ///   - logger: The logger of the source.
    ///   - limit: Returns how many changes before were not logged. `nil` when this one is not to be logged either.
    init(
        of channel: String, context: ServiceContext, dataPath: DataPath, statistics: ProcessStatistics, logger: Logger,
        limit: @escaping @Sendable () -> Int?
    ) {
        self.channel = channel
        self.context = context
        self.dataPath = dataPath
        self.statistics = statistics
        var logger = logger
        logger[metadataKey: "process"] = "sound"
        self.logger = logger
        monitor = ChildMonitor(context: context, logger: logger)
        self.limit = limit
    }

    /// Keeps the process running while it is wanted, until ``finish()``.
    func run(of source: DataPath.Attachment) async {
        let runner = ProcessRunner(
            machine: ProcessMachine(policy: .encoder, stallPatience: Self.patience),
            // The source's own statistics are about the publisher.
            statistics: ProcessStatistics(), queue: process,
            changed: { self.stateChanged($0) },
            endInput: {
                for attachment in self.state.withLock({ $0.runs.values.compactMap(\.attachment) }) {
                    await self.dataPath.endInput(of: attachment)
                }
            },
            blamesHangs: true, startBlame: .stuck, clock: context.clock,
            live: { await self.live($0) })
        state.withLock { state in
            state.source = source
            if state.isWanted { process.report(.want(true)) }
            if state.isOver { process.finish() }
        }
        await runner.run()
        state.withLock { $0.source = nil }
    }

    /// Reports an event to the process while it is run.
    private func report(_ event: ProcessMachine.Event, _ state: State) {
        if state.source != nil { process.report(event) }
    }

    /// Ends the process at once: the publisher's stream has ended, and the next stream does not wait for it.
    func finish() {
        state.withLock { state in
            (state.isOver, state.isWanted) = (true, false)
            for run in state.runs.values { run.child.stop(.now) }
            if state.source != nil { process.finish() }
        }
    }

    // MARK: Incoming audio

    /// Called when audio arrives that the feed does not carry, or other such audio than before.
    ///
    /// - Parameter audio: `nil` once the feed carries it again.
    func audioChanged(to audio: ForeignAudio?) {
        let remedy = audio.flatMap { Self.remedy(for: $0, in: context.ffmpeg.capabilities) }
        // Under the lock, so that the last report is true.
        state.withLock { state in
            let wasWanted = state.isWanted
            state.audio = audio
            state.isWanted = audio != nil && remedy == nil && !state.isOver
            statistics.note(.audio, audio.map { Self.note($0, remedy) })
            guard wasWanted, state.isWanted else {
                report(.want(state.isWanted), state)
                return
            }
            // A process that failed with the audio before may be in a long pause.
            report(.replace, state)
            report(.hurry, state)
        }
        guard let audio, let suppressed = limit() else { return }
        var metadata: Logger.Metadata = ["codec": "\(audio.name)"]
        if suppressed > 0 { metadata["suppressed"] = "\(suppressed)" }
        if remedy == nil {
            logger.notice("the source's audio is converted", metadata: metadata)
        } else {
            logger.warning(
                "the source's audio cannot be used: silence is sent in its place", metadata: metadata)
        }
    }

    private static func note(_ audio: ForeignAudio, _ remedy: String?) -> String {
        remedy.map { SourceNote.unusable(audio, $0) } ?? SourceNote.converted(audio)
    }

    /// Returns the fix for audio that this FFmpeg cannot convert, as the end of a sentence. `nil` if it can.
    static func remedy(for audio: ForeignAudio, in ffmpeg: FFmpegCapabilities) -> String? {
        if audio.isSeveralTracks { return "set the encoder to send one, in AAC-LC" }
        let codec = "have the encoder send AAC-LC"
        guard let name = audio.codec else { return codec }
        guard ffmpeg.readsFromFLV(audio: name) else { return "\(codec), or use FFmpeg 8 or later" }
        let missing = ([FFmpegPart].convertedAudio + [.decoder(name)]).first { !$0.isIn(ffmpeg) }
        return missing.map { "\(codec), or set `ffmpeg:` to one that has \($0)" }
    }

    // MARK: The process

    private func stateChanged(_ actual: ProcessMachine.Actual) {
        state.withLock { state in
            guard state.isWanted, let audio = state.audio else { return }
            switch actual {
            case .live: statistics.note(.audio, SourceNote.converted(audio))
            case .pausing: statistics.note(.audio, SourceNote.unconverted(audio))
            case .idle, .starting, .stalled, .ending: break
            }
        }
    }

    /// Converts until the process ends or has to end. If another process has taken over, until that one does.
    private func live(_ child: ChildHandle) async {
        let start = state.withLock { state in
            let now = context.clock.now
            let start = max(now, state.lastStart.map { $0 + Self.leastInterval } ?? now)
            state.lastStart = start
            return start
        }
        while child.requested == nil, context.clock.now < start {
            guard (try? await context.clock.sleep(for: Self.checkInterval)) != nil else { return }
        }
        let (changes, queue) = AsyncStream<Change>.makeStream()
        state.withLock { $0.changes = queue }
        queue.yield(.start)
        await withDiscardingTaskGroup { group in
            group.addTask {
                while !Task.isCancelled {
                    await child.untilAsked()
                    self.stop(as: child)
                }
            }
            var running = 0
            for await change in changes {
                switch change {
                case .start:
                    running += 1
                    group.addTask {
                        await self.convert(for: child)
                        queue.yield(.end)
                    }
                case .end: running -= 1
                }
                if running == 0 { break }
            }
            group.cancelAll()
        }
        state.withLock { $0.changes = nil }
    }

    /// Ends all running processes, gracefully or at once, as was requested of the child.
    private func stop(as child: ChildHandle) {
        guard let request = child.requested else { return }
        for run in state.withLock({ Array($0.runs.values) }) { run.child.stop(request, for: child.blame) }
    }

    /// Runs one process.
    private func convert(for child: ChildHandle) async {
        let (number, own, source) = state.withLock { state in
            state.lastRun += 1
            let run = Run()
            state.runs[state.lastRun] = run
            return (state.lastRun, run.child, state.isOver ? nil : state.source)
        }
        defer { ended(number) }
        // A request to end that comes from now on finds this process.
        guard let source, child.requested == nil else { return }
        do {
            let format = await dataPath.audioFormat(of: channel) ?? .stereo48
            let sound = try await dataPath.attachAudioConverter(of: source, sampleRate: format.sampleRate) {
                self.handle($0, of: number)
            }
            state.withLock { $0.runs[number]?.attachment = sound.attachment }
            // Without these filters the first frame may be half a frame off.
            let canCut = [FFmpegPart].resumedAudio.allSatisfy { $0.isIn(context.ffmpeg.capabilities) }
            let started = Timestamp.now
            let exit = await monitor.run(
                FFmpegCommands.audioConverter(
                    sampleRate: format.sampleRate, firstSample: canCut ? sound.firstSample : nil), input: sound.input,
                output: sound.output, child: own, expected: [.ended])
            await dataPath.detach(sound.attachment)
            if let cause = exit.cause, cause != .ended { statistics.encoderEnded(exit, started: started) }
        } catch is DataPath.NothingToConvert {
            // The source has ended, which is about to be reported.
        } catch {
            monitor.log(.error, "cannot convert the source's audio", reason: "\(error)")
        }
    }

    private func ended(_ number: Int) {
        state.withLock { state in
            state.runs[number] = nil
            // The remaining process was not replaced while another one ran.
            guard let newest = state.runs.keys.max(), state.runs[newest]?.isStalled == true else { return }
            report(.stalled, state)
        }
    }

    private func handle(_ event: AudioConverterEvent, of number: Int) {
        switch event {
        case .delivering:
            logger.debug("converting")
            state.withLock { state in
                state.runs[number]?.isStalled = false
                report(.delivering, state)
            }
        case .late: startSpare()
        case .replaced:
            monitor.log(.warning, "the audio converter gave nothing: another process continues")
            state.withLock { state in
                // This process hung, and the other one may hang, too.
                state.nextSpare = state.lastStart.map { $0 + Self.leastInterval }
                state.runs[number]?.child.stop(.now, for: .stuck)
            }
        case .unneeded: state.withLock { $0.runs[number]?.child }?.stop(.now)
        case .stalled: stalled(number)
        case .outdated: state.withLock { report(.replace, $0) }
        case .dropped(let count):
            monitor.log(
                .warning, "audio is lost: the audio converter does not take it in time",
                metadata: ["messages": "\(count)"])
        }
    }

    /// Starts a process beside the one that is late.
    private func startSpare() {
        state.withLock { state in
            let now = context.clock.now
            guard state.runs.count == 1, state.isWanted, now >= state.nextSpare ?? now else { return }
            (state.lastStart, state.nextSpare) = (now, now + Self.spareInterval)
            state.changes?.yield(.start)
        }
    }

    private func stalled(_ number: Int) {
        let isAlone = state.withLock { state in
            state.runs[number]?.isStalled = true
            return state.runs.keys.max() == number
        }
        // Another one may take over.
        guard isAlone else { return }
        monitor.log(.warning, "the audio converter gives nothing: it is replaced unless it does so soon")
        state.withLock { report(.stalled, $0) }
    }
}
