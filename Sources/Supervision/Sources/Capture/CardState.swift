import BoxConfiguration
import CapabilityProbe
import DataPath
import MediaTypes

/// The state of a source and its capture card. Pure: events and times come from outside.
struct CardState {
    private(set) var card: CaptureDevice?
    private var isWanted = false
    /// Whether the card was plugged in since the last reader began.
    private var isNew = false
    /// How many times in a row the card froze.
    private var freezes = 0
    private var reset: Reset?
    /// When the card last began to deliver. `nil` while it does not.
    private var delivering: ContinuousClock.Instant?
    /// Reports changes at the card's input. `nil` if its driver reports none.
    private var watch: SignalWatch?
    private var hasSignal = true
    /// The mode that was logged last.
    private var knownMode: CaptureSetting?
    private var audio = CardAudio()
    /// Whether the reader that runs, or is about to, has audio.
    private var readsAudio = false
    /// Samples per second of that audio.
    private var audioRate = 48_000
    private let choice: CaptureAudio

    /// The last reset of a card's port.
    private struct Reset {
        var path: String
        /// The number of the freeze that this reset answered: each freeze is answered once.
        var freezes: Int
        /// Whether no frame has arrived since.
        var isAwaited = true
    }

    static let noSignal = "no signal arrives at the card: check the cable and the device behind it"
    /// The freezes of a card are forgotten after it has delivered for so long.
    private static let forgiven = Duration.seconds(10)
    /// The freeze that is answered with a reset of the port. Those before are answered by opening the card again.
    private static let resetAt = 2
    /// How long a card may take to deliver its first frame; some analyse the incoming signal for seconds. The limit
    /// doubles, up to eight times, each time that the card took longer, because the machine may be slow.
    private static let firstFrame = Duration.seconds(4)

    init(_ audio: CaptureAudio) { choice = audio }

    /// Whether a reader can run.
    var canRun: Bool { isWanted && card != nil && hasSignal }

    /// The obstacle, as a sentence for the operator. `nil` if there is none.
    var trouble: String? {
        guard card != nil else { return nil }
        if !hasSignal { return Self.noSignal }
        if freezes > 0, delivering == nil {
            return
                """
                the card delivers no frames; it is opened again and its USB port is reset: if that does not help, \
                pull and plug it
                """
        }
        return audio.rests
            ? "\(audioName) cannot be read: the video continues with silence, and it is tried again" : nil
    }

    mutating func want(_ wanted: Bool) { isWanted = wanted }

    // MARK: The card

    /// The source has another card than before, or none.
    ///
    /// - Returns: The card before.
    mutating func follow(_ next: CaptureDevice?) -> CaptureDevice? {
        let before = card
        if before?.node != next?.node || next == nil { (watch, hasSignal) = (nil, true) }
        // With another audio device the attempts start from the beginning.
        if choice == .auto, let sound = next?.sound, before?.sound != sound { audio = CardAudio() }
        if before == nil, let next {
            isNew = true
            audio = CardAudio()
            // A card that is back from a reset was not pulled: had its freezes been forgotten, it would never get more
            // time.
            if reset?.isAwaited != true || reset?.path != next.path { (freezes, reset) = (0, nil) }
        }
        card = next
        return before
    }

    /// The source no longer needs a card.
    mutating func release() { (card, watch) = (nil, nil) }

    /// - Returns: Whether the reader that begins is the first of a card that was plugged in.
    mutating func takeNewCard() -> Bool {
        defer { isNew = false }
        return isNew
    }

    /// A reader begins with this mode.
    ///
    /// - Returns: Whether it is another mode than before.
    mutating func note(_ mode: CaptureSetting) -> Bool {
        defer { knownMode = mode }
        return knownMode != mode
    }

    // MARK: Its input

    /// Keeps the watch of a card's input, unless the source has another card by now.
    mutating func keep(_ watch: SignalWatch?, of node: String) { if card?.node == node { self.watch = watch } }

    /// Called when the watch of a card's input has ended.
    ///
    /// - Returns: Whether the source still has this card.
    mutating func watchEnded(of node: String) -> Bool {
        guard card?.node == node else { return false }
        (watch, hasSignal) = (nil, true)
        return true
    }

    /// Whether the source still has this card, and nothing watches its input.
    func isUnwatched(_ node: String) -> Bool { card?.node == node && watch == nil }

    /// Called when a signal arrives at a card's input, or no longer does.
    ///
    /// - Returns: Whether one arrived before. `nil` when the source has another card by now.
    mutating func note(signal: Bool, of node: String) -> Bool? {
        guard card?.node == node else { return nil }
        defer { hasSignal = signal }
        return hasSignal
    }

    // MARK: Audio

    /// The name of the audio in messages.
    var audioName: String {
        if case .device(let name) = choice { "the audio device \(name)" } else { "the card's audio" }
    }
    var audioLosses: Int { audio.losses }

    /// A reader is about to begin.
    ///
    /// - Returns: Whether it may read audio.
    mutating func beginAudio(at now: ContinuousClock.Instant) -> Bool {
        audio.begins(at: now)
        return !audio.rests
    }

    /// Sets whether the reader that is about to begin reads audio.
    mutating func readAudio(_ reads: Bool, rate: Int) { (readsAudio, audioRate) = (reads, rate) }

    /// A reader has ended.
    mutating func readerEnded() { readsAudio = false }

    /// Whether a reader with audio runs, or is about to.
    var isReadingAudio: Bool { readsAudio }
    /// Whether a reader with audio of another rate runs, or is about to.
    func readsAudio(otherThan rate: Int) -> Bool { readsAudio && audioRate != rate }

    /// The reader has lost its audio.
    ///
    /// - Returns: The pause before the next attempt, and the number of losses. `nil` when it was lost before.
    mutating func loseAudio(at now: ContinuousClock.Instant) -> (pause: Duration, losses: Int)? {
        guard !audio.isLost else { return nil }
        return (audio.lose(at: now), audio.losses)
    }

    /// Tries audio again, where there is any.
    ///
    /// - Parameter losses: How many there were when this was planned; after another loss another attempt is planned.
    /// - Returns: Whether it is to be tried now.
    mutating func rejoinAudio(after losses: Int) -> Bool {
        guard let card, choice != .auto || card.sound != nil else { return false }
        return audio.rejoin(after: losses)
    }

    // MARK: Freezes

    /// How long the reader that begins may deliver no frame: a second, or longer for a card that gives fewer than three
    /// frames in that time.
    var patience: FramePatience {
        let three = knownMode?.rate.map { Duration.seconds(3 * $0.denominator) / $0.numerator } ?? .zero
        return FramePatience(
            first: Self.firstFrame * (1 << min(max(freezes - 1, 0), 3)), next: max(.seconds(1), three))
    }

    mutating func delivers(at now: ContinuousClock.Instant) {
        delivering = now
        reset?.isAwaited = false
    }

    mutating func freeze(at now: ContinuousClock.Instant) {
        let span = delivering.map { now - $0 } ?? .zero
        delivering = nil
        if span > Self.forgiven { (freezes, reset) = (0, nil) }
        freezes += 1
    }

    /// Opening the card again did not help.
    ///
    /// - Returns: Whether its port is to be reset now.
    mutating func beginReset(of card: CaptureDevice) -> Bool {
        guard freezes > 0, freezes % Self.resetAt == 0, reset?.freezes != freezes else { return false }
        reset = Reset(path: card.path, freezes: freezes)
        return true
    }
}
