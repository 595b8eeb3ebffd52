/// Makes texts of a file safe to quote in a message.
enum Printable {
    /// `text` on one line, without control characters, cut after 60 characters.
    static func excerpt(_ text: String) -> String {
        var result = ""
        for character in text.prefix(60) {
            result += character.unicodeScalars.contains { isUnprintable($0) } ? "\u{FFFD}" : String(character)
        }
        return text.count > 60 ? result + "…" : result
    }

    static func isUnprintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: true
        default: false
        }
    }

    /// `a, b or c`.
    static func alternatives(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }
}
