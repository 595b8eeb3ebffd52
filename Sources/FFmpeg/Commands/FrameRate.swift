/// Frames per second as a fraction: 30000/1001 is no decimal.
package struct FrameRate: Sendable, Hashable, CustomStringConvertible {
    package let numerator: Int
    package let denominator: Int

    /// - Precondition: both are positive.
    package init(_ numerator: Int, _ denominator: Int = 1) {
        precondition(numerator > 0 && denominator > 0)
        self.numerator = numerator
        self.denominator = denominator
    }

    /// `30` or `30000/1001`, as FFmpeg takes it.
    package var description: String { denominator == 1 ? "\(numerator)" : "\(numerator)/\(denominator)" }

    var perSecond: Double { Double(numerator) / Double(denominator) }

    /// Frames in a time, rounded up.
    package func frames(in duration: Duration) -> Int {
        let milliseconds = duration.wholeMilliseconds
        return max(1, (Int(milliseconds) * numerator + denominator * 1000 - 1) / (denominator * 1000))
    }
}
