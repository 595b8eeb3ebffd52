import MPEGTS

/// Tells composition times from errors. One that is wrong would move what is shown by seconds.
///
/// A picture is shown no more than sixteen frames after it is decoded, and then less than a second; and where it is
/// shown before that, by a frame at the most, which is what careless encoders state. What is further away is believed
/// once it has come twice in some seconds: a source of two frames a second may need it.
struct CompositionTimes {
    /// Steps from one picture to the next.
    private var steps = RecentCases()
    private var late = RecentCases()
    private var early = RecentCases()
    private var believedEarly = RecentCases()
    private var newest: Int64?
    /// Ticks of the pictures so far, without pauses.
    private var clock: Int64 = 0

    /// Milliseconds that may be believed: sixteen frames at two a second; and below zero, a careless encoder.
    private static let possible = -500...8000
    /// Frames that a picture may be shown late.
    private static let frames: Int64 = 16
    /// Ticks that are believed at once however short the frames are, and however long.
    private static let alwaysBelieved = Ticks.perSecond / 4
    private static let mostBelieved = Ticks.perSecond
    /// Ticks of a frame as long as nothing is known of it.
    private static let firstStep = Ticks.perSecond / 25

    /// Ticks by which decoding has to come earlier than is stated, so that pictures that are shown before that are
    /// decoded in time.
    var lead: Int64 { believedEarly.largest }

    /// Ticks from one frame to the next, at the most of late. One step that is longer is a gap.
    var frame: Int64 {
        let known = steps.repeated > 0 ? steps.repeated : steps.largest
        return known > 0 ? known : Self.firstStep
    }

    /// - Parameters:
    ///   - milliseconds: The composition time of the next picture.
    ///   - time: What its timestamp says, in ticks.
    /// - Returns: In ticks; `nil` where it is not believed.
    mutating func take(_ milliseconds: Int, at time: Int64) -> Int64? {
        let step = max(0, min(time - (newest ?? time), Ticks.perSecond))
        newest = max(time, newest ?? time)
        clock += step
        if step > 0 { steps.note(step, at: clock) }
        late.advance(to: clock)
        early.advance(to: clock)
        believedEarly.advance(to: clock)
        guard Self.possible.contains(milliseconds) else { return nil }
        let ticks = Int64(milliseconds) * MediaTimeline.tick
        if ticks >= 0 {
            let limit = max(Self.alwaysBelieved, min(Self.frames * frame, Self.mostBelieved))
            if ticks <= limit { return ticks }
            late.note(ticks, at: clock)
            return ticks <= late.repeated ? ticks : nil
        }
        if -ticks > frame {
            early.note(-ticks, at: clock)
            guard -ticks <= early.repeated else { return nil }
        }
        believedEarly.note(-ticks, at: clock)
        return ticks
    }
}
