public import TransportStream

/// What the data path reports of an encoder.
public enum EncoderEvent: Sendable, Hashable {
    /// Its first picture is in the group feed.
    case delivering(VideoFormat?)
    /// Its input went on, and its output did not.
    case stalled
    /// A later generation took over.
    case superseded
    /// It closed its output.
    case ended
}

/// Splices the generations of a group's encoder into the group feed.
final class GroupOutput: InletOwner {
    let hub: FeedHub
    private let loop: EventLoop
    private var splicer: Splicer
    private var generations: [Generation] = []
    /// Pictures that are missing between generations.
    var lostFrames: Int { splicer.lostFrames }

    final class Generation {
        let inlet: Inlet
        let input: Outlet
        let report: @Sendable (EncoderEvent) -> Void
        var writer: Splicer.Writer
        var isStalled = false
        /// When a picture last came out, in nanoseconds of the monotonic clock.
        var lastPicture: Int64

        init(inlet: Inlet, input: Outlet, writer: Splicer.Writer, report: @escaping @Sendable (EncoderEvent) -> Void) {
            self.inlet = inlet
            self.input = input
            self.writer = writer
            self.report = report
            lastPicture = EventLoop.now()
        }
    }

    /// Nanoseconds that an encoder may go on taking bytes without giving a picture.
    static let patience: Int64 = 2_000_000_000

    init(hub: FeedHub, loop: EventLoop) {
        self.hub = hub
        self.loop = loop
        splicer = Splicer(feed: hub.feed, fillsSilence: false)
    }

    var tail: Splicer.Tail { splicer.tail }
    var frames: Int { splicer.frames }

    func add(_ generation: Generation) {
        generations.append(generation)
        loop.arm(for: generation.lastPicture + Self.patience)
    }

    func remove(_ inlet: Inlet) {
        inlet.close()
        guard let index = generations.firstIndex(where: { $0.inlet === inlet }) else { return }
        generations.remove(at: index).input.close()
    }

    // MARK: Inlet owner

    func inlet(_ inlet: Inlet, found program: Program) {}

    func inlet(_ inlet: Inlet, found unit: AccessUnit, in parser: borrowing UnitParser, now: Int64) {
        guard let index = generations.firstIndex(where: { $0.inlet === inlet }) else { return }
        let generation = generations[index]
        let outcome = splicer.accept(unit, of: &generation.writer, from: parser, now: Ticks.fromNanoseconds(now))
        // A picture that the feed has already, or cannot use, is no sign of health.
        guard unit.kind == .video, outcome != .dropped else { return }
        generation.lastPicture = now
        if generation.isStalled {
            generation.isStalled = false
            loop.arm(for: now + Self.patience)
        }
        if outcome == .joined {
            generation.report(.delivering(parser.videoFormat))
            supersede(before: generation)
        }
    }

    /// Ends the generations that came before one that has joined.
    private func supersede(before successor: Generation) {
        while let oldest = generations.first, oldest !== successor {
            generations.removeFirst()
            oldest.inlet.close()
            oldest.input.close()
            oldest.report(.superseded)
        }
    }

    func inletPaused(_ inlet: Inlet, sawVideo: Bool) { hub.mayFlush(sawVideo: sawVideo) }

    func inletEnded(_ inlet: Inlet) {
        guard let index = generations.firstIndex(where: { $0.inlet === inlet }) else { return }
        let generation = generations.remove(at: index)
        generation.input.close()
        generation.report(.ended)
    }

    /// Flushes what was held back and looks for encoders that take and do not give; returns when to look again.
    func doWhatIsDue(now: Int64) -> Int64 {
        var next = hub.flushIfDue(now: now)
        for generation in generations where !generation.isStalled {
            // From where nothing comes in nothing can come out: a replay alone holds no new picture.
            if generation.input.isIdle(now: now) {
                next = min(next, now + Self.patience)
                continue
            }
            let since = max(generation.lastPicture, generation.input.resumedAt)
            if now - since >= Self.patience {
                generation.isStalled = true
                generation.report(.stalled)
            } else {
                next = min(next, since + Self.patience)
            }
        }
        return next
    }
}
