/// What a peer itself said of why it did not let a process in, or cut it off: for people, who may know what is meant.
public enum PeerWords {
    /// Characters that are kept of it: who says more is no server, or no friend.
    private static let longest = 160

    /// What stands before a peer's own words in FFmpeg's messages.
    private static let marks = ["Server error: ", "Server returned "]

    /// Reads the messages of a process, which hold no secrets; `nil` where no peer said anything.
    public static func of(_ log: LogExcerpt) -> String? {
        for line in log.all {
            let text = LogLine.withoutPrefixes(line)
            guard let mark = marks.first(where: { text.hasPrefix($0) }) else { continue }
            let words = text.dropFirst(mark.count).split(whereSeparator: \.isWhitespace).joined(separator: " ")
            guard !words.isEmpty else { continue }
            return words.count > longest ? words.prefix(longest) + "…" : words
        }
        return nil
    }
}
