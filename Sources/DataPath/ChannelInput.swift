public import TransportStream

/// What a source's inlet reports.
public enum SourceEvent: Sendable, Hashable {
    /// The first program is known, or another one.
    case program(Program)
    /// Pictures come; also after a ``stalled``.
    case delivering(VideoFormat?)
    /// It took the air.
    case onAir(VideoFormat?)
    /// Another source took the air.
    case offAir
    /// No picture came for the channel's patience.
    case stalled
    /// The relay closed its end.
    case ended
}

/// Splices the sources of a channel into its feed.
final class ChannelInput: InletOwner {
    let hub: FeedHub
    private let loop: EventLoop
    private var splicer: Splicer
    private var choice: OnAirChoice
    private var sources: [Source] = []

    final class Source {
        let inlet: Inlet
        let priority: Int
        let report: @Sendable (SourceEvent) -> Void
        var writer = Splicer.Writer(.following)
        var lastPicture: Int64?
        var isStalled = false
        var pictures = 0

        init(inlet: Inlet, priority: Int, report: @escaping @Sendable (SourceEvent) -> Void) {
            self.inlet = inlet
            self.priority = priority
            self.report = report
        }
    }

    init(hub: FeedHub, patience: Int64, start: Int64, loop: EventLoop) {
        self.hub = hub
        self.loop = loop
        splicer = Splicer(feed: hub.feed, start: start, fillsSilence: true)
        choice = OnAirChoice(patience: patience)
    }

    /// Nanoseconds that the source on air may be silent.
    var patience: Int64 {
        get { choice.patience }
        set { choice.patience = newValue }
    }

    var tail: Splicer.Tail { splicer.tail }
    var frames: Int { splicer.frames }
    /// What the source on air says of its picture.
    var videoFormat: VideoFormat? { sources.first { $0.priority == choice.onAir }?.inlet.videoFormat }

    func add(_ source: Source) { sources.append(source) }

    /// Closes a source's inlet without waiting for its relay to end.
    func remove(_ inlet: Inlet) {
        inlet.close()
        guard let index = sources.firstIndex(where: { $0.inlet === inlet }) else { return }
        choice.ended(sources.remove(at: index).priority)
    }

    // MARK: Inlet owner

    func inlet(_ inlet: Inlet, found program: Program) {
        source(of: inlet)?.report(.program(program))
    }

    func inlet(_ inlet: Inlet, found unit: AccessUnit, in parser: borrowing UnitParser, now: Int64) {
        guard let source = source(of: inlet) else { return }
        if unit.kind == .video {
            source.lastPicture = now
            source.pictures += 1
            if source.isStalled || source.pictures == 1 {
                source.isStalled = false
                source.report(.delivering(parser.videoFormat))
                loop.arm(for: now + choice.patience)
            }
        }
        if choice.onAir == source.priority {
            if unit.kind == .video { choice.picture(now: now) }
        } else {
            guard unit.kind == .video, unit.isKeyframe else { return }
            let previous = choice.onAir
            guard choice.keyframe(from: source.priority, now: now) else { return }
            sources.first { $0.priority == previous }?.report(.offAir)
            source.writer = Splicer.Writer(.following)
            source.report(.onAir(parser.videoFormat))
        }
        _ = splicer.accept(unit, of: &source.writer, from: parser, now: Ticks.fromNanoseconds(now))
    }

    func inletPaused(_ inlet: Inlet, sawVideo: Bool) { hub.mayFlush(sawVideo: sawVideo) }

    func inletEnded(_ inlet: Inlet) {
        guard let index = sources.firstIndex(where: { $0.inlet === inlet }) else { return }
        let source = sources.remove(at: index)
        choice.ended(source.priority)
        source.report(.ended)
    }

    /// Flushes what was held back and looks for sources that went silent; returns when to look again.
    func doWhatIsDue(now: Int64) -> Int64 {
        var next = hub.flushIfDue(now: now)
        for source in sources where !source.isStalled {
            guard let last = source.lastPicture else { continue }
            if now - last >= choice.patience {
                source.isStalled = true
                source.report(.stalled)
            } else {
                next = min(next, last + choice.patience)
            }
        }
        return next
    }

    private func source(of inlet: Inlet) -> Source? { sources.first { $0.inlet === inlet } }
}
