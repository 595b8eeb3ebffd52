import MPEGTS

/// Computes decoding times for video frames whose timestamps are presentation times, in ticks.
///
/// RTMP states when a frame is decoded, and how much later it is shown. Some phones and encoders state only the
/// presentation time, and send B-frames after the frame that they depend on: 0, 133, 67, 33, 100, 267 ms, … Decoding
/// then has to be earlier. As with the muxers of FFmpeg, the decoding time of a frame is the presentation time of the
/// frame a number of places before it, which is the number of frames that are sent ahead of their turn. So the decoding
/// times rise evenly, and every frame is shown at its stated time. The number is known once the reordering has happened
/// twice, and forgotten when it has not happened for five to ten seconds. Times that never step back are not changed.
struct DecodingOrder {
    /// The latest presentation times, sorted.
    private var times: [Int64] = []
    /// The number of frames that are sent before a frame that is shown before them.
    private var depth = RecentMaximum()
    /// The time in ticks by which such a frame is shown later.
    private var reach = RecentMaximum()
    /// The duration of the frames so far in ticks, without pauses.
    private var clock: Int64 = 0
    /// The second latest time.
    private var former: Int64?
    /// Whether a frame since the latest time was not one that is shown between the two latest times.
    private var isDisturbed = false

    /// The largest number of frames that a decoder holds back.
    private static let deepest = 16
    /// The time in ticks in which frames are counted to compute their duration. A pause has no frames.
    private static let recentSpan = Ticks.perSecond

    init() {
        times.reserveCapacity(Self.deepest + 2)
    }

    /// Returns the decoding time of the next frame. It never goes back, unless the reordering is deeper than it was so
    /// far. It is later than the frame's own time only if that is out of order.
    mutating func place(_ time: Int64) -> Int64 {
        if let latest = times.last, time < latest { note(time, before: latest) }
        if let latest = times.last, time > latest {
            (former, isDisturbed) = (latest, false)
            clock += min(time - latest, Self.recentSpan)
            depth.advance(to: clock)
            reach.advance(to: clock)
        }
        times.insert(time, at: times.count - later(than: time))
        if times.count > Self.deepest + 1 { times.removeFirst() }
        let place = times.count - 1 - min(Int(depth.repeated), times.count - 1)
        // After a pause, the frames before it do not count. In an even stream this term is never later: a frame is sent
        // no further ahead of its turn than the frames that follow it are shown before it.
        return max(times[place], times[times.count - 1] - 2 * reach.repeated)
    }

    private func later(than time: Int64) -> Int {
        times.count - (times.lastIndex { $0 <= time }.map { $0 + 1 } ?? 0)
    }

    /// Notes a step back. Frames that are shown before the latest one are shown after the second latest one, and they
    /// are a frame apart. A shorter step back comes from an uneven clock whose frames are in order.
    private mutating func note(_ time: Int64, before latest: Int64) {
        guard !isDisturbed, let former, time > former else {
            isDisturbed = true
            return
        }
        let recent = times.drop { $0 < latest - Self.recentSpan }
        let frame = (latest - (recent.first ?? latest)) / Int64(max(1, recent.count))
        guard latest - time >= frame * 3 / 4 else { return }
        depth.note(Int64(min(later(than: time), Self.deepest)), at: clock)
        reach.note(min(latest - time, MediaTimeline.longestDoubtfulStep), at: clock)
    }
}
