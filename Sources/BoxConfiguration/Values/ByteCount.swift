/// An amount of storage in bytes, written with its unit: `500M`, `20G`, `1.5T`. The units are
/// decimal, as disks are sold: `M` is 1000², `G` 1000³, `T` 1000⁴.
package struct ByteCount: Sendable, Equatable, Comparable, CustomStringConvertible {
    package let bytes: Int

    static let expectedForm = "an amount of storage such as 500M or 20G"

    package init(bytes: Int) { self.bytes = bytes }

    package init(parsing text: String) throws(ParseError) {
        self.init(
            bytes: try DecimalNotation.parse(
                text, units: ["k": 1000, "K": 1000, "M": 1_000_000, "G": 1_000_000_000, "T": 1_000_000_000_000],
                quantity: "an amount of storage", expectedForm: Self.expectedForm))
    }

    package static func < (first: ByteCount, second: ByteCount) -> Bool { first.bytes < second.bytes }

    package var description: String {
        let units = [(1_000_000_000_000, "T"), (1_000_000_000, "G"), (1_000_000, "M")]
        for (unit, letter) in units where bytes % unit == 0 { return "\(bytes / unit)\(letter)" }
        return DecimalNotation.text(bytes, in: 1000) + "k"
    }
}
