extension Splicer {
    /// How a writer joins the feed.
    package enum Join: Sendable, Hashable {
        /// A new timeline. Its first keyframe follows the feed's contents; if it arrives later, it begins as much
        /// later.
        case following
        /// The same timeline, from another process: units that the feed already has are dropped, and the first new unit
        /// continues without a gap.
        ///
        /// - Parameters:
        ///   - reference: A time on the feed's timeline within 13 hours of the writer's first unit.
        ///   - needsKeyframe: The writer encodes again, so it can only continue with a keyframe; false for a copy.
        case resuming(near: Int64, needsKeyframe: Bool)

        /// Whether the writer can only continue with a keyframe.
        var needsKeyframe: Bool {
            switch self {
            case .following: true
            case .resuming(_, let needsKeyframe): needsKeyframe
            }
        }
    }

    /// A point between frames, on the feed's timeline.
    package struct Cut: Sendable, Hashable {
        /// The first video frame after it has this decoding time, or a later one.
        package var video: Int64
        /// The first audio after it has this presentation time, give or take half a frame.
        package var audio: Int64

        package init(video: Int64, audio: Int64) {
            self.video = video
            self.audio = audio
        }
    }

    /// One writer's position on the feed's timeline.
    package struct Writer: Sendable {
        package let join: Join
        /// The one format in which the writer's audio, and the silence that replaces it, go into the feed: AAC-LC, 48
        /// or 44.1 kHz, stereo. If the feed has audio in another format, readers need a new stream: an era begins with
        /// the writer's next keyframe, and audio waits for it. `nil` accepts audio of any format, and silence then
        /// keeps the format that it had before.
        package var audioFormat: AACFormat?
        /// Whether frames that are missing before its first one do not count as lost.
        package var isAfterPause = false
        /// A keyframe of this writer is in the feed.
        package internal(set) var isJoined = false
        /// Ticks from the writer's timeline to the feed's.
        var offset: Int64
        /// The newest decoding time of a video frame, on the writer's timeline.
        var latest: Int64?
        /// The same before the last jump of the video, until the audio has jumped too.
        var abandoned: Int64?
        /// The presentation time of the keyframe that it joined with, until a frame is shown after it.
        var firstPTS: Int64?
        /// The number of its join; see ``Splicer/joins``.
        var number = 0
        /// The time at which its last audio in the feed ends.
        var audioEnd: Int64?
        /// The point at which another writer takes over. Units from there on are dropped.
        var end: Cut?
        /// Units that the feed already has are coming, until the first new one.
        var replay: Replay?
        /// Whether the decoding time of its last frame was moved later to fit into the feed. The next frames may need
        /// that too.
        var isSqueezed = false
        /// A unit from behind the end has arrived.
        var passed: (video: Bool, audio: Bool) = (false, false)

        package init(_ join: Join) {
            self.join = join
            offset = 0
        }

        /// Repeats its units from the first one on, with times that are `ticks` later.
        package mutating func beginAgain(after ticks: Int64) {
            offset += ticks
            latest = latest.map { $0 - ticks }
        }

        struct Replay: Sendable {
            var needsKeyframe: Bool
        }

        /// Continues with another process on the same timeline. It begins with units that the feed already has; they
        /// are dropped.
        ///
        /// - Parameter needsKeyframe: The process encodes again, so it can only continue with a keyframe; false for a
        ///   copy.
        package mutating func resume(needsKeyframe: Bool) {
            replay = Replay(needsKeyframe: needsKeyframe)
            firstPTS = nil
            // Its audio frames may be on another grid.
            audioEnd = nil
        }

        /// Drops the units from `cut` on, because another writer of the same timeline provides them. `nil` accepts them
        /// again.
        package mutating func setEnd(_ cut: Cut?) {
            end = cut
            passed = (false, false)
        }

        /// Whether the last video frame before its end has been taken.
        package var hasGivenAllVideo: Bool { passed.video }
        /// Whether all units before its end have been taken.
        package var hasGivenAll: Bool { passed.video && passed.audio }
        /// Whether a unit was dropped because of its end.
        package var isCut: Bool { passed.video || passed.audio }
    }
}
