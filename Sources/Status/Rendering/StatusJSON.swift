import FoundationEssentials

/// A snapshot for programs: what `status --json` prints and `/api/status` answers.
package enum StatusJSON {
    /// - Parameter isPretty: Over many lines, for people who read it.
    package static func render(_ box: BoxSnapshot, isPretty: Bool) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting =
            isPretty ? [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes] : [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(box)) + [UInt8(ascii: "\n")]
    }
}
