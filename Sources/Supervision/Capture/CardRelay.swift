import CapabilityProbe
import Configuration
import FFmpeg
import Logging
import Synchronization

/// What a source has to do with its capture card: which one it has, how its picture is encoded, and what is done when it
/// freezes.
final class CardRelay: Sendable {
    private struct State {
        var card: CaptureDevice?
        var isWanted = false
        /// It was plugged in since the last relay began.
        var isNew = false
        /// Freezes in a row.
        var freezes = 0
        /// The sound could not be had so many times in a row; until then the card goes without.
        var soundFailures = 0
        var soundRests = false
        /// When it last began to deliver.
        var delivering: Timestamp?
        /// Tells of changes at the card's input; `nil` where its driver does not.
        var watch: SignalWatch?
        var hasSignal = true
        /// The mode that was told last.
        var told: CaptureSetting?

        var canRun: Bool { isWanted && card != nil && hasSignal }
    }

    private let id: String
    private let source: CaptureSource
    private let mezzanine: MezzanineConfiguration
    private let encoder: MezzanineEncoder
    private let box: Box
    private let ledger: ProcessLedger
    private let logger: Logger
    private let state = Mutex(State())

    /// A card that delivered for so long has its freezes forgiven.
    private static let forgiven = 10.0
    /// The freeze that is answered with a reset of the port; those before are answered by opening the card anew.
    private static let resetAt = 2

    init(_ source: CaptureSource, id: String, mezzanine: MezzanineConfiguration, box: Box, ledger: ProcessLedger, logger: Logger) {
        self.source = source
        self.id = id
        self.mezzanine = mezzanine
        encoder = MezzanineEncoder(id: id, mezzanine: mezzanine, encoders: box.encoders)
        self.box = box
        self.ledger = ledger
        self.logger = logger
    }

    /// Follows the card, until ``end()``.
    func begin(_ process: ProcessRunner) {
        ledger.isAbsent("what is plugged in is not known yet")
        box.captures.claim(id, source.binding) { [weak self] card in self?.follow(card, process) }
    }

    func end() {
        box.captures.release(id)
        state.withLock { ($0.card, $0.watch) = (nil, nil) }
        encoder.forget()
    }

    func want(_ wanted: Bool, _ process: ProcessRunner) {
        let canRun = state.withLock { state in
            state.isWanted = wanted
            return state.canRun
        }
        process.report(.want(canRun))
    }

    /// Watches the input of a card that has just come.
    private func watch(_ card: CaptureDevice, _ process: ProcessRunner) {
        Task {
            let watch = await Offload.run { SignalWatch(node: card.node) { self.signal($0, of: card, process) } }
            state.withLock { if $0.card?.node == card.node { $0.watch = watch } }
        }
    }

    /// What arrives at the input has changed, or is told for the first time.
    private func signal(_ hasSignal: Bool, of card: CaptureDevice, _ process: ProcessRunner) {
        let (isFirst, had, canRun) = state.withLock { state -> (Bool, Bool, Bool) in
            guard state.card?.node == card.node else { return (true, true, state.canRun) }
            defer { state.hasSignal = hasSignal }
            var next = state
            next.hasSignal = hasSignal
            return (state.watch == nil, state.hasSignal, next.canRun)
        }
        if isFirst, hasSignal { return }
        if hasSignal {
            logger.notice(had ? "another signal arrives at the card: it is opened anew" : "a signal arrives at the card")
        } else {
            logger.warning("no signal arrives at the card: check the cable and the device behind it")
        }
        process.report(.replace)
        process.report(.want(canRun))
    }

    private func follow(_ card: CaptureDevice?, _ process: ProcessRunner) {
        let (before, canRun) = state.withLock { state in
            let before = state.card
            if before?.node != card?.node || card == nil { (state.watch, state.hasSignal) = (nil, true) }
            state.card = card
            if before == nil { state.isNew = true }
            return (before, state.canRun)
        }
        if let card, before?.node != card.node { watch(card, process) }
        // With another sound card the tries begin anew.
        if before?.sound != card?.sound { state.withLock { ($0.soundRests, $0.soundFailures) = (false, 0) } }
        guard let card else {
            let others = box.captures.devices.map { "\($0.name) at \($0.path)" + ($0.serial.map { " (serial \($0))" } ?? "") }
            let list = others.isEmpty ? "none is plugged in" : "plugged in: " + others.joined(separator: ", ")
            ledger.isAbsent("no card \(source.binding.sentence) is there; \(list)")
            logger.warning("absent: no card \(source.binding.sentence); \(list)")
            // What has it open gets no more pictures; it is not waited for.
            process.report(.replace)
            return process.report(.want(false))
        }
        ledger.isAbsent(nil)
        if before == nil {
            process.report(.want(canRun))
        } else if before?.node != card.node || before?.sound != card.sound {
            logger.notice("the card has another node or sound: it is opened anew", metadata: ["node": "\(card.node)", "sound": "\(card.sound ?? "none")"])
            process.report(.replace)
        }
    }

    // MARK: One relay

    /// The relay that begins is the first of a card that was plugged in.
    func takesNewCard() -> Bool {
        state.withLock { state in
            defer { state.isNew = false }
            return state.isNew
        }
    }

    /// The command of the next relay.
    ///
    /// - Throws: ``CommandError``; ``NotRunnable`` when there is no card, or this user may not open it.
    func command(_ source: SourceConfiguration, environment: [String: String]) async throws -> FFmpegCommand {
        guard let card = state.withLock({ $0.card }) else { throw NotRunnable(what: "no card \(self.source.binding.sentence) is there") }
        if let problem = card.accessProblem { throw NotRunnable(what: problem) }
        await resetIfFrozen(card)
        var setting = CaptureSetting(card.modes, size: self.source.size, rate: self.source.rate)
        // What is left to the card has to be known all the same: encoders share their bits out by it.
        if setting.size == nil || setting.rate == nil, let now = await Offload.run(atMost: .seconds(2), { SignalWatch.prepare(card.node) }) ?? nil {
            setting.fill(from: now)
        }
        tell(setting)
        let video = await encoder.next(size: setting.size, rate: setting.rate)
        let hasSound = state.withLock { !$0.soundRests }
        return try Commands.relay(
            source, mezzanine: mezzanine, transcoding: .init(), card: card, setting: setting, hasSound: hasSound, video: video, environment: environment)
    }

    private func tell(_ setting: CaptureSetting) {
        let isNews = state.withLock { state in
            defer { state.told = setting }
            return state.told != setting
        }
        guard isNews else { return }
        if setting.isOther {
            logger.warning("the card has no mode as asked for: the nearest is taken", metadata: ["mode": "\(setting)"])
        } else {
            logger.notice("the card's mode", metadata: ["mode": "\(setting)"])
        }
    }

    /// A relay has ended.
    func ended(_ exit: ChildExit, _ process: ProcessRunner) {
        if exit.log.says("cannot open audio device") || exit.log.says("cannot set sample format") || exit.log.says("ALSA read error") {
            loseSound(process)
        } else {
            encoder.ended(exit.cause)
        }
    }

    /// The picture goes on without its sound, which is tried again: after ten seconds, then after twice as long, up to five
    /// minutes, for each try costs a fraction of a second of picture.
    private func loseSound(_ process: ProcessRunner) {
        let (pause, failures) = state.withLock { state in
            state.soundFailures += 1
            state.soundRests = true
            return (min(Duration.seconds(10) * (1 << min(state.soundFailures - 1, 5)), .seconds(300)), state.soundFailures)
        }
        logger.warning("the card's sound cannot be had: the picture goes on with silence", metadata: ["again": "\(pause)"])
        Task {
            try? await ContinuousClock().sleep(for: pause)
            rejoinSound(failures, process)
        }
    }

    /// - Parameter failures: How many there were when this was planned; with more, somebody else plans.
    private func rejoinSound(_ failures: Int, _ process: ProcessRunner) {
        let isDue = state.withLock { state in
            guard state.soundRests, state.soundFailures == failures, state.card != nil else { return false }
            state.soundRests = false
            return true
        }
        if isDue { process.report(.replace) }
    }

    // MARK: Freezes

    func delivers() {
        state.withLock { $0.delivering = .now }
        encoder.delivers()
    }

    func froze() {
        state.withLock { state in
            let span = state.delivering.map { Timestamp.now.seconds - $0.seconds } ?? 0
            state.freezes = span > Self.forgiven ? 1 : state.freezes + 1
        }
    }

    /// Opening it anew did not help: its port is reset, as if it were pulled and plugged.
    private func resetIfFrozen(_ card: CaptureDevice) async {
        guard state.withLock({ $0.freezes >= Self.resetAt }), let node = card.usbNode else { return }
        state.withLock { $0.freezes = 0 }
        let problem = await Offload.run(atMost: .seconds(5)) { USBPort.reset(node) }
        switch problem {
        case .some(nil): logger.warning("the card froze again: its USB port was reset", metadata: ["usb": "\(node)"])
        case .some(let problem?): logger.warning("the card froze again, and its USB port cannot be reset: \(problem)", metadata: ["usb": "\(node)"])
        case nil: logger.error("the card froze again, and its USB port does not answer: pull and plug it", metadata: ["usb": "\(node)"])
        }
    }
}
