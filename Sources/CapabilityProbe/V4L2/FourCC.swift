/// The notations of V4L2.
package enum FourCC {
    /// `YUYV`, `H264`; unprintable letters become `?`.
    package static func text(_ code: UInt32) -> String {
        // The highest bit says big-endian, and is no part of a letter.
        let letters = (0..<4).map { UInt8(truncatingIfNeeded: (code & 0x7FFF_FFFF) >> (8 * $0)) }
        let text = String(decoding: letters.map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
        return String(text.reversed().drop { $0 == " " }.reversed())
    }

    /// Pictures a second of an interval in seconds, `30` or `30000/1001`; `nil` for an interval that is none.
    package static func rate(interval numerator: UInt32, _ denominator: UInt32) -> String? {
        guard numerator > 0, denominator > 0 else { return nil }
        var (a, b) = (denominator, numerator)
        while b != 0 { (a, b) = (b, a % b) }
        return numerator / a == 1 ? "\(denominator / a)" : "\(denominator / a)/\(numerator / a)"
    }
}
