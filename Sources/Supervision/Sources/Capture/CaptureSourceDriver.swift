import BoxConfiguration
import CapabilityProbe
import DataPath
import FFmpeg
import Logging
import MPEGTS
import MediaTypes
import Synchronization
import SystemSupport

/// Reads a capture card: follows which card the source has, runs its reader and the encoder of its frames, and answers
/// freezes and lost audio.
final class CaptureSourceDriver: SourceDriver {
    let context: SourceContext
    private let source: CaptureSource
    /// The treatment of fields. `nil` leaves them as they are.
    private let deinterlacing: VideoSettings.Deinterlacing?
    private let state: Mutex<CardState>

    private var captures: CaptureManager { context.service.captures }
    private var process: any Supervised { context.process }
    private var logger: Logger { context.logger }

    init(_ source: CaptureSource, in context: SourceContext) {
        self.source = source
        self.context = context
        deinterlacing = FFmpegCommands.Transcoding(for: context.channel).deinterlacing
        state = Mutex(CardState(source.audio))
    }

    /// Short, because a card has no sender that could resume, and opening the card again helps most often.
    var stallPatience: Duration { .milliseconds(1) }

    func run(_ process: () async -> Void) async {
        begin()
        await process()
        end()
    }

    /// Follows the card, until ``end()``.
    func begin() {
        context.statistics.isAbsent("what is plugged in is not known yet")
        captures.claim(
            context.id, source.binding, audioCame: { [weak self] in self?.audioCame() },
            clockWasSet: { [weak self] in self?.clockWasSet(by: $0) },
            changed: { [weak self] card in self?.follow(card) })
    }

    func end() {
        captures.release(context.id)
        state.withLock { $0.release() }
    }

    func want(_ wanted: Bool) {
        change { $0.want(wanted) }
        update()
    }

    /// Reports whether a reader can run. Under the lock, so that the last report is true: a card may be plugged in
    /// while another thread changes whether the source is wanted.
    private func update() { state.withLock { process.report(.want($0.canRun)) } }

    /// Changes the state, and reports the obstacle that the operator should know; under the lock for the same reason.
    @discardableResult
    private func change<Result>(_ body: (inout sending CardState) -> sending Result) -> Result {
        state.withLock { state in
            let result = body(&state)
            context.statistics.hasTrouble(state.trouble)
            return result
        }
    }

    // MARK: The card

    /// The source has another card than before, or none.
    func follow(_ card: CaptureDevice?) {
        let before = change { $0.follow(card) }
        guard let card else { return cardIsGone() }
        let isOpened = before?.accessProblem != nil && card.accessProblem == nil
        if before?.node != card.node || isOpened, !card.isHung { watch(card) }
        context.statistics.isAbsent(nil)
        if before == nil {
            update()
        } else if before?.node != card.node
            || (card.sound != nil && before?.sound != card.sound && source.audio == .auto)
        {
            logger.notice(
                "the card has another node or audio device: it is opened again",
                metadata: ["node": "\(card.node)", "audio": "\(card.sound ?? "none")"])
            process.report(.replace)
            process.report(.hurry)
        } else if isOpened {
            process.report(.hurry)
        }
    }

    private func cardIsGone() {
        let devices = captures.devices
        let isTaken = source.binding != .any && devices.contains { $0.matches(source.binding) }
        let what =
            isTaken
            ? "the card \(source.binding.sentence) is another source's, and each belongs to one"
            : "no card \(source.binding.sentence) is there"
        let list = CaptureDevice.list(devices)
        context.statistics.isAbsent(
            "\(what); \(list): "
                + (isTaken ? "name another in the configuration" : "plug it in, or name another in the configuration"))
        logger.warning("the card is absent", metadata: ["reason": "\(what); \(list)"])
        // A reader that has the card open gets no more frames, so it is ended at once.
        process.report(.replace)
        update()
    }

    // MARK: Its input

    /// Watches the input of a card that has just been plugged in.
    private func watch(_ card: CaptureDevice) {
        Task {
            let watch = await BlockingIO.run {
                SignalWatch(node: card.node) { [weak self] event in
                    switch event {
                    case .signal(let hasSignal, let isFirst): self?.signal(hasSignal, isFirst, of: card)
                    case .gone: self?.watchEnded(card)
                    }
                }
            }
            state.withLock { $0.keep(watch, of: card.node) }
        }
    }

    /// Called when the device is gone. If it is back before udev reports that, this is the only notice.
    private func watchEnded(_ card: CaptureDevice) {
        guard change({ $0.watchEnded(of: card.node) }) else { return }
        Task {
            try? await context.clock.sleep(for: .seconds(1))
            guard state.withLock({ $0.isUnwatched(card.node) }) else { return }
            watch(card)
            update()
        }
    }

    /// Called when the signal at the input has changed, or is known for the first time.
    func signal(_ hasSignal: Bool, _ isFirst: Bool, of card: CaptureDevice) {
        let had = change { $0.note(signal: hasSignal, of: card.node) }
        // Nothing has changed: the source has another card by now, or the first report is as assumed.
        guard let had, !isFirst || hasSignal != had else { return }
        if hasSignal {
            logger.notice(
                had ? "another signal arrives at the card: it is opened again" : "a signal arrives at the card")
        } else {
            logger.warning("no signal arrives at the card: check the cable and the device behind it")
        }
        process.report(.replace)
        update()
    }

    // MARK: One reader

    /// Runs the card's reader and the encoder of its frames, until the reader has ended. Both start at once.
    func runOnce(_ child: ChildHandle) async throws {
        let dataPath = context.dataPath
        let audio = await dataPath.audioFormat(of: context.channel.name) ?? .stereo48
        let reading = try await reading(audioRate: audio.sampleRate)
        let frames = try await dataPath.attachFrames(
            reading.format, from: .card(hasAudio: reading.hasAudio), to: context.channel.name,
            priority: context.priority, isNew: state.withLock { $0.takeNewCard() }, patience: patience,
            report: { [self] in handle($0) })
        let encoder = context.encoder(of: frames.attachment, size: reading.size, rate: reading.rate)
        async let encoding: Void = encoder.run()
        let started = Timestamp.now
        let exit = await context.monitor.run(
            reading.command, input: frames.audio, output: frames.video, child: child, expected: [.ended, .reset],
            onLine: { [self] in handle($0) })
        // Frames that the reader gave are still encoded.
        encoder.finish()
        await encoding
        await dataPath.detach(frames.attachment)
        context.statistics.ended(exit, started: started, now: context.clock.now)
        ended(exit)
    }

    /// How long the reader that begins may deliver no frame.
    var patience: FramePatience { state.withLock(\.patience) }

    /// How the next reader reads the card.
    ///
    /// - Parameter audioRate: Samples per second of the channel's audio.
    /// - Throws: ``NotRunnable`` when there is no card, or this user may not open it.
    func reading(audioRate: Int = 48_000) async throws -> CardReading {
        guard let card = state.withLock({ $0.card }) else {
            throw NotRunnable(what: "no card \(self.source.binding.sentence) is there")
        }
        if let problem = card.isHung ? card.accessProblem : NodeAccess.problem(card.node) {
            throw NotRunnable(what: problem)
        }
        // This user was given access to it since it was listed.
        if card.accessProblem != nil { captures.listCards() }
        await resetIfFrozen(card)
        let (mode, isGone) = await CardReading.mode(of: card, for: source)
        // The mode of a card that is being pulled was reported before.
        if !isGone { report(mode) }
        let readsAudio = state.withLock { $0.beginAudio(at: context.clock.now) }
        let reading = CardReading(
            source, card, mode, readsAudio: readsAudio, deinterlacing: deinterlacing, audioRate: audioRate,
            ffmpeg: context.service.ffmpeg.capabilities)
        state.withLock { $0.readAudio(reading.hasAudio, rate: audioRate) }
        return reading
    }

    private func report(_ mode: CaptureSetting) {
        guard state.withLock({ $0.note(mode) }) else { return }
        if mode.isOther {
            logger.warning("the card lacks the configured mode: the nearest is taken", metadata: ["mode": "\(mode)"])
        } else {
            logger.notice("card mode chosen", metadata: ["mode": "\(mode)"])
        }
    }

    /// A reader has ended.
    func ended(_ exit: ChildExit) {
        state.withLock { $0.readerEnded() }
        if CardAudio.cannotBegin(exit.log) { loseAudio() }
    }

    /// A reader prints a line.
    func handle(_ line: LogLine) {
        if CardAudio.isLost(line.text) { loseAudio() }
    }

    // MARK: Audio

    /// The video continues without audio. Audio is tried again after pauses that grow: each attempt costs a fraction of
    /// a second of video.
    private func loseAudio() {
        let (loss, name) = change { ($0.loseAudio(at: context.clock.now), $0.audioName) }
        guard let (pause, losses) = loss else { return }
        logger.warning(
            "the card's audio cannot be read: the video continues with silence",
            metadata: ["audio": "\(name)", "again": "\(pause)"])
        Task { [weak self, clock = context.clock] in
            try? await clock.sleep(for: pause)
            self?.rejoinAudio(losses)
        }
    }

    /// An audio device was plugged in. One of the card's own is another card to ``follow(_:)``; one that the
    /// configuration names may be this one.
    func audioCame() {
        guard case .device = source.audio else { return }
        rejoinAudio(state.withLock(\.audioLosses))
    }

    private func rejoinAudio(_ losses: Int) {
        if change({ $0.rejoinAudio(after: losses) }) { process.report(.replace) }
    }

    /// The wall clock was set. FFmpeg's times of audio and of video follow it, each in its own way, and are apart
    /// meanwhile; a reader that starts again has both right. Video alone does not depend on the wall clock.
    func clockWasSet(by step: Duration) {
        guard state.withLock(\.isReadingAudio) else { return }
        logger.notice(
            "the clock was set: the card is opened again, so that audio and video stay together",
            metadata: ["by": "\(step)"])
        process.report(.replace)
    }

    /// The reader makes the audio itself. When it began, no audio had arrived yet that decides the channel's format.
    func sourceHas(_ audio: AACFormat, channel: AACFormat) { giveAudio(at: channel.sampleRate) }

    /// The channel's audio has another rate than the reader was started with.
    func giveAudio(at rate: Int) {
        guard state.withLock({ $0.readsAudio(otherThan: rate) }) else { return }
        logger.notice(
            "the channel's audio has another rate: the card is opened again with that rate",
            metadata: ["rate": "\(rate)"])
        process.report(.replace)
    }

    // MARK: Freezes

    func sourceDelivers() { change { $0.delivers(at: context.clock.now) } }

    func sourceStalls() -> Bool {
        change { $0.freeze(at: context.clock.now) }
        return true
    }

    /// Resets the port of a card that froze again after it was opened again, as if it were pulled and plugged.
    private func resetIfFrozen(_ card: CaptureDevice) async {
        guard let node = card.usbNode, state.withLock({ $0.beginReset(of: card) }) else { return }
        let problem = await BlockingIO.run(atMost: .seconds(5)) { USBPort.reset(node) }
        switch problem {
        case .some(nil): logger.warning("the card froze again: its USB port was reset", metadata: ["usb": "\(node)"])
        case .some(let problem?):
            logger.warning(
                "the card froze again, and its USB port cannot be reset",
                metadata: ["usb": "\(node)", "reason": "\(problem)"])
        case nil:
            logger.error(
                "the card froze again, and its USB port does not answer: pull and plug it", metadata: ["usb": "\(node)"]
            )
        }
    }
}
