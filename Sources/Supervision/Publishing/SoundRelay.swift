import DataPath
import FFmpeg
import Logging
import Synchronization
import TransportStream

/// A publisher's audio that a feed does not carry: the process that makes AAC of it, and what is told of both. For as
/// long as the publisher's stream is taken.
///
/// The process is on its own. While it starts, or is replaced, silence stands in for its sound.
final class SoundRelay: Sendable {
    private struct State {
        /// What comes; `nil` while the feed carries it.
        var audio: ForeignAudio?
        /// It is to be converted, and can be.
        var isWanted = false
        /// The publisher's stream.
        var source: DataPath.Attachment?
        var process: ProcessRunner?
        /// What runs of it.
        var child: ChildHandle?
        var attachment: DataPath.Attachment?
        var lastStart: ContinuousClock.Instant?
        /// The publisher's stream has ended.
        var isOver = false
    }

    private let channel: String
    private let box: Box
    private let dataPath: DataPath
    private let ledger: ProcessLedger
    private let logger: Logger
    private let life: Life
    /// Whether a change is to be logged.
    private let limit: @Sendable () -> Int?
    private let state = Mutex(State())

    /// How long a process may go on giving nothing once the data path has told so; twice as long each time where the
    /// one before gave nothing at all.
    private static let patience = Duration.seconds(1)
    /// From one start to the next, at the least: a publisher may change its codec with each message.
    private static let leastInterval = Duration.seconds(1)
    private static let look = Duration.milliseconds(10)

    /// - Parameters:
    ///   - ledger: The source's.
    ///   - logger: Likewise.
    ///   - limit: How many changes before were not logged, where one is to be.
    init(
        of channel: String, box: Box, dataPath: DataPath, ledger: ProcessLedger, logger: Logger,
        limit: @escaping @Sendable () -> Int?
    ) {
        self.channel = channel
        self.box = box
        self.dataPath = dataPath
        self.ledger = ledger
        var logger = logger
        logger[metadataKey: "process"] = "sound"
        self.logger = logger
        life = Life(box: box, logger: logger)
        self.limit = limit
    }

    /// Keeps the process running while it is wanted, until ``finish()``.
    func run(of source: DataPath.Attachment) async {
        let process = ProcessRunner(
            machine: ProcessMachine(policy: .encoder, stallPatience: Self.patience),
            // That of the source tells what the source does.
            ledger: ProcessLedger(),
            changed: { self.stands($0) },
            endInput: {
                guard let attachment = self.state.withLock({ $0.attachment }) else { return }
                await self.dataPath.endInput(of: attachment)
            },
            blamesHangs: true, startBlame: .stuck,
            live: { await self.live($0) })
        state.withLock { state in
            (state.source, state.process) = (source, process)
            if state.isWanted { process.report(.want(true)) }
            if state.isOver { process.finish() }
        }
        await process.run()
        state.withLock { $0.process = nil }
    }

    /// Ends the process at once: the publisher's stream has ended, and the next one is not to wait for it.
    func finish() {
        state.withLock { state in
            (state.isOver, state.isWanted) = (true, false)
            state.child?.stop(.now)
            state.process?.finish()
        }
    }

    // MARK: What comes

    /// Audio comes that the feed does not carry, or other such audio than before; `nil` once it is carried again.
    func comes(_ audio: ForeignAudio?) {
        let remedy = audio.flatMap { Self.remedy(for: $0, in: box.ffmpeg.capabilities) }
        // Under the lock, so that what was told last is what holds.
        state.withLock { state in
            let wasWanted = state.isWanted
            state.audio = audio
            state.isWanted = audio != nil && remedy == nil && !state.isOver
            ledger.note(.sound, audio.map { Self.note($0, remedy) })
            guard wasWanted, state.isWanted else {
                state.process?.report(.want(state.isWanted))
                return
            }
            // One that has failed with the audio before may wait for long.
            state.process?.report(.replace)
            state.process?.report(.hurry)
        }
        guard let audio, let unsaid = limit() else { return }
        var metadata: Logger.Metadata = ["codec": "\(audio.name)"]
        if unsaid > 0 { metadata["unsaid"] = "\(unsaid)" }
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

    /// What can be done about audio that this FFmpeg cannot convert, as the end of a sentence; `nil` where it can.
    static func remedy(for audio: ForeignAudio, in ffmpeg: FFmpegCapabilities) -> String? {
        if audio.isSeveralTracks { return "set the encoder to send one, in AAC-LC" }
        let codec = "have the encoder send AAC-LC"
        guard let name = audio.codec else { return codec }
        guard ffmpeg.readsFromFLV(audio: name) else { return "\(codec), or use FFmpeg 8 or later" }
        let missing = ([FFmpegPart].convertedSound + [.decoder(name)]).first { !$0.isIn(ffmpeg) }
        return missing.map { "\(codec), or set `ffmpeg:` to one that has \($0)" }
    }

    // MARK: The process

    private func stands(_ actual: ProcessMachine.Actual) {
        state.withLock { state in
            guard state.isWanted, let audio = state.audio else { return }
            switch actual {
            case .live: ledger.note(.sound, SourceNote.converted(audio))
            case .pausing: ledger.note(.sound, SourceNote.unconverted(audio))
            case .idle, .starting, .stalled, .ending: break
            }
        }
    }

    private func live(_ child: ChildHandle) async {
        let (source, start) = state.withLock { state -> (DataPath.Attachment?, ContinuousClock.Instant) in
            state.child = child
            let now = ContinuousClock.now
            let start = max(now, state.lastStart.map { $0 + Self.leastInterval } ?? now)
            state.lastStart = start
            return (state.isOver ? nil : state.source, start)
        }
        while child.requested == nil, .now < start {
            guard (try? await ContinuousClock().sleep(for: Self.look)) != nil else { return }
        }
        guard let source, child.requested == nil else { return }
        do {
            let format = await dataPath.soundFormat(of: channel) ?? .stereo48
            let (attachment, input, output) = try await dataPath.attachSound(of: source) { self.hears($0) }
            state.withLock { $0.attachment = attachment }
            let started = Timestamp.now
            let exit = await life.run(
                Commands.sound(sampleRate: format.sampleRate), input: input, output: output, child: child,
                expected: [.ended])
            await dataPath.detach(attachment)
            if let cause = exit.cause, cause != .ended { ledger.encoderEnded(exit, started: started) }
        } catch is DataPath.NothingToConvert {
            // That the source has ended is about to be told.
        } catch {
            life.log(.error, "cannot convert the source's audio: \(error)")
        }
        state.withLock { ($0.child, $0.attachment) = (nil, nil) }
    }

    private func hears(_ event: SoundEvent) {
        let process = state.withLock { $0.process }
        switch event {
        case .delivering: process?.report(.delivering)
        case .stalled:
            life.log(.warning, "what converts the audio gives nothing: it is replaced unless it does so soon")
            process?.report(.stalled)
        case .outdated: process?.report(.replace)
        case .dropped(let count):
            life.log(
                .warning, "audio is lost: what converts it does not take it in time",
                metadata: ["messages": "\(count)"])
        }
    }
}
