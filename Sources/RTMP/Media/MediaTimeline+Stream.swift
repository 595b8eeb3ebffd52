import MPEGTS

extension MediaTimeline {
    /// One of the two streams on the common timeline.
    struct Stream {
        /// Whether its frames may arrive out of order.
        let isVideo: Bool
        /// The offset that is added to the ticks of a timestamp, modulo ``wrap``.
        var offset: Int64 = 0
        /// The offset before the last jump; `nil` before the first jump.
        var formerOffset: Int64?
        var timestamp: UInt32 = 0
        /// The newest time; `nil` before the first.
        var newest: Int64?
        /// The second newest time.
        var former: Int64?
        /// The largest time in ticks by which a frame was sent after a later one.
        var reorder: Int64 = 0
        /// The largest recent difference in ticks between the newest and the second newest time, if frames between the
        /// two followed.
        var leap: Int64 = 0
        /// The time up to which ``leap`` is valid.
        private var leapEnd: Int64 = .min
        /// The last step ahead that may be an error; `nil` if there was none recently.
        var lead: Lead?
        /// A step back by which the stream was moved, although the publisher's clock may not have stepped; `nil` once
        /// it is known to be a jump or an error.
        var doubt: Shift?
        /// The time in ticks by which it may be behind its newest time, because such a move was undone; `nil` if none
        /// was.
        var lag: Int64?
        /// The last difference in ticks between one frame and the next.
        var step: Int64 = 0
        /// When the last message arrived.
        var arrival: Int64 = 0
        /// The largest lead of the times over the clock. It falls by a thousandth of the time that passes, because the
        /// clock of a publisher may be slow.
        var ahead: Int64 = .min / 2
        /// Jumps of the other stream that this one has not followed, oldest first.
        var pending: [Shift] = []

        var pendingTicks: Int64 { pending.reduce(0) { ($0 + $1.ticks) % MediaTimeline.wrap } }

        init(isVideo: Bool) {
            self.isVideo = isVideo
        }

        /// The time of a timestamp, nearest to a reference.
        ///
        /// - Parameter shift: An additional offset in ticks.
        func time(of timestamp: UInt32, movedBy shift: Int64 = 0, near reference: Int64) -> Int64 {
            var difference = (Int64(timestamp) * MediaTimeline.tick + offset + shift - reference) % MediaTimeline.wrap
            if difference >= MediaTimeline.wrap / 2 { difference -= MediaTimeline.wrap }
            if difference < -MediaTimeline.wrap / 2 { difference += MediaTimeline.wrap }
            return reference + difference
        }

        mutating func move(by ticks: Int64) { offset = (offset + ticks) % MediaTimeline.wrap }

        /// Undoes a step back that the other stream does not follow.
        mutating func undoDoubt() {
            guard let doubt else { return }
            move(by: -doubt.ticks)
            self.doubt = nil
            lag = max(MediaTimeline.longestDoubtfulStep, doubt.ticks)
        }

        /// The earliest time of a frame that has not jumped.
        ///
        /// A frame between the two newest times may be shown before the newer one. If these are far apart, the stream
        /// has paused, and only its reordering before counts.
        func earliest(after newest: Int64) -> Int64 {
            if let lag { return newest - lag - MediaTimeline.longestStepBack }
            guard isVideo, let former else { return newest - MediaTimeline.longestStepBack }
            let isPause = newest - former > MediaTimeline.longestDoubtfulStep + MediaTimeline.longestStepBack
            let reach = isPause ? reorder + MediaTimeline.rounding : MediaTimeline.longestDoubtfulStep
            return min(newest - MediaTimeline.longestStepBack, max(former + 1, newest - reach))
        }

        mutating func noteReorder(from newest: Int64, to time: Int64) {
            guard isVideo, lag == nil, let former, time > former else { return }
            reorder = max(reorder, newest - time)
            guard newest - former <= MediaTimeline.longestDoubtfulStep + MediaTimeline.longestStepBack else { return }
            guard newest - former >= leap || newest > leapEnd else { return }
            (leap, leapEnd) = (newest - former, newest + MediaTimeline.longestLead)
        }

        /// Notes that the times have gone further ahead than the arrival of the frames explains, by more than the
        /// largest step back that is accepted: the stream may return.
        mutating func noteLead(to time: Int64, after newest: Int64, now: Int64) {
            guard time - newest - max(0, now - arrival) > MediaTimeline.longestDoubtfulStep else { return }
            lead = Lead(time: time, ahead: newest - arrival, arrival: now)
        }

        /// Whether the stream has returned to the times before it went ahead, judged by the arrival of its frames.
        func endsLead(at time: Int64, now: Int64) -> Bool {
            guard let lead, now - lead.arrival <= MediaTimeline.longestLead else { return false }
            return abs(time - now - lead.ahead) <= MediaTimeline.longestDoubtfulStep / 2
        }
    }

    struct Shift {
        /// The time that the stream jumped to.
        var time: Int64
        /// Modulo ``wrap``.
        var ticks: Int64
    }

    /// A step of the times ahead of the clock.
    struct Lead {
        /// The time after the step.
        var time: Int64
        /// The lead of the times over the clock before the step.
        var ahead: Int64
        /// When it arrived.
        var arrival: Int64
    }
}
