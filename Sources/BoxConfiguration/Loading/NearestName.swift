/// Finds the name that was probably meant.
enum NearestName {
    /// Returns the candidate with the fewest edits from `text`, or `nil` if even that one needs too many. A swap of two
    /// neighbours counts as one edit. A candidate that `text` begins or ends with is always near.
    static func find(_ text: String, among candidates: [String]) -> String? {
        let wanted = Array(text.prefix(64).lowercased().unicodeScalars)
        guard !wanted.isEmpty else { return nil }
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let other = Array(candidate.unicodeScalars)
            let distance = distance(wanted, other)
            let near =
                distance <= max(1, max(wanted.count, other.count) / 3) && distance < max(wanted.count, other.count)
            let contained =
                min(wanted.count, other.count) >= 3
                && (wanted.starts(with: other) || other.starts(with: wanted)
                    || wanted.reversed().starts(with: other.reversed())
                    || other.reversed().starts(with: wanted.reversed()))
            guard near || contained else { continue }
            if distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.name
    }

    /// The number of edits (insert, delete, replace, swap neighbours) from one to the other.
    static func distance(_ first: [Unicode.Scalar], _ second: [Unicode.Scalar]) -> Int {
        var previous: [Int] = []
        var row = Array(0...second.count)
        for i in first.indices {
            var next = [i + 1]
            for j in second.indices {
                var cost = min(row[j] + (first[i] == second[j] ? 0 : 1), row[j + 1] + 1, next[j] + 1)
                if i > 0, j > 0, first[i] == second[j - 1], first[i - 1] == second[j] {
                    cost = min(cost, previous[j - 1] + 1)
                }
                next.append(cost)
            }
            previous = row
            row = next
        }
        return row[second.count]
    }
}
