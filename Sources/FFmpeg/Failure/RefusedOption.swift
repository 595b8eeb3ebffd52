/// A part of a command line that FFmpeg refused: an option, a value, or an encoder, filter, format or protocol that it
/// does not have.
package struct RefusedOption: Sendable, Hashable, CustomStringConvertible {
    /// The refused part for display: `the option -vsync`, `the encoder libx264`, `the value -1 of -enc_time_base`.
    package let description: String

    /// Reads the messages of a process that ended. `nil` if no message is a refusal.
    package init?(_ log: LogExcerpt) {
        guard let description = Self.refused(in: log.all) else { return nil }
        self.description = description
    }

    static let wildcardListener = "an SRT listener on [::]"
    static let tooLong = "whose value is too long"

    /// The refused part. `nil` if no message is one of the ``RefusalWords``.
    static func refused(in lines: [String]) -> String? {
        var texts = lines.map { Array(LogLine.withoutPrefixes($0).utf8) }
        // Some messages name the refused part in the next line.
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
