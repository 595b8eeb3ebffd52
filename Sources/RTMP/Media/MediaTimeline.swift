import TransportStream

/// Turns the timestamps of messages into times that go on, in ticks of 90 kHz.
///
/// A timestamp counts milliseconds and wraps: at 2³² (Adobe RTMP 1.0, 4), and with some publishers at 2²⁴, as in the
/// short form of FLV. Where it jumps, the timeline goes on without a gap, and the other stream is moved by the same
/// amount when it jumps too: what belongs together stays together. A pause is no jump: time passes for the other stream
/// as well, or on the clock. A step that takes a stream no more than a second ahead of the clock is a gap, too.
///
/// A short step back is no jump where a picture belongs between the two newest times: a publisher that states when
/// pictures are shown sends them in the order of decoding. Any other short one is a jump as long as nothing speaks
/// against it: it is taken back where the stream returns to its times of before, or where the other stream goes on
/// without one. Times may go back then, by half a second at the most.
struct MediaTimeline {
    private var video = Stream(isVideo: true)
    private var audio = Stream(isVideo: false)

    private struct Stream {
        /// Its frames may come out of order.
        let isVideo: Bool
        /// What is added to the ticks of a timestamp, modulo ``wrap``.
        var offset: Int64 = 0
        var timestamp: UInt32 = 0
        /// The newest time given out; `nil` before the first.
        var newest: Int64?
        /// The newest one before that.
        var former: Int64?
        /// Ticks by which frames came behind later ones, at the most.
        var reorder: Int64 = 0
        /// Ticks from the second newest time to the newest one where frames belonged in between, at the most.
        var leap: Int64 = 0
        /// A short step back of this stream, as it has been moved for it; `nil` once it is known for a jump or an
        /// error.
        var doubt: Shift?
        /// It is behind its newest time because such a move was taken back.
        var isLate = false
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

        /// The step back was none that the other stream follows.
        mutating func takeBackDoubt() {
            guard let doubt else { return }
            move(by: -doubt.ticks)
            self.doubt = nil
            isLate = true
        }

        /// The earliest time of a frame that has not jumped.
        ///
        /// A picture between the two newest times may be shown before the newer one. Where these are far apart, the
        /// stream has paused, and only what it did before counts.
        func earliest(after newest: Int64) -> Int64 {
            if isLate { return newest - MediaTimeline.mostLate - MediaTimeline.mostBack }
            guard isVideo, let former else { return newest - MediaTimeline.mostBack }
            let isPause = newest - former > MediaTimeline.mostLate + MediaTimeline.mostBack
            // A few milliseconds more, for they are rounded.
            let reach = isPause ? reorder + 4 * MediaTimeline.tick : MediaTimeline.mostLate
            return min(newest - MediaTimeline.mostBack, max(former + 1, newest - reach))
        }
    }

    private struct Shift {
        /// Where the stream jumped to.
        var time: Int64
        /// Modulo ``wrap``.
        var ticks: Int64
    }

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
    private static let wrap = tick << 32
    private static let shortWrap = tick << 24
    /// Ticks by which the timestamps of one stream may go back: more than rounding and careless encoders need.
    private static let mostBack = 40 * tick
    /// Ticks of a step back that may be none of the publisher's clock: pictures out of order, or a burst of wrong
    /// times. A ``Splicer`` takes more than that, its `longestStepBack`, for another timeline; four frames at ten a
    /// second are less.
    private static let mostLate = Ticks.perSecond / 2
    /// Ticks by which they may go ahead of the clock or of the other stream at once.
    private static let mostAhead = 1000 * tick
    /// Ticks of a pause on the clock that is taken for one behind a jump.
    private static let leastPause = 100 * tick
    /// Ticks for which a stream may go on as before after the other one has jumped.
    private static let patience = 300 * tick
    /// Ticks for which a stream goes on behind a short step back until that is a jump for good, whenever the other one
    /// comes: longer than that one may lag behind on the line.
    private static let mostDoubtful = 2000 * tick
    /// Ticks between the streams from which on they have nothing to do with each other, and a jump of one alone is no
    /// statement about the other: a ``Splicer`` takes no audio that is further from its video.
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
                if time - newest <= mostAhead { stream.step = time - newest }
                (stream.former, stream.newest) = (newest, time)
                stream.isLate = false
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
            if time < newest { noteReorder(of: &stream, from: newest, to: time) }
            return follow(&stream, beside: &other, timestamp, within: plausible, expected: expected) ?? time
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
            stream.offset = other.offset
            (stream.pending, stream.doubt, other.pending, other.doubt) = ([], nil, [], nil)
            return joint
        }
        let step = max(stream.step, stream.leap)
        let target = newest + (elapsed > step + leastPause ? elapsed : step)
        let isShort = stream.pending.isEmpty && (newest - mostLate..<newest).contains(time)
        jump(of: &stream, beside: &other, from: time, to: target)
        if isShort { stream.doubt = Shift(time: target, ticks: target - time) }
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

    private static func noteReorder(of stream: inout Stream, from newest: Int64, to time: Int64) {
        guard stream.isVideo, !stream.isLate, let former = stream.former, time > former else { return }
        stream.reorder = max(stream.reorder, newest - time)
        if newest - former <= mostLate + mostBack { stream.leap = max(stream.leap, newest - former) }
    }

    private static func jump(of stream: inout Stream, beside other: inout Stream, from time: Int64, to target: Int64) {
        let pending = stream.pendingTicks
        stream.pending = []
        stream.move(by: target - time)
        stream.isLate = false
        stream.doubt = nil
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
    /// And it is moved where it goes on past the jump: it has not jumped itself, and the distance between the two that
    /// the publisher states is another one from now on. A short step back is taken back instead, so that the streams
    /// are as far apart as stated and the one that is right is left alone.
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
            return nil
        }
        other.doubt = nil
        guard isNearer || abs(moved - reference) <= mostApart else { return nil }
        stream.move(by: shift)
        return moved
    }
}
