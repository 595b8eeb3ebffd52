/// Frames per second as an exact fraction in lowest terms: 30000/1001 is not a decimal.
package struct FrameRate: Sendable, Hashable, CustomStringConvertible {
    package let numerator: Int
    package let denominator: Int

    /// - Precondition: Both are positive.
    package init(_ numerator: Int, _ denominator: Int = 1) {
        precondition(numerator > 0 && denominator > 0, "a frame rate is positive")
        let divisor = greatestCommonDivisor(numerator, denominator)
        self.numerator = numerator / divisor
        self.denominator = denominator / divisor
    }

    /// `30` or `30000/1001`, as FFmpeg reads it.
    package var description: String { denominator == 1 ? "\(numerator)" : "\(numerator)/\(denominator)" }

    package var perSecond: Double { Double(numerator) / Double(denominator) }

    /// The duration of one frame, rounded to the nearest nanosecond.
    package var frameDuration: Duration {
        .nanoseconds((denominator * 1_000_000_000 + numerator / 2) / numerator)
    }

    /// The number of frames in a duration, rounded up, and at least one. The duration counts in whole milliseconds.
    package func frames(in duration: Duration) -> Int {
        let milliseconds = duration.wholeMilliseconds
        return max(1, (milliseconds * numerator + denominator * 1000 - 1) / (denominator * 1000))
    }
}

func greatestCommonDivisor(_ first: Int, _ second: Int) -> Int {
    var (a, b) = (first, second)
    while b != 0 { (a, b) = (b, a % b) }
    return a
}
