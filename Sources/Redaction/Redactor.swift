/// Replaces secrets in text before it is shown or logged.
///
/// Known values are replaced wherever they occur, as written and percent-encoded. Possible secrets in URLs are replaced
/// whether known or not. Values under four bytes are not replaced: the text would become unreadable, and its gaps would
/// reveal the value.
package struct Redactor: Sendable {
    /// The secrets as bytes, the longest first, because one secret may be the beginning of another.
    private let needles: [[UInt8]]
    /// The same secrets by their first byte, so that the cost does not grow with the number of secrets.
    private let byFirst: [[[UInt8]]]

    private static let shortest = 4

    package init(secrets: [String] = []) {
        self.init(needles: secrets.flatMap { [Array($0.utf8), Array(URLMask.percentEncoded($0).utf8)] })
    }

    private init(needles: [[UInt8]]) {
        let unique = Set(needles.filter { $0.count >= Self.shortest })
        self.needles = unique.sorted { $0.count != $1.count ? $0.count > $1.count : $0.lexicographicallyPrecedes($1) }
        guard !unique.isEmpty else {
            byFirst = []
            return
        }
        var byFirst = [[[UInt8]]](repeating: [], count: 256)
        for needle in self.needles { byFirst[Int(needle[0])].append(needle) }
        self.byFirst = byFirst
    }

    /// The text without secrets. The cost is about proportional to the length. Lines are bounded before they get here.
    package func redacted(_ text: String) -> String {
        URLMask.maskAll(in: hidingKnown(text))
    }

    /// A redactor that also knows these values.
    package func adding(_ secrets: [String]) -> Redactor {
        secrets.isEmpty ? self : Redactor(needles: needles + Redactor(secrets: secrets).needles)
    }

    private func hidingKnown(_ text: String) -> String {
        guard !byFirst.isEmpty else { return text }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var kept = 0
        var index = 0
        while index < bytes.count {
            let needle = byFirst[Int(bytes[index])].first { bytes[index...].starts(with: $0) }
            guard let needle else {
                index += 1
                continue
            }
            result += bytes[kept..<index]
            result += URLMask.mask.utf8
            index += needle.count
            kept = index
        }
        guard kept > 0 else { return text }
        result += bytes[kept...]
        return String(decoding: result, as: UTF8.self)
    }
}
