import MPEGTS

/// Decoding times for pictures whose timestamps say when they are shown, in ticks.
///
/// RTMP states when a picture is decoded, and how much later it is shown. Some phones and encoders state the time of
/// presentation alone, and send B-frames behind the picture that they lean on: 0, 133, 67, 33, 100, 267 ms, … Decoding
/// has to come earlier then. As with the muxers of FFmpeg, each picture is decoded when one is shown that comes so
/// many places before it as pictures are sent ahead of their turn; so the decoding times rise evenly, and every
/// picture is shown when it is said to be. How many these are is known once that has happened twice, and forgotten when
/// it has not for five to ten seconds; times that never step back are left as they are.
struct DecodingOrder {
    /// The latest times, in order.
    private var times: [Int64] = []
    /// Pictures that are sent before one that is shown before them, at the most.
    private var depth = RecentCases()
    /// Ticks by which one of them is shown later than that, at the most.
    private var reach = RecentCases()
    /// Ticks of the pictures so far, without pauses.
    private var clock: Int64 = 0
    /// The latest time before the latest one.
    private var former: Int64?
    /// Something since the latest time was none of the pictures that are shown before it.
    private var isDisturbed = false

    /// Pictures that a decoder holds back, at the most.
    private static let deepest = 16
    /// Ticks in which the frames are counted that say how long one is; in a pause there are none.
    private static let mostRecent = Ticks.perSecond

    init() {
        times.reserveCapacity(Self.deepest + 2)
    }

    /// The decoding time of the next picture, which never goes back unless the order turns out to be deeper than it was
    /// so far; it is later than the picture's own time only where that is out of order.
    mutating func place(_ time: Int64) -> Int64 {
        if let latest = times.last, time < latest { note(time, before: latest) }
        if let latest = times.last, time > latest {
            (former, isDisturbed) = (latest, false)
            clock += min(time - latest, Self.mostRecent)
            depth.advance(to: clock)
            reach.advance(to: clock)
        }
        times.insert(time, at: times.count - later(than: time))
        if times.count > Self.deepest + 1 { times.removeFirst() }
        let place = times.count - 1 - min(Int(depth.repeated), times.count - 1)
        // Behind a pause, the pictures from before say nothing. In an even stream this is never later: a picture is
        // sent no more ahead of its turn than the ones that are sent behind it are shown before it.
        return max(times[place], times[times.count - 1] - 2 * reach.repeated)
    }

    private func later(than time: Int64) -> Int {
        times.count - (times.lastIndex { $0 <= time }.map { $0 + 1 } ?? 0)
    }

    /// Pictures that are shown before the latest one come behind the one that was the latest before. And they are a
    /// frame apart: what steps back by less is a clock that is not even, and its pictures are in order.
    private mutating func note(_ time: Int64, before latest: Int64) {
        guard !isDisturbed, let former, time > former else {
            isDisturbed = true
            return
        }
        let recent = times.drop { $0 < latest - Self.mostRecent }
        let frame = (latest - (recent.first ?? latest)) / Int64(max(1, recent.count))
        guard latest - time >= frame * 3 / 4 else { return }
        depth.note(Int64(min(later(than: time), Self.deepest)), at: clock)
        reach.note(min(latest - time, MediaTimeline.mostLate), at: clock)
    }
}
