import EventLoop
import MPEGTS
import MediaTypes

/// Splices the sources of a channel into its feed.
final class ChannelInput {
    /// The keyframe of one source waits for B-frames of another: the feed has the frame that these B-frames depend on,
    /// and needs them too.
    struct Change {
        let from: ChannelSource
        let to: ChannelSource
        /// In nanoseconds of the monotonic clock.
        let deadline: Int64
    }

    let hub: FeedHub
    let loop: EventLoop
    var splicer: Splicer
    var choice: OnAirChoice
    private(set) var sources: [ChannelSource] = []
    /// Nanoseconds that a source may be ahead of real time.
    let mostAhead: Int64
    /// How far each source is ahead of real time, by priority. Sources that have ended keep their entry.
    var paces: [OnAirChoice.Priority: SourcePace] = [:]
    /// The clip for times in which no source delivers.
    var slate: SlateClip?
    /// Plays the slate while it is on air.
    var player: SlatePlayer?
    var reportSlate: @Sendable (SlateEvent) -> Void = { _ in }
    /// When a frame of a source last entered the feed, in nanoseconds of the monotonic clock.
    var lastAired: Int64?
    /// When the slate may start as long as nothing has been on air.
    let slateFrom: Int64
    /// A source is about to replace another one on air, which has frames to give first.
    var change: Change?
    var audio: ChannelAudioFormat
    /// Nanoseconds that a source may take to give its last B-frames.
    let changePatience: Int64

    /// - Parameters:
    ///   - slateDelay: Nanoseconds that the channel waits for its first source before it shows the slate.
    ///   - mostAhead: Nanoseconds that a source may be ahead of real time.
    ///   - changePatience: Nanoseconds that a source waits for the last frames of the previous source before it goes
    ///     on air.
    ///   - keepsAudioFormat: The channel's audio has one format.
    init(
        hub: FeedHub, patience: Int64, slateDelay: Int64, mostAhead: Int64, changePatience: Int64,
        keepsAudioFormat: Bool, start: Int64, loop: EventLoop
    ) {
        self.mostAhead = mostAhead
        self.changePatience = changePatience
        audio = ChannelAudioFormat(isKept: keepsAudioFormat)
        slateFrom = EventLoop.now() + slateDelay
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
    var videoCodec: VideoCodec? { splicer.videoCodec }
    /// A channel loses no frames: only encoders do.
    var figures: DataPath.FeedFigures {
        .init(frames: splicer.frames, bytes: hub.feed.position, mediaBytes: splicer.mediaBytes, end: tail.videoDTS)
    }
    /// The video format of the source on air.
    var videoFormat: VideoFormat? { player?.clip.format ?? sources.first { $0.priority == choice.onAir }?.videoFormat }

    // MARK: Sources

    func source(of unitReader: any UnitReader) -> ChannelSource? { sources.first { $0.unitReader === unitReader } }

    func source(of stream: FrameStream) -> ChannelSource? { sources.first { $0.frames === stream } }

    /// - Parameter isNew: This is another source than the one that had this priority before.
    func add(_ source: ChannelSource, isNew: Bool) {
        // The process or publisher of the source before may end a moment after the next one has come.
        if let former = sources.first(where: { $0.priority == source.priority }) { end(former) }
        sources.append(source)
        source.keepAudioFormat(audio.kept)
        paces[source.priority] = isNew ? nil : paces[source.priority]?.following()
        if isNew { choice.forgive(source.priority) }
        if let due = source.stalls(channelPatience: choice.patience) { loop.arm(for: due) }
    }

    /// Closes a source's reader without waiting for its relay, or its publisher, to end.
    func remove(_ unitReader: any UnitReader) {
        unitReader.close()
        unitReaderEnded(unitReader)
    }

    /// Ends the source of a stream of frames without waiting for its encoders.
    func remove(_ frames: FrameStream) { streamEnded(frames) }

    func end(_ source: ChannelSource) {
        source.close()
        sources.removeAll { $0 === source }
        choice.ended(source.priority, now: EventLoop.now())
        source.forgetLateAudio()
        source.report(.ended)
        guard let change else { return }
        if change.from === source { finish(change, isThere: false) }
        if change.to === source { self.change = nil }
    }

    // MARK: Timers

    /// Flushes held-back output and looks for sources that fell silent; returns when to look again.
    func runTimers(now: Int64) -> Int64 {
        // Before the flush, so that the slate's frames go out with it.
        var next = playSlate(now: now)
        next = min(next, hub.flushIfDue(now: now))
        for source in sources {
            if let frames = source.frames { next = min(next, frames.runTimers(now: now)) }
            for converter in source.converters { next = min(next, converter.runTimers(now: now)) }
        }
        if let change {
            if now >= change.deadline { finish(change, isThere: true) } else { next = min(next, change.deadline) }
        }
        // A source that waits to go on air is not read meanwhile.
        for source in sources where !source.isStalled && change?.to !== source {
            guard let due = source.stalls(channelPatience: choice.patience) else { continue }
            if now >= due {
                source.isStalled = true
                source.report(.stalled)
            } else {
                next = min(next, due)
            }
        }
        return next
    }
}
