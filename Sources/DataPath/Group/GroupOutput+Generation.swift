import EventLoop
import MPEGTS

extension GroupOutput {
    /// One process in the succession of a group's encoders.
    final class Generation {
        let unitReader: PipeReader
        let input: FeedSender
        let report: @Sendable (EncoderEvent) -> Void
        /// The feed of the channel, which the encoder reads.
        let source: FeedHub
        var writer: Splicer.Writer
        var isStalled = false
        /// Whether the encoder's output waits until the generation before has given everything up to the cut.
        var isHeld = false
        /// Whether a frame was rejected for a successor that has gone. Any further frame would leave a gap.
        var isTorn = false
        /// When the video of the predecessor was complete, while this generation still waits for the audio.
        var videoCompleteAt: Int64?
        var pace = PaceWatch(interval: 1_000_000_000)
        /// The skipped frames of its input that have been counted as lost.
        var counted = FeedReader.Skipped()
        /// Ticks between its last two frames; `nil` before its second.
        var step: Int64?
        /// When a frame last came out, in nanoseconds of the monotonic clock.
        var lastFrame: Int64
        /// Nanoseconds that the encoder may take bytes without giving a frame. The first frame may take longer than the
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
            lastFrame = EventLoop.now()
        }

        /// Counts the frames of the channel up to a decoding time of the group's. An encoder gives its frames in
        /// presentation order, and decoding times in the same order. A copy has the times of the channel.
        func frames(until time: Int64) -> Int {
            switch writer.join {
            case .resuming(_, needsKeyframe: false): source.feed.frames(until: time)
            case .resuming, .following: source.feed.frames(shownUntil: time)
            }
        }

        /// Counts the frames of the channel that the encoder got, or could get, and that have not come out.
        ///
        /// - Parameter tail: The end of the group's feed.
        func framesOwed(after tail: Splicer.Tail) -> Int {
            guard let first = input.reader.firstEntry else { return 0 }
            let shown = tail.videoDTS.map { frames(until: $0 + tail.frameDuration / 2) } ?? 0
            return source.feed.frames - max(shown, first.frames)
        }

        /// How far the encoder is behind its source. Only video counts, because audio may continue while the video
        /// pauses.
        func place(behind owed: Int, shown: Int64) -> PaceWatch.Place? {
            guard let newest = source.feed.newestVideoDTS else { return nil }
            let lag = newest - shown
            let hasBacklog = lag > GroupOutput.little && owed > GroupOutput.mostHeldBack
            return PaceWatch.Place(
                backlog: !hasBacklog ? .none : lag > GroupOutput.most ? .much : .some,
                lag: lag * 100_000 / 9, given: shown * 100_000 / 9, jumps: input.reader.skips)
        }
    }

    /// Ticks that every encoder may be behind its source.
    fileprivate static let little = Ticks.perSecond
    /// Ticks behind its source after which an encoder may count as slow: less than half of what a feed keeps, so that
    /// the next encoder finds all missing frames.
    fileprivate static let most = 5 * Ticks.perSecond / 2
    /// Frames that an encoder may hold until more come: a decoder with sixteen threads holds fifteen, a demultiplexer
    /// the last.
    static let mostHeldBack = 20
}
