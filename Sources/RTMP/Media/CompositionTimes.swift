import MPEGTS

/// Tells plausible composition times from wrong ones. A wrong one would move the presentation by seconds.
///
/// A frame is shown at most sixteen frames, and less than a second, after it is decoded. Some encoders state that a
/// frame is shown before it is decoded, by at most a frame. Larger times are accepted once they have occurred twice
/// within some seconds: a source of two frames a second may need them.
struct CompositionTimes {
    /// Times from one frame to the next.
    private var steps = RecentMaximum()
    private var late = RecentMaximum()
    private var early = RecentMaximum()
    private var acceptedEarly = RecentMaximum()
    private var newest: Int64?
    /// The duration of the frames so far in ticks, without pauses.
    private var clock: Int64 = 0

    /// The possible range in milliseconds: sixteen frames at two a second, and below zero for inexact encoders.
    private static let possible = -500...8000
    /// The largest number of frames by which a frame is shown late.
    private static let frames: Int64 = 16
    /// The times in ticks that are accepted at once for the shortest and for the longest frames.
    private static let alwaysAccepted = Ticks.perSecond / 4
    private static let longestAccepted = Ticks.perSecond
    /// The assumed duration of a frame in ticks while it is not known.
    private static let firstStep = Ticks.perSecond / 25

    /// The time in ticks by which decoding has to be earlier than stated, so that frames with negative composition
    /// times are decoded before they are shown.
    var lead: Int64 { acceptedEarly.largest }

    /// The largest recent time in ticks from one frame to the next. A single longer step is a gap.
    var frame: Int64 {
        let known = steps.repeated > 0 ? steps.repeated : steps.largest
        return known > 0 ? known : Self.firstStep
    }

    /// - Parameters:
    ///   - milliseconds: The composition time of the next frame.
    ///   - time: Its timestamp in ticks.
    /// - Returns: The composition time in ticks; `nil` if it is implausible.
    mutating func take(_ milliseconds: Int, at time: Int64) -> Int64? {
        let step = max(0, min(time - (newest ?? time), Ticks.perSecond))
        newest = max(time, newest ?? time)
        clock += step
        if step > 0 { steps.note(step, at: clock) }
        late.advance(to: clock)
        early.advance(to: clock)
        acceptedEarly.advance(to: clock)
        guard Self.possible.contains(milliseconds) else { return nil }
        let ticks = Int64(milliseconds) * MediaTimeline.tick
        if ticks >= 0 {
            let limit = max(Self.alwaysAccepted, min(Self.frames * frame, Self.longestAccepted))
            if ticks <= limit { return ticks }
            late.note(ticks, at: clock)
            return ticks <= late.repeated ? ticks : nil
        }
        if -ticks > frame {
            early.note(-ticks, at: clock)
            guard -ticks <= early.repeated else { return nil }
        }
        acceptedEarly.note(-ticks, at: clock)
        return ticks
    }
}
