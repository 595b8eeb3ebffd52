import MPEGTS

/// The place up to which one source's audio has been converted, so that another process can continue. It tells which
/// messages this process gets once more, where its first frame has to begin, and which of its frames the feed already
/// has.
///
/// The frames of the next process are on the same grid as those before: one of 1024 samples behind the other, counted
/// from the end of the last accepted frame.
///
/// Pure; times are ticks on the timeline of the source.
struct AudioResumption: Sendable {
    /// The end of the last accepted frame; `nil` before the first.
    private(set) var end: Int64?
    /// The first message that a process got.
    private var begin: Int64?

    /// Ticks of audio that a decoder gets before the first frame. MP3 keeps the bits of a frame in up to nine frames
    /// before it. Speex predicts a steady tone from what it has decoded: measured, the tone is the same again after 0.6
    /// to 1 s, and at half of the places out of phase after 0.3 s.
    private static let preroll = Ticks.perSecond
    /// Frames that are encoded before the first one that is used. A frame overlaps with the one before, and an encoder
    /// distributes its bits by the frames before.
    private static let leadingFrames: Int64 = 2
    private static let frameSize: Int64 = 1024
    /// A frame that begins earlier than this before the end of the last one is already in the feed. Ticks; half a frame
    /// at 44.1 kHz.
    private static let mostOverlap: Int64 = 1045

    /// The first message for the next process has this time or a later one; `nil` where no process got any.
    var replayStart: Int64? { (end ?? begin).map { $0 - Self.preroll } }

    /// Takes a frame of a process.
    ///
    /// - Returns: Whether the frame continues the audio. `false` where the process before gave the same audio.
    mutating func take(_ time: Int64, duration: Int64) -> Bool {
        if let end, time < end - min(Self.mostOverlap, duration / 2) { return false }
        end = time + duration
        return true
    }

    /// Called when a process has ended.
    ///
    /// - Parameter first: The first message that the process got; `nil` where there was none.
    mutating func ended(first: Int64?) { begin = begin ?? first }

    /// Computes where the frames of the next process have to begin, so that one of them begins where the last one
    /// ended.
    ///
    /// - Parameter first: The first message that the process gets, which is its own zero.
    /// - Returns: Samples from there on, never less than zero; `nil` where no frame was accepted before.
    func firstSample(from first: Int64, sampleRate: Int) -> Int64? {
        guard let end else { return nil }
        let distance = Self.samples(in: end - first, sampleRate)
        // Whole frames from the end back to the first audio that there is.
        let (frames, rest) = (-distance).quotientAndRemainder(dividingBy: Self.frameSize)
        return distance + max(rest > 0 ? frames + 1 : frames, -Self.leadingFrames) * Self.frameSize
    }

    /// Rounds to the nearest sample.
    private static func samples(in ticks: Int64, _ sampleRate: Int) -> Int64 {
        let product = ticks * Int64(sampleRate)
        return (product + product.signum() * Ticks.perSecond / 2) / Ticks.perSecond
    }
}
