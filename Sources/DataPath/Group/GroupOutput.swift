import EventLoop
import MPEGTS
import MediaTypes

/// Splices the generations of a group's encoder into the group feed.
final class GroupOutput {
    let hub: FeedHub
    private let loop: EventLoop
    private var splicer: Splicer
    private var generations: [Generation] = []
    /// The video format of the generation that joined last; `nil` before the first.
    private(set) var videoFormat: VideoFormat?
    /// When a frame last entered the feed, in nanoseconds of the monotonic clock.
    private var lastFrame: Int64?
    /// Frames that the channel had and the group has not: between generations, where an encoder left one out, and where
    /// it fell so far behind that its input skipped.
    var lostFrames = 0
    /// The last frame when a generation ended, and the channel's frames up to there.
    private(set) var lastEnd: (dts: Int64, frames: Int)?
    /// Skips of the inputs of generations that have gone.
    private var formerSkips = 0
    /// When to look again, as last returned by ``runTimers(now:)``.
    private var lookAt = Int64.max

    /// Nanoseconds that the service's timers may be late. A longer delay does not count against the encoders.
    private static let lateness: Int64 = 500_000_000
    /// Nanoseconds that the audio may come behind the video where a successor takes over.
    private static let audioPatience: Int64 = 300_000_000

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

    /// Skips of all encoders' inputs.
    var inputSkips: Int { formerSkips + generations.reduce(0) { $0 + $1.input.reader.skips } }

    // MARK: Generations

    func add(_ generation: Generation) {
        generations.append(generation)
        lookAt = min(lookAt, generation.lastFrame + generation.patience)
        loop.arm(for: generation.lastFrame + generation.patience)
    }

    /// Adds a generation that takes over at `cut`, from one that runs.
    ///
    /// The new one's output waits in its pipe until the old one has given everything up to the cut. From there on the
    /// old one's units are rejected, and it is superseded as soon as the new one has joined.
    ///
    /// - Returns: False when there is none to take over from. Nothing was changed then.
    func addSuccessor(_ generation: Generation, at cut: Splicer.Cut) -> Bool {
        guard hasCurrent, let current = generations.last else { return false }
        current.writer.setEnd(cut)
        generation.isHeld = true
        generation.unitReader.hold()
        add(generation)
        return true
    }

    /// Whether there is a generation that a successor can take over from.
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
        withdrawCut(of: generation)
        // The group stops in the middle of a handover: this generation has given all of its input, and the rest is the
        // successor's.
        if generation.input.isFinished { release(generations.last, now: EventLoop.now()) }
        return generation
    }

    @discardableResult
    private func forget(at index: Int) -> Generation {
        let generation = generations.remove(at: index)
        // When the next generation gives a frame, the channel's feed may no longer have this place.
        if generation.writer.isJoined, let end = tail.videoDTS {
            lastEnd = (end, generation.frames(until: end + tail.frameDuration / 2))
        }
        formerSkips += generation.input.reader.skips
        return generation
    }

    /// Withdraws the cut that a successor left when it ended before it took over.
    private func withdrawCut(of successor: Generation) {
        guard !successor.writer.isJoined, let current = generations.last, current.writer.isJoined else { return }
        guard current.writer.isCut else { return current.writer.setEnd(nil) }
        // Its later frames are rejected too: the generation that replaces it begins where the feed ends.
        current.isTorn = true
        current.report(.torn)
    }

    /// Reads a successor's output once the generation before it has given everything.
    private func releaseSuccessor(of generation: Generation, now: Int64) {
        guard let successor = generations.last, successor.isHeld, successor !== generation,
            generation.writer.hasGivenAllVideo
        else { return }
        let since = successor.videoCompleteAt ?? now
        successor.videoCompleteAt = since
        guard generation.writer.hasGivenAll || now - since >= Self.audioPatience else { return }
        release(successor, now: now)
    }

    private func release(_ successor: Generation?, now: Int64) {
        guard let successor, successor.isHeld else { return }
        successor.isHeld = false
        successor.lastFrame = now
        successor.unitReader.release()
    }

    /// Ends the generations that came before one that has joined.
    private func supersede(before successor: Generation) {
        while let oldest = generations.first, oldest !== successor {
            forget(at: 0)
            oldest.unitReader.close()
            oldest.input.close()
            oldest.report(.superseded)
        }
    }

    // MARK: Timers

    /// Flushes held-back output and looks for encoders that take frames and give none; returns when to look again.
    func runTimers(now: Int64) -> Int64 {
        excuseLateness(now: now)
        let next = min(hub.flushIfDue(now: now), lookAtGenerations(now: now))
        lookAt = next
        return next
    }

    /// Extends the encoders' patience after a delay of the timers. A machine that hung, or gave the service no
    /// processor time, gave the encoders none either.
    private func excuseLateness(now: Int64) {
        guard lookAt < now - Self.lateness else { return }
        for generation in generations { generation.lastFrame += now - lookAt }
    }

    private func lookAtGenerations(now: Int64) -> Int64 {
        var next = Int64.max
        for generation in generations where !generation.isHeld {
            if generation.writer.hasGivenAllVideo {
                // The next frame is its successor's.
                releaseSuccessor(of: generation, now: now)
                if let successor = generations.last, successor.isHeld, let since = successor.videoCompleteAt {
                    next = min(next, since + Self.audioPatience)
                }
                continue
            }
            // An encoder without an input is about to end.
            guard !generation.input.isClosed else { continue }
            let owed = generation.framesOwed(after: tail)
            next = min(next, watchPace(of: generation, owed: owed, now: now))
            if generation.isStalled { continue }
            // Frames that an encoder may hold need not come out before more come in: a source may pause its video.
            guard owed > Self.mostHeldBack else {
                next = min(next, now + generation.patience)
                continue
            }
            let since = max(generation.lastFrame, generation.source.framesResumedAt)
            if now - since >= generation.patience {
                generation.isStalled = true
                generation.report(.stalled)
            } else {
                next = min(next, since + generation.patience)
            }
        }
        return next
    }

    /// Reports an encoder that has become too slow, or keeps up again; returns when to look again.
    private func watchPace(of generation: Generation, owed: Int, now: Int64) -> Int64 {
        guard generation.writer.isJoined, let shown = tail.videoDTS,
            let place = generation.place(behind: owed, shown: shown)
        else { return .max }
        let (change, look) = generation.pace.look(place, now: now)
        switch change {
        case .tooSlow: generation.report(.slow)
        case .keepsUp: generation.report(.keepsUp)
        case nil: break
        }
        return look
    }
}

// MARK: - Output of the encoders

extension GroupOutput: UnitReaderDelegate {
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
        // A frame that the feed already has, or cannot use, does not show that the encoder works.
        guard unit.kind == .video, outcome != .dropped else { return }
        countLostFrames(
            since: before, joinedAfter: outcome == .joined ? splicer.lostFrames - missing : nil, by: generation)
        generation.lastFrame = now
        generation.patience = DataPath.encoderPatience.wholeNanoseconds
        if generation.isStalled {
            generation.isStalled = false
            generation.report(.recovered)
            loop.arm(for: now + generation.patience)
        }
        if outcome == .joined {
            videoFormat = parser.videoFormat ?? videoFormat
            generation.report(.delivering(parser.videoFormat, after: lastFrame.map { .nanoseconds(now - $0) }))
            supersede(before: generation)
        }
        lastFrame = now
    }

    func unitReaderPaused(_ unitReader: any UnitReader, sawVideo: Bool) { hub.mayFlush(sawVideo: sawVideo) }

    func unitReaderEnded(_ unitReader: any UnitReader) {
        guard let index = generations.firstIndex(where: { $0.unitReader === unitReader }) else { return }
        end(at: index).report(.ended)
    }
}
