import EventLoop
package import MPEGTS
import MediaTypes

/// What the data path reports of an encoder.
package enum EncoderEvent: Sendable, Hashable {
    /// Its first picture is in the group feed.
    ///
    /// - Parameter after: The time since the last picture of the generation before; `nil` for the first of all.
    case delivering(VideoFormat?, after: Duration?)
    /// It was given pictures for as long as it may take, and gave none.
    case stalled
    /// It was stalled, and gives pictures again.
    case recovered
    /// It gives fewer pictures than it is sent, and falls behind further and further.
    case slow
    /// It was slow, and has caught up.
    case keepsUp
    /// A successor was to take over from it and will not; what it gave meanwhile was refused, so it has to be replaced.
    case torn
    /// A later generation took over.
    case superseded
    /// It closed its output.
    case ended
}

/// Splices the generations of a group's encoder into the group feed.
final class GroupOutput: UnitReaderDelegate {
    let hub: FeedHub
    private let loop: EventLoop
    private var splicer: Splicer
    private var generations: [Generation] = []
    /// The picture that the generation gives that joined last; `nil` before the first.
    private(set) var videoFormat: VideoFormat?
    /// When a picture last went into the feed, in nanoseconds of the monotonic clock.
    private var lastPicture: Int64?
    /// Pictures that the channel had and the group has not: between generations, where an encoder left one out, and
    /// where it fell so far behind that its input jumped.
    private(set) var lostFrames = 0

    /// The last picture when a generation ended, and the channel's pictures up to there.
    private var lastEnd: (dts: Int64, pictures: Int)?

    final class Generation {
        let unitReader: PipeReader
        let input: FeedSender
        let report: @Sendable (EncoderEvent) -> Void
        /// The feed of the channel, from which it is fed.
        let source: FeedHub
        var writer: Splicer.Writer
        var isStalled = false
        /// It waits until the generation before has given everything up to the cut.
        var isHeld = false
        /// Something of it was refused for a successor that is no more: whatever else it gives would leave a gap.
        var isTorn = false
        /// When the pictures of its predecessor were complete, while it still waits for the sound.
        var picturesCompleteAt: Int64?
        var pace = PaceWatch(interval: 1_000_000_000)
        /// What its input jumped over and has been counted as lost.
        var counted = FeedReader.Skipped()
        /// Ticks from the picture before its last one to that; `nil` before its second.
        var step: Int64?
        /// When a picture last came out, in nanoseconds of the monotonic clock.
        var lastPicture: Int64
        /// Nanoseconds that it may go on taking bytes without giving a picture: the first may take longer than the
        /// others.
        var patience: Int64

        init(
            unitReader: PipeReader, input: FeedSender, source: FeedHub, writer: Splicer.Writer, patience: Int64,
            report: @escaping @Sendable (EncoderEvent) -> Void
        ) {
            self.unitReader = unitReader
            self.input = input
            self.source = source
            self.writer = writer
            self.patience = patience
            self.report = report
            lastPicture = EventLoop.now()
        }

        /// Pictures of the channel up to a decoding time of the group's. An encoder has the pictures in the order in
        /// which they are shown, and decoded as they are shown; a copy has the times of the channel.
        func pictures(until time: Int64) -> Int {
            switch writer.join {
            case .resuming(_, needsKeyframe: false): source.feed.frames(until: time)
            case .resuming, .following: source.feed.frames(shownUntil: time)
            }
        }

        /// Pictures of the channel that it was given, or could be, and that have not come out.
        ///
        /// - Parameter tail: The end of the group's feed.
        func picturesOwed(after tail: Splicer.Tail) -> Int {
            guard let first = input.reader.firstEntry else { return 0 }
            let shown = tail.videoDTS.map { pictures(until: $0 + tail.frameDuration / 2) } ?? 0
            return source.feed.frames - max(shown, first.frames)
        }

        /// How far it is behind its source: pictures alone count, for sound may go on while a picture pauses.
        func place(behind owed: Int, shown: Int64) -> PaceWatch.Place? {
            guard let newest = source.feed.newestVideoDTS else { return nil }
            let lag = newest - shown
            let hasBacklog = lag > GroupOutput.little && owed > GroupOutput.mostHeldBack
            return PaceWatch.Place(
                backlog: !hasBacklog ? .none : lag > GroupOutput.most ? .much : .some,
                lag: lag * 100_000 / 9, given: shown * 100_000 / 9, jumps: input.reader.skips)
        }
    }

    /// Ticks behind its source that are every encoder's right.
    private static let little = Ticks.perSecond
    /// Ticks behind its source from which on an encoder is judged: less than half of what a feed keeps, so that the
    /// next one finds everything that is missing.
    private static let most = 5 * Ticks.perSecond / 2
    /// Pictures that an encoder may hold until more come: a decoder with sixteen threads holds fifteen, a demultiplexer
    /// the last.
    private static let mostHeldBack = 20
    /// Nanoseconds that the service may be late without a thought; what is beyond that is no encoder's fault.
    private static let lateness: Int64 = 500_000_000
    /// When to look again, as it was said last.
    private var lookAt = Int64.max

    /// Nanoseconds that the sound may come behind the picture where a successor takes over.
    private static let soundPatience: Int64 = 300_000_000

    init(hub: FeedHub, loop: EventLoop) {
        self.hub = hub
        self.loop = loop
        splicer = Splicer(feed: hub.feed, fillsSilence: false)
    }

    var tail: Splicer.Tail { splicer.tail }
    var videoCodec: VideoCodec? { splicer.videoCodec }
    var figures: DataPath.FeedFigures {
        .init(
            frames: splicer.frames, lostFrames: lostFrames, skips: inputSkips, bytes: hub.feed.position,
            mediaBytes: splicer.mediaBytes,
            end: tail.videoDTS)
    }

    func add(_ generation: Generation) {
        generations.append(generation)
        lookAt = min(lookAt, generation.lastPicture + generation.patience)
        loop.arm(for: generation.lastPicture + generation.patience)
    }

    /// Adds a generation that takes over at `cut`, from one that runs.
    ///
    /// Until the one before has given everything up to there, what the new one gives waits in its pipe. From there on
    /// the old one's units are refused, and it is superseded as soon as the new one has joined.
    ///
    /// - Returns: False when there is none to take over from; nothing was changed then.
    func addSuccessor(_ generation: Generation, at cut: Splicer.Cut) -> Bool {
        guard hasCurrent, let current = generations.last else { return false }
        current.writer.setEnd(cut)
        generation.isHeld = true
        generation.unitReader.hold()
        add(generation)
        return true
    }

    /// A generation that can be handed over from.
    var hasCurrent: Bool { generations.last.map { $0.writer.isJoined && !$0.isHeld && !$0.isTorn } ?? false }

    func remove(_ unitReader: PipeReader) {
        unitReader.close()
        guard let index = generations.firstIndex(where: { $0.unitReader === unitReader }) else { return }
        end(at: index)
    }

    @discardableResult
    private func end(at index: Int) -> Generation {
        let generation = forget(at: index)
        generation.input.close()
        mend(without: generation)
        // The stop of a group in the middle of a handover: this one has given all that it was given, and the rest is
        // the successor's.
        if generation.input.isFinished { release(generations.last, now: EventLoop.now()) }
        return generation
    }

    @discardableResult
    private func forget(at index: Int) -> Generation {
        let generation = generations.remove(at: index)
        // By the time that the next one gives a picture, the channel's window may have passed this place.
        if generation.writer.isJoined, let end = tail.videoDTS {
            lastEnd = (end, generation.pictures(until: end + tail.frameDuration / 2))
        }
        formerSkips += generation.input.reader.skips
        return generation
    }

    /// What a successor that ended before it took over leaves behind.
    private func mend(without successor: Generation) {
        guard !successor.writer.isJoined, let current = generations.last, current.writer.isJoined else { return }
        guard current.writer.isCut else { return current.writer.setEnd(nil) }
        // It goes on being refused: the one that replaces it begins where the feed ends.
        current.isTorn = true
        current.report(.torn)
    }

    /// Lets a successor begin once the generation before it has given everything.
    private func releaseSuccessor(of generation: Generation, now: Int64) {
        guard let successor = generations.last, successor.isHeld, successor !== generation,
            generation.writer.hasGivenAllVideo
        else { return }
        let since = successor.picturesCompleteAt ?? now
        successor.picturesCompleteAt = since
        guard generation.writer.hasGivenAll || now - since >= Self.soundPatience else { return }
        release(successor, now: now)
    }

    private func release(_ successor: Generation?, now: Int64) {
        guard let successor, successor.isHeld else { return }
        successor.isHeld = false
        successor.lastPicture = now
        successor.unitReader.release()
    }

    // MARK: Inlet owner

    func unitReader(_ unitReader: any UnitReader, found program: Program) {}

    func unitReader(
        _ unitReader: any UnitReader, found unit: AccessUnit, in parser: borrowing some UnitSource & ~Copyable,
        now: Int64
    ) {
        guard let index = generations.firstIndex(where: { $0.unitReader === unitReader }) else { return }
        let generation = generations[index]
        let before = tail
        let missing = splicer.lostFrames
        let outcome = splicer.accept(unit, of: &generation.writer, from: parser, now: Ticks.fromNanoseconds(now))
        if outcome == .dropped, generation.writer.isCut { releaseSuccessor(of: generation, now: now) }
        // A picture that the feed has already, or cannot use, is no sign of health.
        guard unit.kind == .video, outcome != .dropped else { return }
        if outcome == .joined {
            lostFrames += lost(splicer.lostFrames - missing, since: before, every: before.frameDuration, by: generation)
            // What it jumped over before that is a part of it.
            generation.counted = generation.input.reader.skipped
        } else if generation.input.reader.skipped != generation.counted {
            countJumps(of: generation)
        } else if let end = before.videoDTS, let next = tail.videoDTS {
            if let step = generation.step {
                lostFrames += lost(Int((next - end + step / 2) / step - 1), since: before, every: step, by: generation)
            }
            generation.step = next - end
        }
        generation.lastPicture = now
        generation.patience = DataPath.encoderPatience.wholeNanoseconds
        if generation.isStalled {
            generation.isStalled = false
            generation.report(.recovered)
            loop.arm(for: now + generation.patience)
        }
        if outcome == .joined {
            videoFormat = parser.videoFormat ?? videoFormat
            generation.report(.delivering(parser.videoFormat, after: lastPicture.map { .nanoseconds(now - $0) }))
            supersede(before: generation)
        }
        lastPicture = now
    }

    /// How many pictures the channel had between the last one and the one that came now: where it had none, nothing is
    /// lost.
    ///
    /// - Parameters:
    ///   - missing: How many have room between the two.
    ///   - step: Ticks from one picture to the next.
    private func lost(_ missing: Int, since before: Splicer.Tail, every step: Int64, by generation: Generation) -> Int {
        guard missing > 0, let end = before.videoDTS, let next = tail.videoDTS else { return 0 }
        let half = max(step / 2, 1)
        let former = lastEnd?.dts == end ? lastEnd!.pictures : generation.pictures(until: end + half)
        let pictures = max(0, generation.pictures(until: next - half) - former)
        return lacking(pictures, in: next - end, every: step, missing: missing)
    }

    /// Where the group has clearly fewer pictures than the channel, it lacks no more than its own.
    private func lacking(_ pictures: Int, in ticks: Int64, every step: Int64, missing: Int) -> Int {
        step * Int64(pictures + 1) > ticks * 3 / 2 ? missing : pictures
    }

    /// Counts what an encoder was not given, once it gives pictures from behind the jump: until then its end would have
    /// the next one begin before it.
    private func countJumps(of generation: Generation) {
        let skipped = generation.input.reader.skipped
        guard let shown = tail.videoDTS, shown >= skipped.end else { return }
        let ticks = skipped.ticks - generation.counted.ticks
        let step = tail.frameDuration
        lostFrames += lacking(
            skipped.frames - generation.counted.frames, in: ticks, every: step,
            missing: Int((ticks + step / 2) / step))
        generation.counted = skipped
    }

    /// Jumps of all encoders' inputs.
    var inputSkips: Int { formerSkips + generations.reduce(0) { $0 + $1.input.reader.skips } }
    private var formerSkips = 0

    /// Ends the generations that came before one that has joined.
    private func supersede(before successor: Generation) {
        while let oldest = generations.first, oldest !== successor {
            forget(at: 0)
            oldest.unitReader.close()
            oldest.input.close()
            oldest.report(.superseded)
        }
    }

    func unitReaderPaused(_ unitReader: any UnitReader, sawVideo: Bool) { hub.mayFlush(sawVideo: sawVideo) }

    func unitReaderEnded(_ unitReader: any UnitReader) {
        guard let index = generations.firstIndex(where: { $0.unitReader === unitReader }) else { return }
        end(at: index).report(.ended)
    }

    /// Flushes what was held back and looks for encoders that take and do not give; returns when to look again.
    func runTimers(now: Int64) -> Int64 {
        excuseLateness(now: now)
        let next = min(hub.flushIfDue(now: now), lookAtGenerations(now: now))
        lookAt = next
        return next
    }

    /// A machine that stood still, or left the service no processor, left none to the encoders either.
    private func excuseLateness(now: Int64) {
        guard lookAt < now - Self.lateness else { return }
        for generation in generations { generation.lastPicture += now - lookAt }
    }

    private func lookAtGenerations(now: Int64) -> Int64 {
        var next = Int64.max
        for generation in generations where !generation.isHeld {
            if generation.writer.hasGivenAllVideo {
                // The next picture is its successor's.
                releaseSuccessor(of: generation, now: now)
                if let successor = generations.last, successor.isHeld, let since = successor.picturesCompleteAt {
                    next = min(next, since + Self.soundPatience)
                }
                continue
            }
            // One that is given no more is about to end.
            guard !generation.input.isClosed else { continue }
            let owed = generation.picturesOwed(after: tail)
            let shown = generation.writer.isJoined ? tail.videoDTS : nil
            if let place = shown.flatMap({ generation.place(behind: owed, shown: $0) }) {
                let (change, look) = generation.pace.look(place, now: now)
                switch change {
                case .tooSlow: generation.report(.slow)
                case .keepsUp: generation.report(.keepsUp)
                case nil: break
                }
                next = min(next, look)
            }
            if generation.isStalled { continue }
            // Of what it may hold nothing needs to come out before more comes in: a source may pause its picture.
            guard owed > Self.mostHeldBack else {
                next = min(next, now + generation.patience)
                continue
            }
            let since = max(generation.lastPicture, generation.source.picturesResumedAt)
            if now - since >= generation.patience {
                generation.isStalled = true
                generation.report(.stalled)
            } else {
                next = min(next, since + generation.patience)
            }
        }
        return next
    }
}
