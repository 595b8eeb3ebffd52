import MPEGTS

/// Turns the timestamps of messages into continuous times, in ticks of 90 kHz.
///
/// A timestamp counts milliseconds and wraps: at 2³² (Adobe RTMP 1.0, 4), and with some publishers at 2²⁴, as in the
/// short form of FLV. If it jumps, the timeline continues without a gap. When the other stream jumps too, it is moved
/// by the same amount, so audio and video stay synchronous. A pause is not a jump: time passes for the other stream as
/// well, or on the clock. A step that takes a stream at most a second ahead of the clock is a gap, too.
///
/// If only one stream jumps, it continues at its position, by the arrival of its frames, and the other one keeps its
/// position.
///
/// A short step back is not a jump if a frame belongs between the two newest times: a publisher that states
/// presentation times sends frames in decoding order. Any other short step back is treated as a jump first. It is
/// undone if the stream returns to its earlier times, or if the other stream continues without a jump. The same applies
/// to a step back to the times before a step ahead. Times may then go back, by at most a second.
struct MediaTimeline {
    private var video = Stream(isVideo: true)
    private var audio = Stream(isVideo: false)

    /// The expected time of the next frame: one step after the newest one, or after a pause, the time of the clock.
    /// Frames that a stalled connection delivers late have not paused.
    private struct Expected {
        var step: Int64
        var pause: Int64?

        func isNearer(_ time: Int64, than other: Int64) -> Bool { distance(of: time) < distance(of: other) }

        private func distance(of time: Int64) -> Int64 { min(abs(time - step), pause.map { abs(time - $0) } ?? .max) }
    }

    /// Ticks of a millisecond.
    static let tick = Ticks.perSecond / 1000
    /// The range of a timestamp.
    static let wrap = tick << 32
    private static let shortWrap = tick << 24
    /// The largest difference between two times of the same moment, in ticks.
    static let rounding = 4 * tick
    /// The largest step back of one stream that is ignored, in ticks: more than rounding and inexact encoders cause.
    static let longestStepBack = 40 * tick
    /// The largest step back, in ticks, that may have another cause than a step of the publisher's clock: frames out of
    /// order, or a burst of wrong times. For a ``Splicer`` a longer one, over its `longestStepBack`, is another
    /// timeline. Four frames at ten a second are shorter.
    static let longestDoubtfulStep = Ticks.perSecond / 2
    /// The largest delay of a frame after its own time, in ticks, because frames before it have the same or later
    /// times. It is longer than an accepted step back.
    static let longestDelay = Ticks.perSecond * 3 / 2
    /// The largest step ahead of the clock or of the other stream, in ticks.
    private static let longestStepAhead = 1000 * tick
    /// The shortest time on the clock that counts as a pause before a jump, in ticks.
    private static let shortestPause = 100 * tick
    /// The time in ticks for which a stream may continue as before after the other one has jumped.
    private static let patience = 300 * tick
    /// The time in ticks after which a short step back counts as a jump for good, whenever the other stream arrives:
    /// longer than that stream may lag behind.
    private static let longestDoubt = 2000 * tick
    /// The time in ticks for which a stream that went ahead may return to its earlier times.
    static let longestLead = 10 * Ticks.perSecond
    /// The distance in ticks from which on the two streams are unrelated, and the stream that begins is placed by its
    /// arrival: a ``Splicer`` accepts no audio that is further from its video.
    private static let longestDistance = 10_000 * tick
    /// The largest number of jumps that a stream may have to follow.
    private static let maximumPending = 8

    /// Returns the time of the next frame.
    ///
    /// - Parameters:
    ///   - timestamp: Milliseconds, modulo 2³² or 2²⁴.
    ///   - duration: The duration of the frame in ticks, if it is known.
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
                if time - newest <= longestStepAhead, stream.lead?.time != time { stream.step = time - newest }
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
        // It begins at the other stream's present position.
        other.doubt = nil
        stream.offset = other.offset
        // The other stream may pause.
        let place = reference + max(0, now - other.arrival)
        // Only one of the two may have wrapped in the short form.
        for shift in [0, shortWrap, -shortWrap] {
            let time = stream.time(of: timestamp, movedBy: shift, near: reference)
            guard (reference - longestDistance...place + longestDistance).contains(time) else { continue }
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
        // After a stall, a connection delivers late frames in a burst, and the publisher may have dropped some of them.
        let latest = max(now + stream.ahead, other.newest ?? .min / 2) + longestStepAhead
        let plausible = stream.earliest(after: newest)...max(newest, latest)
        let expected = Expected(
            step: newest + stream.step, pause: elapsed > stream.step + shortestPause ? now + stream.ahead : nil)
        if let doubt = stream.doubt, time - doubt.ticks <= doubt.time + longestDoubtfulStep,
            expected.isNearer(time - doubt.ticks, than: time)
        {
            // It returns to its earlier times: the times in between were wrong.
            if !other.pending.isEmpty { other.pending.removeLast() }
            stream.undoDoubt()
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
        // It is shown before a frame that has wrapped.
        if timestamp < 1 << 24, plausible.contains(time - shortWrap) { return time - shortWrap }
        if let moved = followJump(of: &stream, timestamp, newest: newest, within: plausible, expected) {
            other.doubt = nil
            return moved
        }
        if stream.timestamp < 1 << 24, timestamp < stream.timestamp, plausible.contains(time + shortWrap) {
            stream.move(by: shortWrap)
            return time + shortWrap
        }
        // It jumps to the position where the other stream has begun meanwhile, or was before.
        let joint = stream.time(of: timestamp, movedBy: (other.offset - stream.offset) % wrap, near: newest)
        if other.newest != nil, joint >= newest, plausible.contains(joint) {
            (stream.formerOffset, stream.offset) = (stream.offset, other.offset)
            (stream.pending, stream.doubt, stream.lead, other.pending, other.doubt) = ([], nil, nil, [], nil)
            return joint
        }
        let step = max(stream.step, stream.leap)
        var target = newest + (elapsed > step + shortestPause ? elapsed : step)
        // If it undoes its last jump, the two cancel each other exactly.
        if let former = stream.formerOffset {
            let time = stream.time(of: timestamp, movedBy: (former - stream.offset) % wrap, near: newest)
            if abs(time - target) <= rounding { target = time }
        }
        let isDoubtful =
            stream.pending.isEmpty && time < newest
            && (time >= newest - longestDoubtfulStep || stream.endsLead(at: time, now: now))
        jump(of: &stream, beside: &other, from: time, to: target)
        if isDoubtful { stream.doubt = Shift(time: target, ticks: target - time) }
        return target
    }

    /// Follows earlier jumps of the other stream. There may be several: the stream has followed as many as put the
    /// frame nearest to its expected time.
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
        if other.pending.count > maximumPending {
            let oldest = other.pending.removeFirst()
            other.pending[0].ticks = (other.pending[0].ticks + oldest.ticks) % wrap
        }
    }

    /// Decides whether a stream has followed the jumps of the other one, if both are possible: it has if its frame is
    /// then nearer to its expected time. The expected time of a frame that is shown before another one is not known.
    ///
    /// If the stream continues past the jump, it has not jumped itself. Both streams keep their positions. A doubtful
    /// step back is undone, so that the streams are as far apart as their timestamps say.
    ///
    /// - Returns: The time of the frame if the stream has followed; `nil` if nothing changes.
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
        let isShownEarlier = time < newest && (stream.reorder > 0 || time < newest - longestStepBack)
        let isNearer = !isShownEarlier && plausible.contains(moved) && expected.isNearer(moved, than: time)
        guard isNearer || time > last.time + patience else { return nil }
        let isAlone = stream.pending.count == 1
        stream.pending = []
        if !isNearer, isAlone, let doubt = other.doubt, reference <= doubt.time + longestDoubt {
            other.undoDoubt()
        }
        other.doubt = nil
        guard isNearer else { return nil }
        stream.move(by: shift)
        return moved
    }
}
