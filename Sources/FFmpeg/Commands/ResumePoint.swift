/// The point at which a new encoder takes over: the first timestamps that the group does not have yet, in 90 kHz ticks
/// as FFmpeg counts them.
package struct ResumePoint: Sendable, Hashable {
    /// The first frame to encode.
    package var videoStart: Int64
    /// The next position on the old encoder's audio grid: its last PTS plus 1024 samples. The new encoder's first
    /// packet is priming, one frame before this position.
    package var audioStart: Int64

    package init(videoStart: Int64, audioStart: Int64) {
        self.videoStart = videoStart
        self.audioStart = audioStart
    }

    /// Makes the point from timestamps on the stream's own timeline.
    ///
    /// - Parameter first: The first decoding time that the encoder will read.
    package init(videoStart: Int64, audioStart: Int64, readingFrom first: Int64) {
        let timeline = DemuxerTimeline(first: first)
        self.init(videoStart: timeline.time(of: videoStart), audioStart: timeline.time(of: audioStart))
    }
}
