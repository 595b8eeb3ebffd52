package import MediaTypes

/// The notation of a frame rate in the configuration, from 1 to 240.
///
/// Written `30`, `29.97`, `12.5` or `30000/1001`. The broadcast decimals (23.976, 23.98, 29.97, 47.95, 59.94, 119.88)
/// stand for the fraction over 1001, as is usual in video.
extension FrameRate {
    static let expectedForm = "a rate such as 30, 29.97 or 30000/1001"
    package static let limits = 1...240

    package init(parsing text: String) throws(ParseError) {
        let (top, bottom) = try Self.fraction(text)
        guard top > 0, bottom > 0, top <= 1_000_000_000, bottom <= 1_000_000_000,
            top >= bottom * Self.limits.lowerBound, top <= bottom * Self.limits.upperBound
        else { throw ParseError("is out of range; allowed: 1 to 240 frames per second") }
        self.init(top, bottom)
    }

    /// The shortest notation of this rate.
    package var notation: String {
        if denominator == 1 { return "\(numerator)" }
        if denominator == 1001, let name = Self.broadcast.first(where: { $0.value == numerator }) {
            return name.key
        }
        return "\(numerator)/\(denominator)"
    }

    /// The shortest unambiguous decimal of each rate over 1001.
    private static let broadcast: KeyValuePairs = [
        "23.976": 24000, "29.97": 30000, "47.95": 48000, "59.94": 60000, "119.88": 120_000,
    ]

    private static func fraction(_ text: String) throws(ParseError) -> (Int, Int) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2 {
            guard let top = DecimalNotation.wholeNumber(parts[0]), let bottom = DecimalNotation.wholeNumber(parts[1])
            else { throw ParseError("is not a rate; write \(expectedForm)") }
            return (top, bottom)
        }
        guard let millis = DecimalNotation.scaled(text[...], by: 1000) else {
            throw ParseError("is not a rate; write \(expectedForm)")
        }
        for (_, top) in broadcast where text.contains(".") {
            // Within 5 thousandths of n/1001: 23.98 and 23.976 are the same rate.
            let exact = (top * 1000 + 500) / 1001
            if abs(exact - millis) <= 5, millis % 1000 != 0 { return (top, 1001) }
        }
        return (millis, 1000)
    }
}
