import MPEGTS

/// Times of audio frames by their samples. A publisher rounds its timestamps to milliseconds, or takes them from a
/// clock of its own; the frames of an encoder are exactly as long as their samples.
///
/// The grid goes on from frame to frame as long as the publisher's times stay near it. Where they drift, it follows
/// them slowly; where they depart from it, a frame was lost or the publisher's clock was set, and it begins again
/// there.
struct AudioGrid {
    private let sampleRate: Int64
    private let samplesPerFrame: Int64
    /// Where the grid begins, in ticks.
    private var anchor: Int64?
    /// Samples since then.
    private var samples: Int64 = 0

    /// Ticks by which a time may differ without any effect: more than rounding to milliseconds.
    private static let deadZone = Ticks.perSecond / 500
    /// Ticks by which a frame may come later than the grid says: less than a frame is long, so a lost one shows.
    private static let mostAhead = Ticks.perSecond * 15 / 1000
    /// Ticks by which it may come earlier. Phones stamp two or three frames with the time of the first.
    private static let mostBehind = Ticks.perSecond * 40 / 1000
    /// The part of a difference by which the grid follows with each frame.
    private static let pace: Int64 = 16

    /// - Parameters:
    ///   - sampleRate: Samples a second, not 0.
    ///   - samplesPerFrame: Not 0.
    init(sampleRate: Int, samplesPerFrame: Int) {
        self.sampleRate = Int64(sampleRate)
        self.samplesPerFrame = Int64(samplesPerFrame)
    }

    /// The presentation time of the next frame.
    ///
    /// - Parameter stated: What its message says, in ticks; the result differs from it by 40 ms at the most.
    mutating func place(_ stated: Int64) -> Int64 {
        defer { samples += samplesPerFrame }
        guard let anchor else {
            self.anchor = stated
            return stated
        }
        let expected = anchor + samples * Ticks.perSecond / sampleRate
        let difference = stated - expected
        guard (-Self.mostBehind...Self.mostAhead).contains(difference) else {
            self.anchor = stated
            samples = 0
            return stated
        }
        guard abs(difference) > Self.deadZone else { return expected }
        let step = difference / Self.pace
        self.anchor = anchor + step
        return expected + step
    }
}
