import MPEGTS

/// Decides on the one format of a channel's audio where a group copies it. A target gets the format once, at the start
/// of its stream, and does not follow a change.
///
/// The first audio of a source decides: its own format where that is a plain one, so that the audio passes unchanged,
/// else 48 kHz stereo. 48 kHz stereo is also chosen where a source has been on air for a while without audio, so that a
/// stream does not begin again in the middle of a show. From then on the format stays, also while no group copies the
/// audio.
struct ChannelAudioFormat {
    /// Nanoseconds that the channel waits for the audio of a source, from the source's first frame on.
    private static let patience: Int64 = 10_000_000_000

    /// Whether a group copies the audio.
    var isKept: Bool
    /// `nil` until it is decided.
    private(set) var format: AACFormat?
    /// When the first frame of the source on air came, in nanoseconds of the monotonic clock.
    private var firstFrame: Int64?

    init(isKept: Bool) { self.isKept = isKept }

    /// The format that audio must have; `nil` where any is accepted.
    var kept: AACFormat? { isKept ? format : nil }

    /// Whether any audio is accepted, and the first decides.
    var isUndecided: Bool { isKept && format == nil }

    /// Called when another source goes on air: the channel waits for its audio from the beginning.
    mutating func begins() { firstFrame = nil }

    /// Decides by the first audio of a source, or by its first frames where no audio comes beside them.
    ///
    /// - Parameter first: The format of the audio that comes with the unit; `nil` where it is not known.
    /// - Returns: Whether this call has decided it.
    @discardableResult
    mutating func decide(by first: AACFormat?, now: Int64) -> Bool {
        guard isUndecided else { return false }
        if let first {
            format = first.isPlain ? first : .stereo48
        } else if let firstFrame {
            if now - firstFrame >= Self.patience { format = .stereo48 }
        } else {
            firstFrame = now
        }
        return format != nil
    }
}
