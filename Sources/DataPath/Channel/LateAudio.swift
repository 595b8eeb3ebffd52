import MPEGTS

/// Detects that the audio of a source on air never enters the feed, because its times are too far from those of the
/// video. Without this, silence would replace the audio with no report.
///
/// It reports once audio has come beside three seconds of video and none of it was accepted. The clock is the video's
/// time, not the arrival: a machine or a network that hangs delays both. Nothing is counted while no video comes.
///
/// Pure; times and lags are ticks.
struct LateAudio {
    /// Ticks of video beside which all audio is rejected before a report, and before the next one.
    private static let patience = 3 * Ticks.perSecond
    /// Most ticks of video that count between two units of audio. A longer time is a pause, or the audio is missing.
    private static let longestStep = Ticks.perSecond
    /// A lag that has changed by this is reported again.
    private static let leastChange = Ticks.perSecond
    /// A lag is rounded to this: a tenth of a second.
    private static let unit = Ticks.perSecond / 10

    /// The newest video frame at the last rejection; `nil` since audio was accepted.
    private var frame: Int64?
    /// Ticks of video beside which all audio was rejected.
    private var refused: Int64 = 0
    /// The lag that was reported.
    private var reported: Int64?

    /// Notes a rejected unit of audio.
    ///
    /// - Parameters:
    ///   - lag: How far the unit is behind its video; negative where it is ahead.
    ///   - frame: The newest video frame, on the feed's timeline.
    /// - Returns: The lag, where it has to be reported.
    mutating func refuse(lag: Int64, beside frame: Int64) -> Duration? {
        refused += min(max(0, frame - (self.frame ?? frame)), Self.longestStep)
        self.frame = frame
        guard refused > Self.patience else { return nil }
        // A lag that changes all the time is reported no more often than this.
        refused = 0
        if let reported, abs(lag - reported) < Self.leastChange { return nil }
        reported = lag
        return Self.rounded(lag)
    }

    /// Called when audio was accepted, or when the check has to begin again.
    ///
    /// - Returns: Whether a lag was reported.
    mutating func isOver() -> Bool {
        defer { self = LateAudio() }
        return reported != nil
    }

    private static func rounded(_ lag: Int64) -> Duration {
        .milliseconds((lag + lag.signum() * unit / 2) / unit * 100)
    }
}
