/// Treatment of the source's video in a relay.
package enum RelayVideo: Sendable, Hashable {
    /// Passes H.264 or HEVC through.
    case copy
    /// Encodes to H.264 for the feed: fast, without B-frames, with short GOPs, so that a replay from the newest
    /// keyframe is short.
    /// - `bitrate`: bits/s, also the maximum.
    /// - `deinterlacing`: how interlaced frames are deinterlaced. The H.264 of this encoding does not mark them. `nil`
    ///   leaves them as they are.
    case mezzanine(bitrate: Int, keyframeInterval: Duration, deinterlacing: VideoSettings.Deinterlacing? = nil)
}
