import MPEGTS

/// Where the converted sound of one source has got to, so that another process can continue it: which messages that
/// process is given once more, where its first frame is to begin, and which of its frames are in the feed already.
///
/// Frames of the next process are on the same grid as those before: one of 1024 samples behind the other, counted from
/// the end of the last frame that was taken.
///
/// Pure; times are ticks on the timeline of the source.
struct AudioResumption: Sendable {
    /// Where the last frame ends that was taken; `nil` before the first.
    private(set) var end: Int64?
    /// The first message that a process was given.
    private var begin: Int64?

    /// Ticks of sound before the first frame that a decoder is given. MP3 keeps the bits of a frame in up to nine
    /// frames before it, and Speex predicts a steady tone from what it has decoded: measured, it is the same tone again
    /// after 0.6 to 1 s, and at half of the places out of phase after 0.3 s.
    private static let preroll = Ticks.perSecond
    /// Frames that are encoded before the first one that is used: it overlaps with the one before, and an encoder
    /// shares its bits out by what came before.
    private static let leadingFrames: Int64 = 2
    private static let frameSize: Int64 = 1024
    /// A frame that begins earlier than this before the end of the last one is in the feed already. Ticks; half a frame
    /// at 44.1 kHz.
    private static let mostOverlap: Int64 = 1045

    /// The first message that the next process is to be given has this time or a later one; `nil` where no process was
    /// given any.
    var replayStart: Int64? { (end ?? begin).map { $0 - Self.preroll } }

    /// A frame has come of a process.
    ///
    /// - Returns: Whether it continues the sound. `false` where its sound was taken from the process before.
    mutating func take(_ time: Int64, duration: Int64) -> Bool {
        if let end, time < end - min(Self.mostOverlap, duration / 2) { return false }
        end = time + duration
        return true
    }

    /// A process has ended.
    ///
    /// - Parameter first: The first message that it was given; `nil` where there was none.
    mutating func ended(first: Int64?) { begin = begin ?? first }

    /// Where the frames of the next process are to begin, so that one of them begins where the last one ended.
    ///
    /// - Parameter first: The first message that it was given, which is its own zero.
    /// - Returns: Samples from there on, never less than zero; `nil` where no frame was taken before.
    func firstSample(from first: Int64, sampleRate: Int) -> Int64? {
        guard let end else { return nil }
        let distance = Self.samples(in: end - first, sampleRate)
        // Whole frames from the end to the first sound that there is.
        let (frames, rest) = (-distance).quotientAndRemainder(dividingBy: Self.frameSize)
        return distance + max(rest > 0 ? frames + 1 : frames, -Self.leadingFrames) * Self.frameSize
    }

    /// To the nearest.
    private static func samples(in ticks: Int64, _ sampleRate: Int) -> Int64 {
        let product = ticks * Int64(sampleRate)
        return (product + product.signum() * Ticks.perSecond / 2) / Ticks.perSecond
    }
}
