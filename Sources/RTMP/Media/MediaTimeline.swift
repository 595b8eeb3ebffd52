import MPEGTS

/// Turns the timestamps of messages into times that go on, in ticks of 90 kHz.
///
/// A timestamp counts milliseconds and wraps: at 2³² (Adobe RTMP 1.0, 4), and with some publishers at 2²⁴, as in the
/// short form of FLV. Where it jumps, the timeline goes on without a gap, and the other stream is moved by the same
/// amount when it jumps too: what belongs together stays together. A pause is no jump: time passes for the other stream
/// as well, or on the clock. A step that takes a stream no more than a second ahead of the clock is a gap, too.
///
/// A stream that jumps alone goes on where it is, by when its frames come, and the other one is left in its place.
///
/// A short step back is no jump where a picture belongs between the two newest times: a publisher that states when
/// pictures are shown sends them in the order of decoding. Any other short one is a jump as long as nothing speaks
/// against it: it is taken back where the stream returns to its times of before, or where the other stream goes on
/// without one. So is a step back to where the stream was before it went ahead. Times may go back then, by a second at
/// the most.
struct MediaTimeline {
    private var video = Stream(isVideo: true)
    private var audio = Stream(isVideo: false)

    /// Where the next frame of a stream belongs: a step behind its newest one, and after a pause where the clock is.
    /// What a line owes after it stood still comes late as well, and has not paused.
    private struct Expected {
        var step: Int64
        var pause: Int64?

        func isNearer(_ time: Int64, than other: Int64) -> Bool { distance(of: time) < distance(of: other) }

        private func distance(of time: Int64) -> Int64 { min(abs(time - step), pause.map { abs(time - $0) } ?? .max) }
    }

    /// Ticks of a millisecond.
    static let tick = Ticks.perSecond / 1000
    /// The span of a timestamp.
    static let wrap = tick << 32
    private static let shortWrap = tick << 24
    /// Ticks by which two times of the same moment may differ.
    static let rounding = 4 * tick
    /// Ticks by which the timestamps of one stream may go back: more than rounding and careless encoders need.
    static let mostBack = 40 * tick
    /// Ticks of a step back that may be none of the publisher's clock: pictures out of order, or a burst of wrong
    /// times. A ``Splicer`` takes more than that, its `longestStepBack`, for another timeline; four frames at ten a
    /// second are less.
    static let mostLate = Ticks.perSecond / 2
    /// Ticks by which a frame may come behind its own time because others before it have that or later ones. It is more
    /// than a stream goes back that is believed.
    static let mostDelay = Ticks.perSecond * 3 / 2
    /// Ticks by which they may go ahead of the clock or of the other stream at once.
    private static let mostAhead = 1000 * tick
    /// Ticks of a pause on the clock that is taken for one behind a jump.
    private static let leastPause = 100 * tick
    /// Ticks for which a stream may go on as before after the other one has jumped.
    private static let patience = 300 * tick
    /// Ticks for which a stream goes on behind a short step back until that is a jump for good, whenever the other one
    /// comes: longer than that one may lag behind on the line.
    private static let mostDoubtful = 2000 * tick
    /// Ticks for which a stream that went ahead may come back to where it was.
    static let longestLead = 10 * Ticks.perSecond
    /// Ticks between the streams from which on they have nothing to do with each other, and the one that begins is
    /// placed by when it comes: a ``Splicer`` takes no audio that is further from its video.
    private static let mostApart = 10_000 * tick
    /// Jumps that a stream may have to follow.
    private static let mostPending = 8

    /// The time of the next frame.
    ///
    /// - Parameters:
    ///   - timestamp: Milliseconds, modulo 2³² or 2²⁴.
    ///   - duration: Ticks of the frame, where they are known.
    ///   - now: Ticks of a clock that runs evenly and does not stop.
    mutating func place(_ kind: StreamKind, timestamp: UInt32, duration: Int64? = nil, now: Int64) -> Int64 {
        switch kind {
        case .video: Self.place(&video, beside: &audio, timestamp, duration, now)
        case .audio: Self.place(&audio, beside: &video, timestamp, duration, now)
        }
    }

    private static func place(
        _ stream: inout Stream, beside other: inout Stream, _ timestamp: UInt32, _ duration: Int64?, _ now: Int64
    ) -> Int64 {
        let time: Int64
        if let newest = stream.newest {
            time = next(of: &stream, beside: &other, timestamp, newest: newest, now)
            if time > newest {
                if time - newest <= mostAhead, stream.lead?.time != time { stream.step = time - newest }
                (stream.former, stream.newest) = (newest, time)
                stream.lag = nil
            }
        } else {
            time = first(of: &stream, beside: &other, timestamp, now)
            stream.newest = time
        }
        if let duration { stream.step = duration }
        stream.ahead = max(time - now, stream.ahead - (now - stream.arrival) / 1000)
        stream.timestamp = timestamp
        stream.arrival = now
        return time
    }

    private static func first(
        of stream: inout Stream, beside other: inout Stream, _ timestamp: UInt32, _ now: Int64
    ) -> Int64 {
        guard let reference = other.newest else { return Int64(timestamp) * tick }
        // It begins with the other one's place as that is now.
        other.doubt = nil
        stream.offset = other.offset
        // The other one may pause.
        let place = reference + max(0, now - other.arrival)
        // One of the two may have wrapped in the short form and the other one not yet.
        for shift in [0, shortWrap, -shortWrap] {
            let time = stream.time(of: timestamp, movedBy: shift, near: reference)
            guard (reference - mostApart...place + mostApart).contains(time) else { continue }
            stream.move(by: shift)
            return time
        }
        stream.move(by: place - stream.time(of: timestamp, near: place))
        return place
    }

    private static func next(
        of stream: inout Stream, beside other: inout Stream, _ timestamp: UInt32, newest: Int64, _ now: Int64
    ) -> Int64 {
        let time = stream.time(of: timestamp, near: newest)
        let elapsed = now - stream.arrival
        // A line that stood still gives in a burst what it owes, and a publisher may have dropped some of that.
        let latest = max(now + stream.ahead, other.newest ?? .min / 2) + mostAhead
        let plausible = stream.earliest(after: newest)...max(newest, latest)
        let expected = Expected(
            step: newest + stream.step, pause: elapsed > stream.step + leastPause ? now + stream.ahead : nil)
        if let doubt = stream.doubt, time - doubt.ticks <= doubt.time + mostLate,
            expected.isNearer(time - doubt.ticks, than: time)
        {
            // It returns to its times of before: they were wrong for a moment only.
            if !other.pending.isEmpty { other.pending.removeLast() }
            stream.takeBackDoubt()
            return time - doubt.ticks
        }
        if plausible.contains(time) {
            if time < newest { stream.noteReorder(from: newest, to: time) }
            if let moved = follow(&stream, beside: &other, timestamp, within: plausible, expected: expected) {
                return moved
            }
            stream.noteLead(to: time, after: newest, now: now)
            return time
        }
        // It is shown before one that has wrapped.
        if timestamp < 1 << 24, plausible.contains(time - shortWrap) { return time - shortWrap }
        if let moved = followJump(of: &stream, timestamp, newest: newest, within: plausible, expected) {
            other.doubt = nil
            return moved
        }
        if stream.timestamp < 1 << 24, timestamp < stream.timestamp, plausible.contains(time + shortWrap) {
            stream.move(by: shortWrap)
            return time + shortWrap
        }
        // It jumps to where the other one has begun meanwhile, or where it was before.
        let joint = stream.time(of: timestamp, movedBy: (other.offset - stream.offset) % wrap, near: newest)
        if other.newest != nil, joint >= newest, plausible.contains(joint) {
            (stream.formerOffset, stream.offset) = (stream.offset, other.offset)
            (stream.pending, stream.doubt, stream.lead, other.pending, other.doubt) = ([], nil, nil, [], nil)
            return joint
        }
        let step = max(stream.step, stream.leap)
        var target = newest + (elapsed > step + leastPause ? elapsed : step)
        // Where its former jump is undone, nothing is to be left of both.
        if let former = stream.formerOffset {
            let time = stream.time(of: timestamp, movedBy: (former - stream.offset) % wrap, near: newest)
            if abs(time - target) <= rounding { target = time }
        }
        let isDoubtful =
            stream.pending.isEmpty && time < newest
            && (time >= newest - mostLate || stream.endsLead(at: time, now: now))
        jump(of: &stream, beside: &other, from: time, to: target)
        if isDoubtful { stream.doubt = Shift(time: target, ticks: target - time) }
        return target
    }

    /// It jumps as the other one did before. That may have jumped more than once meanwhile: it has followed so far that
    /// the frame is nearest to its place.
    private static func followJump(
        of stream: inout Stream, _ timestamp: UInt32, newest: Int64, within plausible: ClosedRange<Int64>,
        _ expected: Expected
    ) -> Int64? {
        var shift: Int64 = 0
        var best: (count: Int, shift: Int64, time: Int64)?
        for (index, jump) in stream.pending.enumerated() {
            shift = (shift + jump.ticks) % wrap
            let moved = stream.time(of: timestamp, movedBy: shift, near: newest)
            guard plausible.contains(moved), best.map({ expected.isNearer(moved, than: $0.time) }) ?? true else {
                continue
            }
            best = (index + 1, shift, moved)
        }
        guard let best else { return nil }
        stream.pending.removeFirst(best.count)
        stream.move(by: best.shift)
        return best.time
    }

    private static func jump(of stream: inout Stream, beside other: inout Stream, from time: Int64, to target: Int64) {
        let pending = stream.pendingTicks
        stream.pending = []
        stream.formerOffset = stream.offset
        stream.move(by: target - time)
        (stream.lag, stream.doubt, stream.lead) = (nil, nil, nil)
        other.doubt = nil
        guard other.newest != nil else { return }
        other.pending.append(Shift(time: target, ticks: (target - time - pending) % wrap))
        if other.pending.count > mostPending {
            let oldest = other.pending.removeFirst()
            other.pending[0].ticks = (other.pending[0].ticks + oldest.ticks) % wrap
        }
    }

    /// Where both are possible, that a stream has followed the jumps of the other one and that it has not: it has
    /// where its frame is nearer to its place then. Of a frame that is shown before another one nobody knows where
    /// that is.
    ///
    /// Where it goes on past the jump, it has not jumped itself: it stays where it is, and the other one where it has
    /// been put. A step back that is in doubt is taken back, so that the streams are as far apart as stated.
    ///
    /// - Returns: The time of the frame then; `nil` where nothing changes.
    private static func follow(
        _ stream: inout Stream, beside other: inout Stream, _ timestamp: UInt32, within plausible: ClosedRange<Int64>,
        expected: Expected
    ) -> Int64? {
        guard let last = stream.pending.last, let reference = other.newest, let newest = stream.newest else {
            return nil
        }
        let shift = stream.pendingTicks
        let time = stream.time(of: timestamp, near: newest)
        let moved = stream.time(of: timestamp, movedBy: shift, near: newest)
        let isShownEarlier = time < newest && (stream.reorder > 0 || time < newest - mostBack)
        let isNearer = !isShownEarlier && plausible.contains(moved) && expected.isNearer(moved, than: time)
        guard isNearer || time > last.time + patience else { return nil }
        let isAlone = stream.pending.count == 1
        stream.pending = []
        if !isNearer, isAlone, let doubt = other.doubt, reference <= doubt.time + mostDoubtful {
            other.takeBackDoubt()
        }
        other.doubt = nil
        guard isNearer else { return nil }
        stream.move(by: shift)
        return moved
    }
}
