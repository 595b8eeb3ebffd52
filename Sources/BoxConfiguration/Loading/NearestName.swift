/// Finds the name that the user probably meant.
enum NearestName {
    /// Returns the near candidate with the fewest edits from `text`, or `nil` if no candidate is near.
    ///
    /// A candidate is near if it needs few edits for its length. It is also near if one of the two names begins or ends
    /// with the other, and the shorter one has at least three characters. A swap of two neighbours counts as one edit.
    static func find(_ text: String, among candidates: [String]) -> String? {
        let typed = Array(text.prefix(64).lowercased().unicodeScalars)
        guard !typed.isEmpty else { return nil }
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let name = Array(candidate.unicodeScalars)
            let distance = distance(typed, name)
            let needsFewEdits =
                distance <= max(1, max(typed.count, name.count) / 3) && distance < max(typed.count, name.count)
            let sharesBeginningOrEnd =
                min(typed.count, name.count) >= 3
                && (typed.starts(with: name) || name.starts(with: typed)
                    || typed.reversed().starts(with: name.reversed())
                    || name.reversed().starts(with: typed.reversed()))
            guard needsFewEdits || sharesBeginningOrEnd else { continue }
            if distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.name
    }

    /// The number of edits (insert, delete, replace, swap neighbours) from one to the other.
    static func distance(_ first: [Unicode.Scalar], _ second: [Unicode.Scalar]) -> Int {
        var rowBeforeLast: [Int] = []
        var lastRow = Array(0...second.count)
        for i in first.indices {
            var newRow = [i + 1]
            for j in second.indices {
                var edits = min(lastRow[j] + (first[i] == second[j] ? 0 : 1), lastRow[j + 1] + 1, newRow[j] + 1)
                if i > 0, j > 0, first[i] == second[j - 1], first[i - 1] == second[j] {
                    edits = min(edits, rowBeforeLast[j - 1] + 1)
                }
                newRow.append(edits)
            }
            rowBeforeLast = lastRow
            lastRow = newRow
        }
        return lastRow[second.count]
    }
}
