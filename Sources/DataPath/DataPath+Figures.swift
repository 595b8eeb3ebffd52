package import MPEGTS
package import MediaTypes

// Formats and counters of feeds and of their readers.
extension DataPath {
    /// The counters of a publisher's or encoder's input.
    package struct FeedSenderFigures: Sendable, Hashable {
        /// Bytes delivered to the process.
        package var delivered: Int
        /// Jumps to the newest keyframe.
        package var skips: Int
        /// Ticks of stream that these jumps left out.
        package var skippedTicks: Int64
        /// Bytes that wait.
        package var lag: Int
    }

    /// The counters of a feed.
    package struct FeedFigures: Sendable, Hashable {
        /// Video frames.
        package var frames = 0
        /// Video frames that the channel had and the group's encoders did not give.
        package var lostFrames = 0
        /// How often an encoder fell behind the channel's feed and jumped to the newest keyframe.
        package var skips = 0
        /// Bytes of transport stream.
        package var bytes = 0
        /// Bytes of video and audio, without the container.
        package var mediaBytes = 0
        /// Where the feed ends on the channel's timeline, in ticks; `nil` while it is empty.
        package var end: Int64?

        package init(
            frames: Int = 0, lostFrames: Int = 0, skips: Int = 0, bytes: Int = 0, mediaBytes: Int = 0, end: Int64? = nil
        ) {
            self.frames = frames
            self.lostFrames = lostFrames
            self.skips = skips
            self.bytes = bytes
            self.mediaBytes = mediaBytes
            self.end = end
        }
    }

    /// The video format of a feed; `nil` before its first frame, and when there is no such feed.
    package func videoFormat(of name: FeedName) -> VideoFormat? {
        switch name {
        case .channel(let name): channels[name]?.videoFormat
        case .group(let name): groups[name]?.videoFormat
        }
    }

    /// The present video codec of a feed; `nil` before its first frame, and when there is no such feed.
    package func videoCodec(of feed: FeedName) -> VideoCodec? {
        switch feed {
        case .channel(let name): channels[name]?.videoCodec
        case .group(let name): groups[name]?.videoCodec
        }
    }

    /// - Returns: `nil` when there is no such group.
    package func figures(ofGroup name: String) -> FeedFigures? { groups[name]?.figures }

    /// - Returns: `nil` when there is no such channel.
    package func figures(ofChannel name: String) -> FeedFigures? { channels[name]?.figures }

    /// - Returns: `nil` when the attachment is no publisher's or group encoder's, or is detached.
    package func figures(of attachment: Attachment) -> FeedSenderFigures? {
        (endpoints[attachment]?.sender?.reader).map {
            FeedSenderFigures(
                delivered: $0.delivered, skips: $0.skips, skippedTicks: $0.skipped.ticks, lag: $0.lag)
        }
    }

    /// The counters of several attachments. Those that have none are left out.
    package func figures(of attachments: [Attachment]) -> [Attachment: FeedSenderFigures] {
        attachments.reduce(into: [:]) { all, attachment in all[attachment] = figures(of: attachment) }
    }
}
