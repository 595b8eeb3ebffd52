/// Treatment of the source's video in a relay.
package enum RelayVideo: Sendable, Hashable {
    /// Passes H.264 or HEVC through unchanged.
    case copy
    /// Encodes to H.264 for the feed, fast and without B-frames. The GOPs are short, so that a reader that begins at
    /// the newest keyframe has little to catch up.
    /// - `bitrate`: the average and the maximum, in bits per second.
    /// - `keyframeInterval`: the time between two keyframes.
    /// - `deinterlacing`: how interlaced frames are deinterlaced. The H.264 of this encoding does not mark them. `nil`
    ///   leaves them interlaced.
    case mezzanine(bitrate: Int, keyframeInterval: Duration, deinterlacing: VideoSettings.Deinterlacing? = nil)
}
