import DequeModule
import EventLoop
import MPEGTS

/// The frames of a card or of another program, and the generations of the encoder that makes pictures of them.
///
/// A frame is kept until its picture has come out. So whatever becomes of an encoder, the next one begins with the
/// first frame whose picture is missing. Sound comes encoded, beside all this.
final class FrameStream: UnitReaderDelegate, FrameReaderDelegate {
    /// What a generation is attached for.
    enum Start {
        /// With the first frame whose picture is missing.
        case atOnce
        /// With a frame that comes once it is ready, while the one before it goes on up to there.
        case whenReady
    }

    final class Generation {
        let unitReader: PipeReader
        let sender: FrameSender
        let report: @Sendable (EncoderEvent) -> Void
        /// Frames that it was given and whose pictures have not come back.
        fileprivate var given: Deque<(number: Int, time: Int64)> = []
        /// It has given a picture.
        fileprivate(set) var isJoined = false
        /// It waits until the one before has given everything.
        fileprivate(set) var isHeld = false
        fileprivate var isStalled = false
        fileprivate var isSlow = false
        fileprivate var pace = PaceWatch(interval: 500_000_000)
        /// Nanoseconds from one frame to the next in real time; `nil` where their own times tell.
        fileprivate let frameDuration: Int64?
        /// The first frame that is its successor's.
        fileprivate var cut: Int?
        /// A picture of it was refused because of that.
        fileprivate var isCut = false
        /// Since when it owes a picture, in nanoseconds of the monotonic clock; while it is not ready, since it was
        /// attached.
        fileprivate var owesSince: Int64?
        fileprivate var patience: Int64

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

    private let loop: EventLoop
    private unowned let owner: any FrameStreamOwner
    private var store: FrameStore
    private var input: (any FrameReader)?
    private var sound: PipeReader?
    private var generations: [Generation] = []
    /// The writer of the frames waits when there is no room for more; a card does not.
    private let waits: Bool
    private var isWaiting = false
    private var hasEnded = false
    /// What encoders say of their pictures.
    private(set) var videoFormat: VideoFormat?
    private var codec: Program.Stream?
    private var soundStream: Program.Stream?
    /// When a frame last came, and a picture, in nanoseconds of the monotonic clock.
    private var lastFrame: Int64 = 0
    private(set) var lastPicture: Int64?
    /// Pictures that came out, and the time of the last one's frame in ticks.
    private var pictures: Int64 = 0
    private var deliveredTime: Int64?
    /// The encoder's picture that the owner is being given.
    private weak var giving: (any UnitReader)?
    /// The one that it wants to be given once more.
    private weak var kept: (any UnitReader)?
    private let began = EventLoop.now()
    /// Frames whose pictures will not come.
    private(set) var lostFrames = 0

    /// Nanoseconds that an encoder may owe a picture, once it has given one. A hardware encoder takes milliseconds, and
    /// what the store keeps of a large picture is little more than a second.
    static let patience: Int64 = 1_000_000_000
    /// Nanoseconds without a frame after which nothing can be expected of an encoder: it may keep the last one back.
    private static let idleTime: Int64 = 500_000_000
    /// Nanoseconds that sound is held back at the start for the first picture.
    private static let soundPatience: Int64 = 2_000_000_000

    /// Frames without a picture from which on it is no frame held back that is owed.
    private static let mostHeldBack = 4

    /// - Parameters:
    ///   - mostBytes: Of the frames that are kept.
    ///   - longestSpan: From the first to the last of them, in ticks.
    init(
        layout: FrameLayout, waits: Bool, mostBytes: Int, longestSpan: Int64, owner: any FrameStreamOwner,
        loop: EventLoop
    ) {
        store = FrameStore(layout: layout, mostBytes: mostBytes, longestSpan: longestSpan)
        self.waits = waits
        self.owner = owner
        self.loop = loop
    }

    var layout: FrameLayout { store.layout }

    func setInput(_ input: any FrameReader) { self.input = input }

    /// Sound that goes with the frames. What comes of it before the first picture waits.
    func setSound(_ unitReader: PipeReader) {
        sound = unitReader
        unitReader.hold()
        loop.arm(for: EventLoop.now() + Self.soundPatience)
    }

    func close() {
        if lastPicture != nil, store.end > store.delivered { owner.stream(self, hasLost: store.end - store.delivered) }
        input?.close()
        sound?.close()
        for generation in generations { forget(generation) }
    }

    // MARK: Frames in

    func room() -> FrameMemory? { store.room() }

    func take(_ memory: FrameMemory, time: Int64, now: Int64) {
        makeRoom()
        noteResumption(now: now)
        let number = store.end
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

    /// A card does not wait: the oldest frames go.
    private func makeRoom() {
        if !waits, store.isFull { store.giveUpFirst() }
    }

    /// Frames come again: while none came, the encoder may have held the last ones back.
    private func noteResumption(now: Int64) {
        guard now - lastFrame >= Self.idleTime, store.count < Self.mostHeldBack else { return }
        for generation in generations where generation.sender.next != nil && generation.owesSince != nil {
            generation.owesSince = now
        }
    }

    /// The encoder in use gives pictures, but fewer than there are frames in real time. That a program gave many at
    /// once is not its fault.
    private func noteSlowness(now: Int64) {
        guard let current = generations.last, current.isJoined, !current.isSlow else { return }
        // One that gives nothing hangs.
        guard now - (current.owesSince ?? now) < Self.patience / 2 else { return }
        guard current.pace.look(place(current.frameDuration), now: now).change == .tooSlow else { return }
        current.isSlow = true
        current.report(.slow)
    }

    private func place(_ frameDuration: Int64?) -> PaceWatch.Place {
        let backlog: PaceWatch.Backlog = store.isFull ? .much : store.count > Self.mostHeldBack ? .some : .none
        if let frameDuration {
            return .init(backlog: backlog, lag: Int64(store.count) * frameDuration, given: pictures * frameDuration)
        }
        let first = store.first?.time ?? 0
        let lag = (store.lastTime ?? first) &- first
        return .init(backlog: backlog, lag: Self.nanoseconds(lag), given: Self.nanoseconds(deliveredTime ?? 0))
    }

    /// A card's times may count from 1970, and a damaged one may be anything.
    private static func nanoseconds(_ ticks: Int64) -> Int64 {
        let ticks = max(-farthest, min(ticks, farthest))
        return ticks / 9 * 100_000 + ticks % 9 * 100_000 / 9
    }
    /// A hundred and forty years, in ticks.
    private static let farthest: Int64 = 400_000_000_000_000

    /// Takes no more frames in: those that have come still come out.
    func endInput() {
        guard let input else { return }
        input.close()
        framesEnded(nil)
    }

    func framesEnded(_ problem: String?) {
        input = nil
        hasEnded = true
        for generation in generations { generation.sender.finish() }
        if let problem { owner.stream(self, isUnreadable: problem) }
        endIfOver()
    }

    /// What is to be read by an outlet.
    func frame(from number: Int) -> FrameStore.Frame? { store.frame(from: number) }

    func began(_ frame: FrameStore.Frame, in sender: FrameSender) {
        guard let generation = generations.first(where: { $0.sender === sender }) else { return }
        if generation.given.isEmpty {
            let now = EventLoop.now()
            generation.owesSince = now
            loop.arm(for: now + generation.patience)
        }
        generation.given.append((frame.number, frame.time))
    }

    // MARK: Encoders

    /// All frames have come, and their pictures too.
    var isOver: Bool { hasEnded && store.first == nil }

    /// One can be handed over from, perhaps once another that was to take over is gone.
    var hasCurrent: Bool { generations.contains { $0.isJoined && !$0.isCut } }

    func add(_ generation: Generation, _ start: Start) {
        // What one that was to take over gives while it is ended is this one's.
        if case .atOnce = start { for former in generations { former.cut = min(former.cut ?? .max, store.delivered) } }
        generations.append(generation)
        switch start {
        case .atOnce: generation.sender.begin(at: store.delivered)
        case .whenReady:
            let now = EventLoop.now()
            generation.owesSince = now
            loop.arm(for: now + generation.patience)
        }
        if hasEnded { generation.sender.finish() }
    }

    /// An encoder that is ready takes over with a frame that has just come.
    private func beginSuccessor(at number: Int) {
        guard generations.count > 1, let successor = generations.last, successor.sender.next == nil,
            successor.sender.isRead
        else { return }
        let current = generations[generations.count - 2]
        guard current.isJoined, !current.isCut else { return }
        current.cut = number
        successor.owesSince = nil
        if store.delivered < number {
            successor.isHeld = true
            successor.unitReader.hold()
        }
        successor.sender.begin(at: number)
    }

    /// Lets a successor's pictures in once the encoder before has given all of its own.
    private func releaseSuccessor() {
        guard let successor = generations.last, successor.isHeld, generations.count > 1,
            let cut = generations[generations.count - 2].cut, store.delivered >= cut
        else { return }
        successor.isHeld = false
        if !successor.given.isEmpty { successor.owesSince = EventLoop.now() }
        successor.unitReader.release()
    }

    /// An encoder's process has ended.
    func remove(_ unitReader: PipeReader) {
        guard let index = generations.firstIndex(where: { $0.unitReader === unitReader }) else {
            return unitReader.close()
        }
        let generation = generations.remove(at: index)
        forget(generation)
        mend(without: generation)
    }

    private func forget(_ generation: Generation) {
        generation.unitReader.close()
        generation.sender.close()
    }

    /// What a successor that ended before it took over leaves behind; another one may be there by now.
    private func mend(without successor: Generation) {
        guard !successor.isJoined, !generations.contains(where: { !$0.isJoined && $0.sender.next != nil }) else {
            return
        }
        guard let current = generations.last(where: { $0.isJoined }), current.cut != nil else { return }
        // One of which something was refused goes on being refused: the one that replaces it begins with what is
        // missing.
        if current.isCut { current.report(.torn) } else { current.cut = nil }
    }

    private func endIfOver() {
        if isOver { owner.streamEnded(self) }
    }

    // MARK: Pictures out

    func unitReader(_ unitReader: any UnitReader, found program: Program) {
        if unitReader === sound { soundStream = program.audio } else if let video = program.video { codec = video }
    }

    func unitReader(
        _ unitReader: any UnitReader, found unit: AccessUnit, in parser: borrowing some UnitSource & ~Copyable,
        now: Int64
    ) {
        if unitReader === sound {
            if unit.kind == .audio {
                owner.stream(self, found: unit, in: parser, program: program, isNew: false, now: now)
            }
            return
        }
        if unit.kind == .video, kept === unitReader {
            // It counts already.
            kept = nil
            return give(unit, of: unitReader, from: parser, isNew: false, now: now)
        }
        guard unit.kind == .video, let generation = generations.first(where: { $0.unitReader === unitReader }),
            let number = number(of: unit, from: generation)
        else { return }
        generation.owesSince = generation.given.isEmpty ? nil : now
        if generation.isStalled { generation.report(.recovered) }
        generation.isStalled = false
        if let cut = generation.cut, number >= cut {
            generation.isCut = true
            return
        }
        // Only a keyframe can follow another encoder's pictures.
        guard number >= store.delivered, generation.isJoined || unit.isKeyframe else { return }
        let isNew = !generation.isJoined
        let missing = lastPicture == nil ? 0 : number - store.delivered
        pictures += 1
        deliveredTime = store.frame(from: number)?.time
        store.deliver(number)
        if isWaiting, !store.isFull {
            isWaiting = false
            input?.resume()
        }
        videoFormat = parser.videoFormat
        give(unit, of: unitReader, from: parser, isNew: isNew, now: now)
        if lastPicture == nil, kept == nil { sound?.release() }
        if isNew { join(generation, now: now) }
        lastPicture = now
        if missing > 0 {
            lostFrames += missing
            owner.stream(self, hasLost: missing)
        }
        releaseSuccessor()
        endIfOver()
    }

    private func join(_ generation: Generation, now: Int64) {
        generation.isJoined = true
        generation.patience = Self.patience
        loop.arm(for: now + generation.patience)
        generation.report(.delivering(videoFormat, after: lastPicture.map { .nanoseconds(now - $0) }))
        while let oldest = generations.first, oldest !== generation {
            generations.removeFirst()
            forget(oldest)
            oldest.report(.superseded)
        }
    }

    /// Picture and sound, as if they came from one multiplexer.
    private var program: Program { Program(video: codec, audio: soundStream) }

    /// Lets the picture wait that the owner is being given, with what is behind it and the sound: it is given once more
    /// after ``release()``.
    func keep() {
        guard let giving else { return }
        kept = giving
        giving.keep()
        sound?.hold()
    }

    /// Gives what has been kept. An encoder that has ended meanwhile took it along.
    func release() {
        kept?.release()
        sound?.release()
    }

    private func give(
        _ unit: AccessUnit, of unitReader: any UnitReader, from parser: borrowing some UnitSource & ~Copyable,
        isNew: Bool,
        now: Int64
    ) {
        giving = unitReader
        owner.stream(self, found: unit, in: parser, program: program, isNew: isNew, now: now)
        giving = nil
    }

    /// Which frame a picture is of; the encoder has left out those before it.
    private func number(of unit: AccessUnit, from generation: Generation) -> Int? {
        guard let oldest = generation.given.first else { return nil }
        let time = Ticks.extend(unit.pts, near: oldest.time)
        while let next = generation.given.first, next.time < time - Self.rounding { generation.given.removeFirst() }
        guard let frame = generation.given.first, frame.time <= time + Self.rounding else { return nil }
        generation.given.removeFirst()
        return frame.number
    }

    /// Ticks by which an encoder that counts in microseconds may be off.
    private static let rounding: Int64 = 2

    func unitReaderPaused(_ unitReader: any UnitReader, sawVideo: Bool) {
        owner.streamPaused(self, sawVideo: sawVideo)
    }

    func unitReaderEnded(_ unitReader: any UnitReader) {
        if unitReader === sound {
            sound = nil
            return
        }
        guard let index = generations.firstIndex(where: { $0.unitReader === unitReader }) else { return }
        let generation = generations.remove(at: index)
        forget(generation)
        mend(without: generation)
        generation.report(.ended)
    }

    // MARK: What is due

    /// Looks for encoders that owe pictures; returns when to look again.
    func runTimers(now: Int64) -> Int64 {
        var next = (input as? FIFOReader)?.runTimers(now: now) ?? .max
        if sound != nil, lastPicture == nil {
            // Its writer must not be stuck for ever: it reads the card, too.
            if now - began >= Self.soundPatience {
                sound?.release()
            } else {
                next = min(next, began + Self.soundPatience)
            }
        }
        let isIdle = !isWaiting && now - lastFrame >= Self.idleTime && store.count < Self.mostHeldBack
        for generation in generations where !generation.isStalled && !generation.isHeld {
            guard let since = generation.owesSince else { continue }
            if generation.sender.next == nil ? generation.sender.isRead : isIdle {
                // It is ready, or nothing can come of it.
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

/// Whoever puts the pictures and the sound of a stream to use.
protocol FrameStreamOwner: AnyObject {
    /// A frame has come.
    func stream(_ stream: FrameStream, hasFrame now: Int64)
    /// A unit is whole, and is the next of its kind.
    ///
    /// - Parameter isNew: It is the first of another encoder.
    func stream(
        _ stream: FrameStream, found unit: AccessUnit, in parser: borrowing some UnitSource & ~Copyable,
        program: Program,
        isNew: Bool, now: Int64)
    /// Everything that was read has been passed on.
    func streamPaused(_ stream: FrameStream, sawVideo: Bool)
    /// So many pictures of frames that had come will not come.
    func stream(_ stream: FrameStream, hasLost count: Int)
    func stream(_ stream: FrameStream, isUnreadable problem: String)
    /// All frames and pictures have come that will.
    func streamEnded(_ stream: FrameStream)
}
