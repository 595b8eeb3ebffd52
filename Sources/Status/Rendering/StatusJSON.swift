import FoundationEssentials

/// A snapshot as JSON, for `status --json` and `/api/status`.
package enum StatusJSON {
    /// - Parameter isPretty: Whether the JSON is indented for people.
    package static func render(_ box: BoxSnapshot, isPretty: Bool) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting =
            isPretty ? [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes] : [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(box)) + [UInt8(ascii: "\n")]
    }
}
