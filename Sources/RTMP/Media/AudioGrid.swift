import MPEGTS

/// Computes the times of audio frames from their samples. A publisher rounds its timestamps to milliseconds, or uses
/// its own clock, but the frames of an encoder are exactly as long as their samples.
///
/// The grid continues from frame to frame while the publisher's times stay near it. If they drift, it follows slowly.
/// If they are far from it, a frame was lost or the publisher's clock was set, and the grid begins again at their time.
struct AudioGrid {
    private let sampleRate: Int64
    private let samplesPerFrame: Int64
    /// The beginning of the grid in ticks.
    private var anchor: Int64?
    /// The number of samples since then.
    private var samples: Int64 = 0

    /// The largest difference in ticks that has no effect: more than rounding to milliseconds.
    private static let deadZone = Ticks.perSecond / 500
    /// The largest lead of a frame over the grid in ticks: shorter than a frame, so that a lost frame is noticed.
    private static let longestLead = Ticks.perSecond * 15 / 1000
    /// The largest lag of a frame behind the grid in ticks. Phones give two or three frames the time of the first one.
    private static let longestLag = Ticks.perSecond * 40 / 1000
    /// The divisor of the difference by which the grid follows with each frame.
    private static let pace: Int64 = 16

    /// - Parameters:
    ///   - sampleRate: Samples a second, not 0.
    ///   - samplesPerFrame: Not 0.
    init(sampleRate: Int, samplesPerFrame: Int) {
        self.sampleRate = Int64(sampleRate)
        self.samplesPerFrame = Int64(samplesPerFrame)
    }

    /// Returns the presentation time of the next frame.
    ///
    /// - Parameter stated: The time of its message in ticks; the result differs from it by at most 40 ms.
    mutating func place(_ stated: Int64) -> Int64 {
        defer { samples += samplesPerFrame }
        guard let anchor else {
            self.anchor = stated
            return stated
        }
        let expected = anchor + samples * Ticks.perSecond / sampleRate
        let difference = stated - expected
        guard (-Self.longestLag...Self.longestLead).contains(difference) else {
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
