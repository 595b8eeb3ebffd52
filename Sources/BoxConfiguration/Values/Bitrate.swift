/// A bitrate in bits per second, written with its unit: `6000k`, `6M`, `2.5M`. `k`, `M` and `G` are decimal (1000,
/// 1000², 1000³), as in FFmpeg.
package struct Bitrate: Sendable, Equatable, Comparable, CustomStringConvertible {
    package let bitsPerSecond: Int

    static let expectedForm = "a bitrate such as 6000k or 6M"

    package init(bitsPerSecond: Int) { self.bitsPerSecond = bitsPerSecond }

    package init(parsing text: String) throws(ParseError) {
        self.init(
            bitsPerSecond: try DecimalNotation.parse(
                text, units: ["k": 1000, "K": 1000, "M": 1_000_000, "G": 1_000_000_000], quantity: "a bitrate",
                expectedForm: Self.expectedForm))
    }

    package static func < (first: Bitrate, second: Bitrate) -> Bool {
        first.bitsPerSecond < second.bitsPerSecond
    }

    package var description: String {
        if bitsPerSecond % 1_000_000 == 0 { return "\(bitsPerSecond / 1_000_000)M" }
        return DecimalNotation.text(bitsPerSecond, in: 1000) + "k"
    }
}
