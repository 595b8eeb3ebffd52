/// What a relay does with the source's video.
package enum RelayVideo: Sendable, Hashable {
    /// Passes H.264 or HEVC through.
    case copy
    /// Encodes to H.264 for the feed: fast, no B-frames, short GOPs, so that a replay from the newest keyframe is
    /// short.
    /// - `bitrate`: bits/s, also the maximum.
    /// - `keyframe`: time between keyframes.
    /// - `deinterlacing`: what is done with interlaced frames, whose marks H.264 from here would not have; `nil` leaves
    ///   them as they are.
    case mezzanine(bitrate: Int, keyframe: Duration, deinterlacing: VideoSettings.Deinterlacing? = nil)
}
