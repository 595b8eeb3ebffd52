import MPEGTS

extension MediaTimeline {
    /// One of the two streams, on the timeline of both.
    struct Stream {
        /// Its frames may come out of order.
        let isVideo: Bool
        /// What is added to the ticks of a timestamp, modulo ``wrap``.
        var offset: Int64 = 0
        /// The same before the last jump; `nil` before the first.
        var formerOffset: Int64?
        var timestamp: UInt32 = 0
        /// The newest time given out; `nil` before the first.
        var newest: Int64?
        /// The newest one before that.
        var former: Int64?
        /// Ticks by which frames came behind later ones, at the most.
        var reorder: Int64 = 0
        /// Ticks from the second newest time to the newest one where frames belonged in between, at the most of late.
        var leap: Int64 = 0
        /// The time up to which that counts.
        private var leapEnd: Int64 = .min
        /// The last step ahead that may be an error; `nil` where there was none of late.
        var lead: Lead?
        /// A step back of this stream that may be none of the publisher's clock, as it has been moved for it; `nil`
        /// once it is known for a jump or an error.
        var doubt: Shift?
        /// Ticks by which it may be behind its newest time because such a move was taken back; `nil` where it is not.
        var lag: Int64?
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

        init(isVideo: Bool) {
            self.isVideo = isVideo
        }

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
            lag = max(MediaTimeline.mostLate, doubt.ticks)
        }

        /// The earliest time of a frame that has not jumped.
        ///
        /// A picture between the two newest times may be shown before the newer one. Where these are far apart, the
        /// stream has paused, and only what it did before counts.
        func earliest(after newest: Int64) -> Int64 {
            if let lag { return newest - lag - MediaTimeline.mostBack }
            guard isVideo, let former else { return newest - MediaTimeline.mostBack }
            let isPause = newest - former > MediaTimeline.mostLate + MediaTimeline.mostBack
            let reach = isPause ? reorder + MediaTimeline.rounding : MediaTimeline.mostLate
            return min(newest - MediaTimeline.mostBack, max(former + 1, newest - reach))
        }

        mutating func noteReorder(from newest: Int64, to time: Int64) {
            guard isVideo, lag == nil, let former, time > former else { return }
            reorder = max(reorder, newest - time)
            guard newest - former <= MediaTimeline.mostLate + MediaTimeline.mostBack else { return }
            guard newest - former >= leap || newest > leapEnd else { return }
            (leap, leapEnd) = (newest - former, newest + MediaTimeline.longestLead)
        }

        /// It has gone further ahead than its frames come, by more than a step back that is always believed: it may
        /// return.
        mutating func noteLead(to time: Int64, after newest: Int64, now: Int64) {
            guard time - newest - max(0, now - arrival) > MediaTimeline.mostLate else { return }
            lead = Lead(time: time, ahead: newest - arrival, arrival: now)
        }

        /// It is back where it was before it went ahead, as far as when its frames come can tell.
        func endsLead(at time: Int64, now: Int64) -> Bool {
            guard let lead, now - lead.arrival <= MediaTimeline.longestLead else { return false }
            return abs(time - now - lead.ahead) <= MediaTimeline.mostLate / 2
        }
    }

    struct Shift {
        /// Where the stream jumped to.
        var time: Int64
        /// Modulo ``wrap``.
        var ticks: Int64
    }

    /// A step ahead of the clock.
    struct Lead {
        /// Where it led.
        var time: Int64
        /// How far the times were ahead of the clock before.
        var ahead: Int64
        /// When it came.
        var arrival: Int64
    }
}
