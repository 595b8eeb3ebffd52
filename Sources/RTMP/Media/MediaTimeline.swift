import TransportStream

/// Turns the timestamps of messages into times that go on, in ticks of 90 kHz.
///
/// A timestamp counts milliseconds and wraps: at 2³² (Adobe RTMP 1.0, 4), and with some publishers at 2²⁴, as in the
/// short form of FLV. Where it jumps, the timeline goes on without a gap, and the other stream is moved by the same
/// amount when it jumps too: what belongs together stays together. A pause is no jump: time passes for the other stream
/// as well, or on the clock. A step that takes a stream no more than a second ahead of the clock is a gap, too.
struct MediaTimeline {
    private var video = Stream()
    private var audio = Stream()

    private struct Stream {
        /// What is added to the ticks of a timestamp, modulo ``wrap``.
        var offset: Int64 = 0
        var timestamp: UInt32 = 0
        /// The newest time given out; `nil` before the first.
        var newest: Int64?
        /// Ticks from one frame to the next, as it was last.
        var step: Int64 = 0
        /// When the last message came.
        var arrival: Int64 = 0
        /// How far the times went ahead of the clock, at the most. It falls by a thousandth of the time that passes:
        /// the clock of a publisher may be slow.
        var ahead: Int64 = .min / 2
        /// Jumps of the other stream that this one has not followed, oldest first.
        var pending: [Shift] = []

        var pendingTicks: Int64 { pending.reduce(0) { ($0 + $1.ticks) % MediaTimeline.wrap } }

        /// The time of a timestamp that is nearest to a reference.
        ///
        /// - Parameter shift: Ticks by which the stream is moved.
        func time(of timestamp: UInt32, movedBy shift: Int64 = 0, near reference: Int64) -> Int64 {
            var difference = (Int64(timestamp) * MediaTimeline.tick + offset + shift - reference) % MediaTimeline.wrap
            if difference >= MediaTimeline.wrap / 2 { difference -= MediaTimeline.wrap }
            if difference < -MediaTimeline.wrap / 2 { difference += MediaTimeline.wrap }
            return reference + difference
        }

        mutating func move(by ticks: Int64) { offset = (offset + ticks) % MediaTimeline.wrap }
    }

    private struct Shift {
        /// Where the other stream jumped to.
        var time: Int64
        /// Modulo ``wrap``.
        var ticks: Int64
    }

    /// Ticks of a millisecond.
    static let tick = Ticks.perSecond / 1000
    /// The span of a timestamp.
    private static let wrap = tick << 32
    private static let shortWrap = tick << 24
    /// Ticks by which the timestamps of one stream may go back: more than rounding and careless encoders need.
    private static let mostBack = 40 * tick
    /// Ticks by which they may go ahead of the clock or of the other stream at once.
    private static let mostAhead = 1000 * tick
    /// Ticks of a pause on the clock that is taken for one behind a jump.
    private static let leastPause = 100 * tick
    /// Ticks for which a stream may go on as before after the other one has jumped.
    private static let patience = 300 * tick
    /// Ticks between the streams from which on they have nothing to do with each other.
    private static let mostApart = 90_000 * tick
    /// Ticks between the streams from which on a jump of one alone is no statement about the other: a ``Splicer``
    /// takes no audio that is further from its video.
    private static let mostMoved = 10_000 * tick
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
            if time > newest, time - newest <= mostAhead { stream.step = time - newest }
            stream.newest = max(time, newest)
        } else {
            time = first(of: &stream, beside: other, timestamp)
            stream.newest = time
        }
        if let duration { stream.step = duration }
        stream.ahead = max(time - now, stream.ahead - (now - stream.arrival) / 1000)
        stream.timestamp = timestamp
        stream.arrival = now
        return time
    }

    private static func first(of stream: inout Stream, beside other: Stream, _ timestamp: UInt32) -> Int64 {
        guard let reference = other.newest else { return Int64(timestamp) * tick }
        stream.offset = other.offset
        // One of the two may have wrapped in the short form and the other one not yet.
        for shift in [0, shortWrap, -shortWrap] {
            let time = stream.time(of: timestamp, movedBy: shift, near: reference)
            guard abs(time - reference) <= mostApart else { continue }
            stream.move(by: shift)
            return time
        }
        stream.move(by: reference - stream.time(of: timestamp, near: reference))
        return reference
    }

    private static func next(
        of stream: inout Stream, beside other: inout Stream, _ timestamp: UInt32, newest: Int64, _ now: Int64
    ) -> Int64 {
        let time = stream.time(of: timestamp, near: newest)
        let elapsed = now - stream.arrival
        // A line that stood still gives in a burst what it owes, and a publisher may have dropped some of that.
        let latest = max(now + stream.ahead, other.newest ?? .min / 2) + mostAhead
        let plausible = newest - mostBack...max(newest, latest)
        if plausible.contains(time) {
            let expected = newest + (elapsed > mostAhead ? elapsed : stream.step)
            return follow(&stream, beside: other, timestamp, within: plausible, expected: expected) ?? time
        }
        // It jumps as the other one did before.
        var shift: Int64 = 0
        for (index, jump) in stream.pending.enumerated() {
            shift = (shift + jump.ticks) % wrap
            let moved = stream.time(of: timestamp, movedBy: shift, near: newest)
            guard plausible.contains(moved) else { continue }
            stream.pending.removeFirst(index + 1)
            stream.move(by: shift)
            return moved
        }
        if stream.timestamp < 1 << 24, timestamp < stream.timestamp, plausible.contains(time + shortWrap) {
            stream.move(by: shortWrap)
            return time + shortWrap
        }
        let target = newest + (elapsed > stream.step + leastPause ? elapsed : stream.step)
        jump(of: &stream, beside: &other, from: time, to: target)
        return target
    }

    private static func jump(of stream: inout Stream, beside other: inout Stream, from time: Int64, to target: Int64) {
        let pending = stream.pendingTicks
        stream.pending = []
        stream.move(by: target - time)
        guard other.newest != nil else { return }
        other.pending.append(Shift(time: target, ticks: (target - time - pending) % wrap))
        if other.pending.count > mostPending {
            let oldest = other.pending.removeFirst()
            other.pending[0].ticks = (other.pending[0].ticks + oldest.ticks) % wrap
        }
    }

    /// Where both are possible, that a stream has followed the jumps of the other one and that it has not: it has
    /// where its frame is nearer to its place then. And it is moved where it goes on past the jump: it has not
    /// jumped itself, and the distance between the two that the publisher states is another one from now on.
    ///
    /// - Returns: The time of the frame then; `nil` where nothing changes.
    private static func follow(
        _ stream: inout Stream, beside other: Stream, _ timestamp: UInt32, within plausible: ClosedRange<Int64>,
        expected: Int64
    ) -> Int64? {
        guard let last = stream.pending.last, let reference = other.newest, let newest = stream.newest else {
            return nil
        }
        let shift = stream.pendingTicks
        let time = stream.time(of: timestamp, near: newest)
        let moved = stream.time(of: timestamp, movedBy: shift, near: newest)
        let isNearer = plausible.contains(moved) && abs(moved - expected) < abs(time - expected)
        guard isNearer || time > last.time + patience else { return nil }
        stream.pending = []
        guard isNearer || abs(moved - reference) <= mostMoved else { return nil }
        stream.move(by: shift)
        return moved
    }
}
