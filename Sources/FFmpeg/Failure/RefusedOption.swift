/// What an FFmpeg refused of a command line: an option, a value, an encoder, a filter, a format or a protocol that it
/// does not have.
package struct RefusedOption: Sendable, Hashable, CustomStringConvertible {
    /// For people: `the option -vsync`, `the encoder libx264`, `the value -1 of -enc_time_base`.
    package let description: String

    /// Reads the messages of a process that ended; `nil` where none tells a refusal.
    package init?(_ log: LogExcerpt) {
        guard let description = Self.refused(in: log.all) else { return nil }
        self.description = description
    }

    static let wildcardListener = "an SRT listener on [::]"
    static let tooLong = "whose value is too long"

    /// What is refused; `nil` where none of the ``RefusalWords`` were said.
    static func refused(in lines: [String]) -> String? {
        var texts = lines.map { Array(LogLine.withoutPrefixes($0).utf8) }
        // Some messages name what is meant in the line that follows.
        for index in texts.indices.dropLast() {
            let next = texts[index + 1]
            texts[index].append(UInt8(ascii: "\n"))
            texts[index] += next
        }
        for words in RefusalWords.all {
            for text in texts {
                if let refused = words.refused(in: text) { return refused }
            }
        }
        return nil
    }
}
