package import MediaTypes

/// Joins the output of successive writers into one feed, on frame boundaries.
///
/// The feed has one set of PIDs, counters without a gap, and timestamps that never go back, whatever the writers use. A
/// writer takes over the feed at a keyframe. From then on, the splicer drops the units of every other writer.
///
/// The times in `now` parameters are ticks of any clock that runs evenly and does not stop.
package struct Splicer: ~Copyable {
    /// The end of the feed's contents, for each stream.
    package struct Tail: Sendable, Hashable {
        /// The latest presentation time of a video frame.
        package var videoPTS: Int64?
        /// The decoding time of the last video frame. With reordered frames it is never later than ``videoPTS``.
        package var videoDTS: Int64?
        /// Ticks between the last two frames of a writer, in decoding order.
        package var frameDuration: Int64 = 3000
        /// The presentation time at which the audio ends.
        package var audioEnd: Int64?
    }

    package var feed: Feed { output.feed }
    /// The codec of the feed's video now. `nil` before the first frame.
    package var videoCodec: VideoCodec? { output.program?.video?.type.videoCodec }
    package internal(set) var tail = Tail()
    /// The number of video frames that went into the feed.
    package internal(set) var frames = 0
    /// The number of video frames that are missing in the feed where a writer resumed, by the frame duration.
    package internal(set) var lostFrames = 0
    /// The number of video frames that are shown before the last one of the feed and have not arrived yet, by the frame
    /// duration: a source sends B-frames after the frame that they depend on.
    package internal(set) var outstanding = 0
    /// The number of bytes of the elementary streams that went into the feed, without packet and PES headers.
    package var mediaBytes: Int { output.mediaBytes }
    /// The number of frames of silence that replace missing audio.
    package internal(set) var silentFrames = 0
    /// The one format of the feed's audio, once a writer has named it with ``Writer/audioFormat``. `nil` before.
    package internal(set) var audioFormat: AACFormat?
    /// If the last unit was audio that was dropped only because of its time: the ticks that it is behind the newest
    /// video frame, negative if it is ahead. `nil` otherwise.
    package internal(set) var refusedLag: Int64?

    var output: FeedWriter
    var lastVideoArrival: Int64?
    /// Counts the writers that joined. The last one has the feed.
    var joins = 0
    /// The times of the first video frame: the audio starts there as long as there is none.
    var audioStart: (pts: Int64, dts: Int64)?
    var lastAudioDuration: Int64 = 0
    /// The presentation time of the last audio or silence. Audio of unknown duration ends where it begins.
    var lastAudio: Int64?
    /// Whether silence replaces the writer's audio.
    var isBridging = false
    var silence = Silence(format: .stereo48)
    /// The audio formats in this era of the feed.
    var formatsInEra = EraAudioFormats.none

    let start: Int64
    let fillsSilence: Bool

    /// - Parameters:
    ///   - start: The time at which the timeline begins.
    ///   - fillsSilence: Whether frames of silence replace the audio that a writer does not have.
    package init(feed: Feed, start: Int64 = 10 * Ticks.perSecond, fillsSilence: Bool) {
        output = FeedWriter(feed: feed)
        self.start = start
        self.fillsSilence = fillsSilence
    }

    /// The result for a unit.
    package enum Outcome: Sendable, Hashable {
        /// It is in the feed.
        case accepted
        /// It is in the feed, as the first one of its writer.
        case joined
        /// It was in the feed already, or arrived before the point at which its writer can begin.
        case dropped
    }

    /// Takes a unit, whose bytes come from `source`.
    ///
    /// - Parameter program: The program of the writer if its video and audio come from different sources. `nil` for the
    ///   program of `source`.
    package mutating func accept(
        _ unit: AccessUnit, of writer: inout Writer, from source: borrowing some UnitSource & ~Copyable,
        program: Program? = nil, now: Int64
    ) -> Outcome {
        refusedLag = nil
        guard let program = program ?? source.program, !writer.isJoined || writer.number == joins else {
            return .dropped
        }
        switch unit.kind {
        case .video: return acceptVideo(unit, of: &writer, from: source, program: program, now: now)
        case .audio: return acceptAudio(unit, of: &writer, from: source, program: program)
        }
    }

    /// A larger step in a writer's time, ahead, is a new timeline.
    static let longestStep = 10 * Ticks.perSecond
    /// A larger step in a writer's time, back, is a new timeline.
    static let longestStepBack = Ticks.perSecond / 2
}
