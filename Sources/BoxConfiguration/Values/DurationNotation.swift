import MediaTypes

/// The notation of durations in the configuration: `500ms`, `2s`, `10m`, `1h`. The resolution is one millisecond;
/// `1.5s` is allowed.
package enum DurationNotation {
    static let expectedForm = "a duration such as 500ms, 2s, 10m or 1h"

    package static func parse(_ text: String) throws(ParseError) -> Duration {
        let (number, unit) = DecimalNotation.split(text)
        guard !number.isEmpty else { throw ParseError("is not a duration; write \(expectedForm)") }
        guard !unit.isEmpty else { throw ParseError("has no unit; write \(expectedForm)") }
        let multiplier: Int
        switch unit {
        case "ms": multiplier = 1
        case "s": multiplier = 1000
        case "m": multiplier = 60_000
        case "h": multiplier = 3_600_000
        default: throw ParseError("has an unknown unit; write \(expectedForm)")
        }
        guard let milliseconds = DecimalNotation.scaled(number, by: multiplier) else {
            throw ParseError("is not a duration of whole milliseconds; write \(expectedForm)")
        }
        return .milliseconds(milliseconds)
    }

    /// The shortest notation of a duration: in the largest unit that divides it. Parts below a millisecond are dropped.
    package static func text(_ duration: Duration) -> String {
        let milliseconds = duration.wholeMilliseconds
        switch milliseconds {
        case 0: return "0s"
        case let value where value % 3_600_000 == 0: return "\(value / 3_600_000)h"
        case let value where value % 60_000 == 0: return "\(value / 60_000)m"
        case let value where value % 1000 == 0: return "\(value / 1000)s"
        default: return "\(milliseconds)ms"
        }
    }
}
