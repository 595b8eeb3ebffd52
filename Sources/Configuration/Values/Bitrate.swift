/// A bitrate in bits per second, written with its unit: `6000k`, `6M`, `2.5M`. `k`, `M` and `G`
/// are decimal (1000, 1000², 1000³), as FFmpeg reads them.
public struct Bitrate: Sendable, Equatable, Comparable, CustomStringConvertible {
    public let bitsPerSecond: Int

    static let example = "a bitrate such as 6000k or 6M"

    public init(bitsPerSecond: Int) { self.bitsPerSecond = bitsPerSecond }

    public init(parsing text: String) throws(NotationError) {
        let (number, unit) = DecimalNotation.split(text)
        guard !number.isEmpty else { throw NotationError("is no bitrate; write \(Self.example)") }
        guard !unit.isEmpty else { throw NotationError("has no unit; write \(Self.example)") }
        let multiplier: Int
        switch unit {
        case "k", "K": multiplier = 1000
        case "M": multiplier = 1_000_000
        case "G": multiplier = 1_000_000_000
        default: throw NotationError("has an unknown unit; write \(Self.example)")
        }
        guard let bits = DecimalNotation.scaled(number, by: multiplier), bits > 0 else {
            throw NotationError("is no bitrate; write \(Self.example)")
        }
        self.init(bitsPerSecond: bits)
    }

    public static func < (first: Bitrate, second: Bitrate) -> Bool {
        first.bitsPerSecond < second.bitsPerSecond
    }

    public var description: String {
        if bitsPerSecond % 1_000_000 == 0 { return "\(bitsPerSecond / 1_000_000)M" }
        return DecimalNotation.text(bitsPerSecond, in: 1000) + "k"
    }
}
