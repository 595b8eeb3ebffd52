import MPEGTS

/// When pictures are decoded and shown, in ticks.
///
/// Decoding comes before presentation, and after the decoding of the frame before. A timestamp is the time of decoding;
/// where those step back as pictures do that are sent before they are shown, it is that of presentation.
struct VideoTimes {
    struct Times {
        var dts: Int64
        var pts: Int64
        /// The composition time was not believed.
        var isCorrected: Bool
    }

    private var order = DecodingOrder()
    private var compositions = CompositionTimes()
    private var lastDTS: Int64?
    private var newestPTS: Int64?

    /// Ticks from a frame to a keyframe, at the least. A ``Splicer`` takes one that comes sooner, or is shown before
    /// another one, for the beginning of another timeline.
    private static let leastKeyframe = 4 * MediaTimeline.tick
    /// Ticks to any other frame, at the least: a quarter of one, which is more than a ``Splicer`` puts between them. So
    /// a source of 300 frames a second does not run ahead.
    private static let leastFrame = 2 * MediaTimeline.tick...Ticks.perSecond / 240

    /// - Parameter time: What the timestamp says.
    /// - Returns: `nil` where it is so far behind the frames before that there is no place for it.
    mutating func place(_ time: Int64, composition: Int, isKeyframe: Bool) -> Times? {
        let stated = compositions.take(composition, at: time)
        let pts = time + (stated ?? 0)
        let frame = min(max(compositions.frame / 4, Self.leastFrame.lowerBound), Self.leastFrame.upperBound)
        let least = isKeyframe ? max(frame, Self.leastKeyframe) : frame
        let dts = max(order.place(time) - compositions.lead, lastDTS.map { $0 + least } ?? .min)
        guard dts - pts <= MediaTimeline.mostDelay else { return nil }
        var shown = max(pts, dts)
        if isKeyframe, let newestPTS, newestPTS + least - pts <= MediaTimeline.mostDelay {
            shown = max(shown, newestPTS + least)
        }
        lastDTS = dts
        newestPTS = max(shown, newestPTS ?? shown)
        return Times(dts: dts, pts: shown, isCorrected: stated == nil)
    }
}
