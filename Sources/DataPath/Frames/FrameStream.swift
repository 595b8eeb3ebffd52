import DequeModule
import EventLoop
import MPEGTS

/// The uncompressed frames of a card or of another program, and the generations of their encoder.
///
/// The stream keeps a frame until it has come out encoded. So whatever happens to an encoder, the next one begins with
/// the first frame that is missing. Audio arrives encoded and does not pass through the encoder.
final class FrameStream {
    /// Where a new generation begins.
    enum Start {
        /// With the first frame that has not come out encoded.
        case atOnce
        /// With a frame that arrives once the generation is ready. The one before continues up to there.
        case whenReady
    }

    final class Generation {
        let unitReader: PipeReader
        let sender: FrameSender
        let report: @Sendable (EncoderEvent) -> Void
        /// Frames that the encoder got and that have not come out encoded.
        var given: Deque<(number: Int, time: Int64)> = []
        /// Whether the encoder has given a frame.
        var isJoined = false
        /// Whether the encoder's output waits until the generation before has given everything.
        var isHeld = false
        var isStalled = false
        var isSlow = false
        var pace = PaceWatch(interval: 500_000_000)
        /// Nanoseconds between two frames in real time; `nil` where the timestamps of the frames tell it.
        let frameDuration: Int64?
        /// The first frame of the successor.
        var cut: Int?
        /// Whether a frame of this generation was rejected because of the cut.
        var isCut = false
        /// Since when the encoder owes a frame, in nanoseconds of the monotonic clock. While the encoder is not ready,
        /// this is the time at which it was attached.
        var owesSince: Int64?
        var patience: Int64

        init(
            unitReader: PipeReader, sender: FrameSender, frameDuration: Int64?, patience: Int64,
            report: @escaping @Sendable (EncoderEvent) -> Void
        ) {
            self.unitReader = unitReader
            self.sender = sender
            self.frameDuration = frameDuration
            self.patience = patience
            self.report = report
        }
    }

    let loop: EventLoop
    unowned let owner: any FrameStreamOwner
    var store: FrameStore
    private(set) var input: (any FrameReader)?
    var audioReader: PipeReader?
    var generations: [Generation] = []
    /// Whether the writer of the frames waits when there is no room for more. A card does not wait.
    private let waits: Bool
    private var isWaiting = false
    private(set) var hasEnded = false
    /// The video format that the encoders announce.
    var videoFormat: VideoFormat?
    var videoStream: Program.Stream?
    var audioStream: Program.Stream?
    /// When an uncompressed frame last came, in nanoseconds of the monotonic clock.
    private var lastFrame: Int64 = 0
    /// When an encoded frame last came out, on the same clock.
    var lastEncoded: Int64?
    /// Frames that came out encoded.
    var encodedFrames: Int64 = 0
    /// The time of the last one of these, in ticks.
    var deliveredTime: Int64?
    /// The encoder whose frame the owner gets at present.
    weak var giving: (any UnitReader)?
    /// The encoder whose frame the owner wants once more.
    weak var kept: (any UnitReader)?
    private let began = EventLoop.now()
    /// Frames that will not come out encoded.
    var lostFrames = 0

    /// Nanoseconds that an encoder may owe a frame, once it has given one. A hardware encoder takes milliseconds, and
    /// for large frames the store keeps little more than a second.
    static let patience: Int64 = 1_000_000_000
    /// Nanoseconds without an uncompressed frame after which an encoder owes nothing: it may keep the last frame back.
    private static let idleTime: Int64 = 500_000_000
    /// Nanoseconds that audio is held back at the start for the first encoded frame.
    private static let audioPatience: Int64 = 2_000_000_000
    /// Frames that an encoder may keep back. With more of them, it owes one.
    private static let mostHeldBack = 4

    /// - Parameters:
    ///   - mostBytes: Most bytes of kept frames.
    ///   - longestSpan: Ticks from the first to the last of them, at the most.
    init(
        format: FrameFormat, waits: Bool, mostBytes: Int, longestSpan: Int64, owner: any FrameStreamOwner,
        loop: EventLoop
    ) {
        store = FrameStore(format: format, mostBytes: mostBytes, longestSpan: longestSpan)
        self.waits = waits
        self.owner = owner
        self.loop = loop
    }

    var format: FrameFormat { store.format }

    func setInput(_ input: any FrameReader) { self.input = input }

    /// Sets the reader of the frames' audio. Audio that arrives before the first encoded frame waits.
    func setAudio(_ unitReader: PipeReader) {
        audioReader = unitReader
        unitReader.hold()
        loop.arm(for: EventLoop.now() + Self.audioPatience)
    }

    /// Whether all frames have come, and all have come out encoded.
    var isOver: Bool { hasEnded && store.first == nil }

    /// Takes no more frames. Those that have come still come out.
    func endInput() {
        guard let input else { return }
        input.close()
        framesEnded(nil)
    }

    func endIfOver() {
        if isOver { owner.streamEnded(self) }
    }

    func close() {
        if lastEncoded != nil, store.nextNumber > store.nextToDeliver {
            owner.stream(self, hasLost: store.nextNumber - store.nextToDeliver)
        }
        input?.close()
        audioReader?.close()
        for generation in generations { forget(generation) }
    }

    /// Lets a paused writer continue once the store has room.
    func resumeInput() {
        guard isWaiting, !store.isFull else { return }
        isWaiting = false
        input?.resume()
    }

    // MARK: Timers

    /// Looks for encoders that owe frames; returns when to look again.
    func runTimers(now: Int64) -> Int64 {
        var next = (input as? FIFOReader)?.runTimers(now: now) ?? .max
        if audioReader != nil, lastEncoded == nil {
            // The writer of the audio must not hang forever: it reads the card, too.
            if now - began >= Self.audioPatience {
                audioReader?.release()
            } else {
                next = min(next, began + Self.audioPatience)
            }
        }
        let isIdle = !isWaiting && now - lastFrame >= Self.idleTime && store.count < Self.mostHeldBack
        for generation in generations where !generation.isStalled && !generation.isHeld {
            guard let since = generation.owesSince else { continue }
            if generation.sender.next == nil ? generation.sender.isRead : isIdle {
                // The encoder is ready, or has no input to give a frame of.
                generation.owesSince = isIdle ? now : since
                next = min(next, now + generation.patience)
            } else if now - since >= generation.patience {
                generation.isStalled = true
                generation.report(.stalled)
            } else {
                next = min(next, since + generation.patience)
            }
        }
        return next
    }
}

// MARK: - Frames in

extension FrameStream: FrameReaderDelegate {
    func takeMemory() -> FrameMemory? { store.takeMemory() }

    func take(_ memory: FrameMemory, time: Int64, now: Int64) {
        makeRoom()
        noteResumption(now: now)
        let number = store.nextNumber
        store.append(memory, time: time)
        lastFrame = now
        beginSuccessor(at: number)
        for generation in generations { generation.sender.flush() }
        noteSlowness(now: now)
        if store.isFull, waits, !isWaiting {
            isWaiting = true
            input?.pause()
        }
        owner.stream(self, hasFrame: now)
    }

    func framesEnded(_ problem: String?) {
        input = nil
        hasEnded = true
        for generation in generations { generation.sender.finish() }
        if let problem { owner.stream(self, isUnreadable: problem) }
        endIfOver()
    }

    /// Drops the oldest frame of a card, which does not wait.
    private func makeRoom() {
        if !waits, store.isFull { store.giveUpFirst() }
    }

    /// Excuses an encoder after a pause of the input: during the pause it may have held the last frames back.
    private func noteResumption(now: Int64) {
        guard now - lastFrame >= Self.idleTime, store.count < Self.mostHeldBack else { return }
        for generation in generations where generation.sender.next != nil && generation.owesSince != nil {
            generation.owesSince = now
        }
    }

    /// Reports the encoder in use where it gives fewer frames than arrive in real time. An encoder is not at fault
    /// where a program gave many frames at once.
    private func noteSlowness(now: Int64) {
        guard let current = generations.last, current.isJoined, !current.isSlow else { return }
        // An encoder that gives nothing hangs.
        guard now - (current.owesSince ?? now) < Self.patience / 2 else { return }
        guard current.pace.look(place(current.frameDuration), now: now).change == .tooSlow else { return }
        current.isSlow = true
        current.report(.slow)
    }

    private func place(_ frameDuration: Int64?) -> PaceWatch.Place {
        let backlog: PaceWatch.Backlog = store.isFull ? .much : store.count > Self.mostHeldBack ? .some : .none
        if let frameDuration {
            return .init(
                backlog: backlog, lag: Int64(store.count) * frameDuration, given: encodedFrames * frameDuration)
        }
        let first = store.first?.time ?? 0
        let lag = (store.lastTime ?? first) &- first
        return .init(backlog: backlog, lag: Self.nanoseconds(lag), given: Self.nanoseconds(deliveredTime ?? 0))
    }

    /// Converts a time of a frame. A card's times may count from 1970, and a damaged time may have any value.
    private static func nanoseconds(_ ticks: Int64) -> Int64 {
        let ticks = max(-farthest, min(ticks, farthest))
        return ticks / 9 * 100_000 + ticks % 9 * 100_000 / 9
    }
    /// A hundred and forty years, in ticks.
    private static let farthest: Int64 = 400_000_000_000_000
}
