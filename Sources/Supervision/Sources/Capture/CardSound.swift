import FFmpeg

/// Whether the sound of a card can be had. Pure.
struct CardSound {
    /// In a row.
    private(set) var losses = 0
    /// The relay that runs has lost it, or began without.
    private(set) var isLost = false
    /// The next relay begins without.
    private(set) var rests = false
    /// When the relay began that has it.
    private var since: ContinuousClock.Instant?

    private static let first = Duration.seconds(10)
    private static let longest = Duration.seconds(300)
    /// Sound that went well for so long has its losses forgiven.
    private static let forgiven = Duration.seconds(60)

    /// What FFmpeg says when it cannot have it, and when it loses it; the picture goes on after the latter.
    private static let beginnings = [
        "cannot open audio device", "cannot set sample format", "cannot set sample rate", "cannot set channel count",
    ]
    private static let ends = ["ALSA read error"]

    static func cannotBegin(_ log: LogExcerpt) -> Bool { beginnings.contains { log.says($0) } }
    static func isLost(_ line: String) -> Bool { (beginnings + ends).contains { line.contains($0) } }

    /// A relay begins.
    mutating func begins(at now: ContinuousClock.Instant) {
        isLost = rests
        since = rests ? nil : now
    }

    /// - Returns: When it is to be tried again.
    mutating func lose(at now: ContinuousClock.Instant) -> Duration {
        if let since, now - since > Self.forgiven { losses = 0 }
        losses += 1
        (isLost, rests, since) = (true, true, nil)
        return min(Self.first * (1 << min(losses - 1, 5)), Self.longest)
    }

    /// - Returns: Whether it is to be tried now.
    mutating func rejoin(after losses: Int) -> Bool {
        guard rests, losses == self.losses else { return false }
        rests = false
        return true
    }
}
