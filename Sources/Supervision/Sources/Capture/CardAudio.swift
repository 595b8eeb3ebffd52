import FFmpeg

/// Decides when the audio of a card is read, left out, and tried again. Pure.
struct CardAudio {
    /// How many times in a row the audio was lost.
    private(set) var losses = 0
    /// Whether the reader that runs has lost its audio, or started without.
    private(set) var isLost = false
    /// Whether the next reader starts without audio.
    private(set) var rests = false
    /// When the reader with audio started.
    private var since: ContinuousClock.Instant?

    private static let first = Duration.seconds(10)
    private static let longest = Duration.seconds(300)
    /// Audio that was read for so long resets the losses.
    private static let forgiven = Duration.seconds(60)

    /// FFmpeg's words when it cannot open the audio (``beginnings``), and when it loses the audio and continues with
    /// the video (``ends``).
    private static let beginnings = [
        "cannot open audio device", "cannot set sample format", "cannot set sample rate", "cannot set channel count",
    ]
    private static let ends = ["ALSA read error"]

    /// Whether FFmpeg could not open the audio.
    static func cannotBegin(_ log: LogExcerpt) -> Bool { beginnings.contains { log.says($0) } }
    /// Whether FFmpeg could not open the audio, or has lost it.
    static func isLost(_ line: String) -> Bool { (beginnings + ends).contains { line.contains($0) } }

    /// A reader starts.
    mutating func begins(at now: ContinuousClock.Instant) {
        isLost = rests
        since = rests ? nil : now
    }

    /// The audio is lost.
    ///
    /// - Returns: The pause before the next attempt.
    mutating func lose(at now: ContinuousClock.Instant) -> Duration {
        if let since, now - since > Self.forgiven { losses = 0 }
        losses += 1
        (isLost, rests, since) = (true, true, nil)
        return min(Self.first * (1 << min(losses - 1, 5)), Self.longest)
    }

    /// Tries the audio again.
    ///
    /// - Parameter losses: How many there were when this was planned.
    /// - Returns: Whether it is to be tried now.
    mutating func rejoin(after losses: Int) -> Bool {
        guard rests, losses == self.losses else { return false }
        rests = false
        return true
    }
}
