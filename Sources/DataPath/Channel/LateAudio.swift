import MPEGTS

/// Notices that the sound of a source on air never gets into the feed, because its times are too far from those of its
/// picture: silence stands in, and nothing else tells of it.
///
/// That is told once sound has come beside three seconds of pictures and none of it was taken. Pictures are the clock,
/// and not arrivals: a machine or a network that stands still delays both. Nothing is counted while none come.
///
/// Pure; times and lags are ticks.
struct LateAudio {
    /// Ticks of pictures beside which no sound is taken before that is told, and told again.
    private static let patience = 3 * Ticks.perSecond
    /// What counts of the pictures between two units of sound, at the most: more is a pause, or the sound is missing.
    private static let longestStep = Ticks.perSecond
    /// A lag that has changed by this is told again.
    private static let leastChange = Ticks.perSecond
    /// What a lag is rounded to: a tenth of a second.
    private static let unit = Ticks.perSecond / 10

    /// The newest picture when sound was refused last; `nil` since some was taken.
    private var picture: Int64?
    /// Ticks of pictures beside which all sound was refused.
    private var refused: Int64 = 0
    /// The lag that was told.
    private var told: Int64?

    /// A unit of sound was refused.
    ///
    /// - Parameters:
    ///   - lag: How far it is behind its picture; negative where it is ahead.
    ///   - picture: The newest one, on the feed's timeline.
    /// - Returns: The lag, where that is to be told.
    mutating func refuse(lag: Int64, beside picture: Int64) -> Duration? {
        refused += min(max(0, picture - (self.picture ?? picture)), Self.longestStep)
        self.picture = picture
        guard refused > Self.patience else { return nil }
        // A lag that changes all the time is told no more often than this.
        refused = 0
        if let told, abs(lag - told) < Self.leastChange { return nil }
        told = lag
        return Self.rounded(lag)
    }

    /// Sound was taken, or is to be judged anew.
    ///
    /// - Returns: Whether a lag was told.
    mutating func isOver() -> Bool {
        defer { self = LateAudio() }
        return told != nil
    }

    private static func rounded(_ lag: Int64) -> Duration {
        .milliseconds((lag + lag.signum() * unit / 2) / unit * 100)
    }
}
