import MPEGTS

/// The one format that a channel's sound has where a group copies it: a target is told of it once, at the start of its
/// stream, and does not follow when it changes.
///
/// The first sound of a source decides: its format where that is a plain one, so that it passes untouched, else 48 kHz
/// stereo. So it is where a source has been on air for a while without sound: a stream does not begin anew in the
/// middle of a show. From then on it stays, also while no group copies the sound.
struct ChannelAudioFormat {
    /// Nanoseconds from the first picture of a source for which its sound is waited for.
    private static let patience: Int64 = 10_000_000_000

    /// A group copies it.
    var isKept: Bool
    /// `nil` until it is decided.
    private(set) var format: AACFormat?
    /// When the first picture of the source on air came, in nanoseconds of the monotonic clock.
    private var firstPicture: Int64?

    init(isKept: Bool) { self.isKept = isKept }

    /// The format that sound must have; `nil` where any is taken.
    var kept: AACFormat? { isKept ? format : nil }

    /// Any sound is taken, and the first decides.
    var isUndecided: Bool { isKept && format == nil }

    /// Another source takes the air: its sound is waited for anew.
    mutating func begins() { firstPicture = nil }

    /// Decides by the first sound of a source, or by its first pictures where no sound comes beside them.
    ///
    /// - Parameter first: What the sound is in that comes with the unit; `nil` where that is not known.
    /// - Returns: Whether that has decided it.
    @discardableResult
    mutating func decide(by first: AACFormat?, now: Int64) -> Bool {
        guard isUndecided else { return false }
        if let first {
            format = first.isPlain ? first : .stereo48
        } else if let firstPicture {
            if now - firstPicture >= Self.patience { format = .stereo48 }
        } else {
            firstPicture = now
        }
        return format != nil
    }
}

/// What became of a source's sound that has another format than its channel's.
struct OtherAudioFormat {
    private var format: AACFormat?
    private var isTold = false

    /// Its sound does not go into the feed.
    var isRefused: Bool { format != nil }

    /// A unit is in the channel's format, or there is none any more.
    mutating func isOver() { format = nil }

    /// A unit is in another format.
    ///
    /// - Returns: Whether that is to be told: once of each format, with its second unit, for the header of the first
    ///   may be a damaged one.
    mutating func note(_ found: AACFormat) -> Bool {
        guard found == format else {
            (format, isTold) = (found, false)
            return false
        }
        defer { isTold = true }
        return !isTold
    }
}
