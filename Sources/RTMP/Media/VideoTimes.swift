import MPEGTS

/// Computes decoding and presentation times of video frames, in ticks.
///
/// A frame is decoded before its presentation, and after the previous frame. A timestamp is a decoding time. If
/// timestamps step back as those of reordered frames do, they are presentation times.
struct VideoTimes {
    struct Times {
        var dts: Int64
        var pts: Int64
        /// Whether the composition time was implausible, and was not used.
        var isCorrected: Bool
    }

    private var order = DecodingOrder()
    private var compositions = CompositionTimes()
    private var lastDTS: Int64?
    private var newestPTS: Int64?

    /// The shortest time from a frame to a keyframe in ticks. For a ``Splicer``, a keyframe that follows sooner, or is
    /// shown before another frame, begins another timeline.
    private static let shortestKeyframeStep = 4 * MediaTimeline.tick
    /// The range of the shortest time to any other frame in ticks: a quarter of a frame, which is more than the step of
    /// a ``Splicer``. So a source of 300 frames a second does not run ahead.
    private static let shortestStep = 2 * MediaTimeline.tick...Ticks.perSecond / 240

    /// - Parameter time: The time of the timestamp.
    /// - Returns: `nil` if it is too far behind the previous frames.
    mutating func place(_ time: Int64, composition: Int, isKeyframe: Bool) -> Times? {
        let stated = compositions.take(composition, at: time)
        let pts = time + (stated ?? 0)
        let frame = min(max(compositions.frame / 4, Self.shortestStep.lowerBound), Self.shortestStep.upperBound)
        let shortest = isKeyframe ? max(frame, Self.shortestKeyframeStep) : frame
        let dts = max(order.place(time) - compositions.lead, lastDTS.map { $0 + shortest } ?? .min)
        guard dts - pts <= MediaTimeline.longestDelay else { return nil }
        var shown = max(pts, dts)
        if isKeyframe, let newestPTS, newestPTS + shortest - pts <= MediaTimeline.longestDelay {
            shown = max(shown, newestPTS + shortest)
        }
        lastDTS = dts
        newestPTS = max(shown, newestPTS ?? shown)
        return Times(dts: dts, pts: shown, isCorrected: stated == nil)
    }
}
