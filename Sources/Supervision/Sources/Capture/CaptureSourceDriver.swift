import BoxConfiguration
import CapabilityProbe
import DataPath
import FFmpeg
import Logging
import MediaTypes
import Synchronization
import SystemSupport

/// What a source has to do with its capture card: which one it has, how it is read, and what is done when it freezes.
final class CaptureSourceDriver: Sendable {
    private struct State {
        var card: CaptureDevice?
        var isWanted = false
        /// It was plugged in since the last relay began.
        var isNew = false
        /// Freezes in a row.
        var freezes = 0
        var reset: Reset?
        /// When it last began to deliver.
        var delivering: ContinuousClock.Instant?
        /// Tells of changes at the card's input; `nil` where its driver does not.
        var watch: SignalWatch?
        var hasSignal = true
        /// The mode that was told last.
        var told: CaptureSetting?
        var sound = CardSound()
        /// The reader that runs, or is about to, has sound.
        var readsSound = false
        /// Samples a second of that.
        var soundRate = 48_000
        /// For people.
        let soundName: String

        init(_ audio: CaptureAudio) {
            if case .device(let name) = audio {
                soundName = "the sound \(name)"
            } else {
                soundName = "the card's sound"
            }
        }

        var canRun: Bool { isWanted && card != nil && hasSignal }

        /// For the operator.
        var trouble: String? {
            guard card != nil else { return nil }
            if !hasSignal { return CaptureSourceDriver.noSignal }
            if freezes > 0, delivering == nil {
                return
                    """
                    the card gives no pictures; it is opened anew and its USB port is reset: when that does not \
                    help, pull and plug it
                    """
            }
            return sound.rests
                ? "\(soundName) cannot be had: the picture goes on with silence, and it is tried again" : nil
        }
    }

    /// The last reset of a card's port.
    private struct Reset {
        var path: String
        /// What it was the answer to: each freeze has one.
        var freezes: Int
        /// No picture has come since.
        var isAwaited = true
    }

    private let id: String
    private let source: CaptureSource
    private let deinterlacing: VideoSettings.Deinterlacing?
    private let context: ServiceContext
    private let statistics: ProcessStatistics
    private let logger: Logger
    private let state: Mutex<State>

    private static let noSignal = "no signal arrives at the card: check the cable and the device behind it"
    /// A card that delivered for so long has its freezes forgiven.
    private static let forgiven = Duration.seconds(10)
    /// The freeze that is answered with a reset of the port; those before are answered by opening the card anew.
    private static let resetAt = 2
    /// How long a card may take to its first picture; some look at what arrives for seconds. Twice as long each time
    /// where it took longer, for a machine may be slow, up to eight times.
    private static let firstPicture = Duration.seconds(4)
    /// Questions that a driver is asked while its source waits.
    private static let driverPatience = Duration.seconds(2)

    /// - Parameter deinterlacing: What is done with fields; `nil` leaves them as they are.
    init(
        _ source: CaptureSource, id: String, deinterlacing: VideoSettings.Deinterlacing? = nil, context: ServiceContext,
        statistics: ProcessStatistics, logger: Logger
    ) {
        self.source = source
        self.deinterlacing = deinterlacing
        self.id = id
        self.context = context
        self.statistics = statistics
        self.logger = logger
        state = Mutex(State(source.audio))
    }

    /// Follows the card, until ``end()``.
    func begin(_ process: any Supervised) {
        statistics.isAbsent("what is plugged in is not known yet")
        context.captures.claim(
            id, source.binding, soundCame: { [weak self] in self?.soundCame(process) },
            clockWasSet: { [weak self] in self?.clockWasSet(by: $0, process) },
            changed: { [weak self] card in self?.follow(card, process) })
    }

    func end() {
        context.captures.release(id)
        state.withLock { ($0.card, $0.watch) = (nil, nil) }
    }

    func want(_ wanted: Bool, _ process: any Supervised) {
        change { $0.isWanted = wanted }
        update(process)
    }

    /// Tells whether a reader can run. Under the lock, so that what was told last is what holds: a card comes while it
    /// is wanted by somebody else.
    private func update(_ process: any Supervised) { state.withLock { process.report(.want($0.canRun)) } }

    /// Changes what is known, and tells the operator what of it he should know; under the lock for the same reason.
    @discardableResult
    private func change<Result>(_ body: (inout sending State) -> sending Result) -> Result {
        state.withLock { state in
            let result = body(&state)
            statistics.hasTrouble(state.trouble)
            return result
        }
    }

    // MARK: The card

    /// It has another card than before, or none.
    func follow(_ card: CaptureDevice?, _ process: any Supervised) {
        let before = change { state in
            let before = state.card
            if before?.node != card?.node || card == nil { (state.watch, state.hasSignal) = (nil, true) }
            // With another sound card the tries begin anew.
            if source.audio == .auto, let sound = card?.sound, before?.sound != sound { state.sound = CardSound() }
            if before == nil, let card {
                state.isNew = true
                state.sound = CardSound()
                // One that is back from a reset was not pulled: had its freezes been forgotten, it would never be given
                // longer.
                if state.reset?.isAwaited != true || state.reset?.path != card.path {
                    (state.freezes, state.reset) = (0, nil)
                }
            }
            state.card = card
            return before
        }
        guard let card else { return isGone(process) }
        let isOpened = before?.accessProblem != nil && card.accessProblem == nil
        if before?.node != card.node || isOpened, !card.isHung { watch(card, process) }
        statistics.isAbsent(nil)
        if before == nil {
            update(process)
        } else if before?.node != card.node
            || (card.sound != nil && before?.sound != card.sound && source.audio == .auto)
        {
            logger.notice(
                "the card has another node or sound: it is opened anew",
                metadata: ["node": "\(card.node)", "sound": "\(card.sound ?? "none")"])
            process.report(.replace)
            process.report(.hurry)
        } else if isOpened {
            process.report(.hurry)
        }
    }

    private func isGone(_ process: any Supervised) {
        let devices = context.captures.devices
        let isTaken = source.binding != .any && devices.contains { $0.matches(source.binding) }
        let what =
            isTaken
            ? "the card \(source.binding.sentence) is another source's, and each belongs to one"
            : "no card \(source.binding.sentence) is there"
        let list = CaptureDevice.list(devices)
        statistics.isAbsent(
            "\(what); \(list): "
                + (isTaken ? "name another in the configuration" : "plug it in, or name another in the configuration"))
        logger.warning("absent: \(what); \(list)")
        // What has it open gets no more pictures; it is not waited for.
        process.report(.replace)
        update(process)
    }

    // MARK: Its input

    /// Watches the input of a card that has just come.
    private func watch(_ card: CaptureDevice, _ process: any Supervised) {
        Task {
            let watch = await BlockingIO.run {
                SignalWatch(node: card.node) { [weak self] event in
                    switch event {
                    case .signal(let hasSignal, let isFirst): self?.signal(hasSignal, isFirst, of: card, process)
                    case .gone: self?.watchEnded(card, process)
                    }
                }
            }
            state.withLock { if $0.card?.node == card.node { $0.watch = watch } }
        }
    }

    /// The device is gone. When it was back before udev's words had settled, nothing else tells.
    private func watchEnded(_ card: CaptureDevice, _ process: any Supervised) {
        let isThere = change { state in
            guard state.card?.node == card.node else { return false }
            (state.watch, state.hasSignal) = (nil, true)
            return true
        }
        guard isThere else { return }
        Task {
            try? await ContinuousClock().sleep(for: .seconds(1))
            guard state.withLock({ $0.card?.node == card.node && $0.watch == nil }) else { return }
            watch(card, process)
            update(process)
        }
    }

    /// What arrives at the input has changed, or is told for the first time.
    func signal(_ hasSignal: Bool, _ isFirst: Bool, of card: CaptureDevice, _ process: any Supervised) {
        let had = change { state -> Bool? in
            guard state.card?.node == card.node else { return nil }
            defer { state.hasSignal = hasSignal }
            return state.hasSignal
        }
        // Of a card that has gone, or as it is taken to be until somebody says otherwise.
        guard let had, !isFirst || hasSignal != had else { return }
        if hasSignal {
            logger.notice(
                had ? "another signal arrives at the card: it is opened anew" : "a signal arrives at the card")
        } else {
            logger.warning("\(Self.noSignal)")
        }
        process.report(.replace)
        update(process)
    }

    // MARK: One relay

    /// The relay that begins is the first of a card that was plugged in.
    func takesNewCard() -> Bool {
        state.withLock { state in
            defer { state.isNew = false }
            return state.isNew
        }
    }

    /// How long the relay that begins may show no picture. A second, unless the card gives fewer than three in that
    /// time.
    var patience: FramePatience {
        let (rate, freezes) = state.withLock { ($0.told?.rate, $0.freezes) }
        let three = rate.map { Duration.seconds(3 * $0.denominator) / $0.numerator } ?? .zero
        return FramePatience(
            first: Self.firstPicture * (1 << min(max(freezes - 1, 0), 3)), next: max(.seconds(1), three))
    }

    /// How the card is read.
    struct Reading {
        var command: FFmpegCommand
        var size: FrameSize
        var rate: FrameRate?
        var hasSound: Bool

        var layout: FrameLayout { FrameLayout(.nv12, FrameSize(width: size.width, height: size.height)) }
    }

    /// How the next reader reads it.
    ///
    /// - Parameter soundRate: Samples a second of the channel's sound.
    /// - Throws: ``NotRunnable`` when there is no card, or this user may not open it.
    func reading(soundRate: Int = 48_000) async throws -> Reading {
        guard let card = state.withLock({ $0.card }) else {
            throw NotRunnable(what: "no card \(self.source.binding.sentence) is there")
        }
        if let problem = card.isHung ? card.accessProblem : NodeAccess.problem(card.node) {
            throw NotRunnable(what: problem)
        }
        // It was given to this user since it was listed.
        if card.accessProblem != nil { context.captures.look() }
        await resetIfFrozen(card)
        // Its input may be another, and other things may arrive there, than when it was listed.
        let ready = await BlockingIO.run(atMost: Self.driverPatience) { [node = card.node] in CardInput.prepare(node) }
            .flatMap { $0 }
        // A card that is being pulled lists no modes any more; what it had is told already.
        let isGone = ready.map { $0.modes.isEmpty && $0.now == nil } ?? false
        let modes = isGone ? nil : ready?.modes
        var setting = CaptureSetting(modes ?? card.modes, size: self.source.size, rate: self.source.rate)
        if let now = ready?.now { setting.fill(from: now) }
        let size = setting.frameSize
        if !isGone, ready != nil {
            setting.fields = await BlockingIO.run(atMost: Self.driverPatience) { [node = card.node] in
                CardInput.fieldOrder(node, width: size.width, height: size.height)
            }.flatMap { $0 }
        }
        if !isGone { tell(setting) }
        let hasSound = state.withLock { state in
            state.sound.begins()
            return !state.sound.rests
        }
        let input = Commands.captureInput(self.source, card, setting, hasAudio: hasSound)
        state.withLock { ($0.readsSound, $0.soundRate) = (input.audio != nil, soundRate) }
        let ffmpeg = context.ffmpeg.capabilities
        let reader = CardReaderCommand(card: input, size: size, fields: fields(of: setting), audioRate: soundRate)
        let command = reader.command(for: ffmpeg)
        let rate = rate(of: setting, with: ffmpeg)
        return Reading(command: command, size: size, rate: rate, hasSound: input.audio != nil)
    }

    private func fields(of setting: CaptureSetting) -> CardReaderCommand.Fields? {
        guard let order = setting.fields, let deinterlacing else { return nil }
        return CardReaderCommand.Fields(deinterlacing, isBottomFirst: order == .bottomFirst)
    }

    /// Frames a second that come out of the reader.
    private func rate(of setting: CaptureSetting, with ffmpeg: FFmpegCapabilities) -> FrameRate? {
        let makesTwo = fields(of: setting)?.deinterlacing == .fields && ffmpeg.deinterlacer != nil
        guard makesTwo else { return setting.rate }
        return setting.rate.map { FrameRate(2 * $0.numerator, $0.denominator) }
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

    /// A reader has ended.
    func ended(_ exit: ChildExit, _ process: any Supervised) {
        state.withLock { $0.readsSound = false }
        if CardSound.cannotBegin(exit.log) { loseSound(process) }
    }

    /// A reader says something.
    func hears(_ line: LogLine, _ process: any Supervised) {
        if CardSound.isLost(line.text) { loseSound(process) }
    }

    // MARK: Sound

    /// The picture goes on without its sound, which is tried again after pauses that grow: each try costs a fraction of
    /// a second of picture.
    private func loseSound(_ process: any Supervised) {
        let loss = change { state -> (Duration, Int, String)? in
            guard !state.sound.isLost else { return nil }
            return (state.sound.lose(), state.sound.losses, state.soundName)
        }
        guard let (pause, losses, name) = loss else { return }
        logger.warning("\(name) cannot be had: the picture goes on with silence", metadata: ["again": "\(pause)"])
        Task { [weak self] in
            try? await ContinuousClock().sleep(for: pause)
            self?.rejoinSound(losses, process)
        }
    }

    /// Sound was plugged in. Where it is the card's own, that is another card to ``follow(_:_:)``; where it was named
    /// it may be the one.
    func soundCame(_ process: any Supervised) {
        guard case .device = source.audio else { return }
        rejoinSound(state.withLock(\.sound.losses), process)
    }

    /// The wall clock was set. FFmpeg's times of sound and of picture follow it, each in its own way, and are apart
    /// meanwhile; a reader that begins anew has both right. Picture alone does not go by the wall clock.
    func clockWasSet(by step: Duration, _ process: any Supervised) {
        guard state.withLock(\.readsSound) else { return }
        logger.notice(
            "the clock was set: the card is opened anew, so that sound and picture stay together",
            metadata: ["by": "\(step)"])
        process.report(.replace)
    }

    /// The channel's sound is at another rate than the reader was told when it began, before any sound had come.
    func giveSound(at rate: Int, _ process: any Supervised) {
        guard state.withLock({ $0.readsSound && $0.soundRate != rate }) else { return }
        logger.notice(
            "the channel's sound is at another rate: the card is opened anew, and gives that",
            metadata: ["rate": "\(rate)"])
        process.report(.replace)
    }

    /// - Parameter losses: How many there were when this was planned; with more, somebody else plans.
    private func rejoinSound(_ losses: Int, _ process: any Supervised) {
        let isDue = change { state in
            guard let card = state.card, source.audio != .auto || card.sound != nil else { return false }
            return state.sound.rejoin(after: losses)
        }
        if isDue { process.report(.replace) }
    }

    // MARK: Freezes

    func delivers() {
        change { state in
            state.delivering = .now
            state.reset?.isAwaited = false
        }
    }

    func froze() {
        change { state in
            let span = state.delivering.map { .now - $0 } ?? Duration.zero
            state.delivering = nil
            if span > Self.forgiven { (state.freezes, state.reset) = (0, nil) }
            state.freezes += 1
        }
    }

    /// Opening it anew did not help: its port is reset, as if it were pulled and plugged.
    private func resetIfFrozen(_ card: CaptureDevice) async {
        guard let node = card.usbNode else { return }
        let isDue = state.withLock { state in
            guard state.freezes > 0, state.freezes % Self.resetAt == 0, state.reset?.freezes != state.freezes else {
                return false
            }
            state.reset = Reset(path: card.path, freezes: state.freezes)
            return true
        }
        guard isDue else { return }
        let problem = await BlockingIO.run(atMost: .seconds(5)) { USBPort.reset(node) }
        switch problem {
        case .some(nil): logger.warning("the card froze again: its USB port was reset", metadata: ["usb": "\(node)"])
        case .some(let problem?):
            logger.warning(
                "the card froze again, and its USB port cannot be reset: \(problem)", metadata: ["usb": "\(node)"])
        case nil:
            logger.error(
                "the card froze again, and its USB port does not answer: pull and plug it", metadata: ["usb": "\(node)"]
            )
        }
    }
}
