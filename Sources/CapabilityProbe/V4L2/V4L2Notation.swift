/// V4L2's notations of formats and rates.
package enum V4L2Notation {
    /// `YUYV`, `H264`. Unprintable letters become `?`.
    package static func text(_ code: UInt32) -> String {
        // The highest bit means big-endian, and does not belong to a letter.
        let letters = (0..<4).map { UInt8(truncatingIfNeeded: (code & 0x7FFF_FFFF) >> (8 * $0)) }
        let text = String(decoding: letters.map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
        return String(text.reversed().drop { $0 == " " }.reversed())
    }

    /// Frames per second for an interval in seconds, `30` or `30000/1001`. `nil` for an invalid interval.
    package static func rate(interval numerator: UInt32, _ denominator: UInt32) -> String? {
        guard numerator > 0, denominator > 0 else { return nil }
        var (a, b) = (denominator, numerator)
        while b != 0 { (a, b) = (b, a % b) }
        return numerator / a == 1 ? "\(denominator / a)" : "\(denominator / a)/\(numerator / a)"
    }
}
