/// The peer's own words about why it rejected or closed a connection, for an operator who may understand them.
package enum PeerWords {
    /// The most characters that are kept. A longer message is not from an honest server.
    private static let longest = 160

    /// Reads the messages of a process, which hold no secrets. `nil` if no peer said anything.
    package static func of(_ log: LogExcerpt) -> String? {
        let texts = log.all.filter { !FailureClassifier.isEcho($0) }.map { LogLine.withoutPrefixes($0) }
        for words in [rtmp, http, rtsp, srt, status] {
            guard let found = texts.lazy.compactMap(words).map(shown).first(where: { !$0.isEmpty }) else { continue }
            return found.count > longest ? found.prefix(longest) + "…" : found
        }
        return nil
    }

    private static func shown(_ words: Substring) -> String {
        words.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    private static func rtmp(_ text: String) -> Substring? { rest(of: text, after: "Server error: ") }

    private static func http(_ text: String) -> Substring? { rest(of: text, after: "HTTP error ") }

    private static func rest(of text: String, after mark: String) -> Substring? {
        text.hasPrefix(mark) ? text.dropFirst(mark.count) : nil
    }

    /// `method SETUP failed: 461 Unsupported Transport`. FFmpeg 7.1 leaves the space out, and 9 writes the words in
    /// parentheses.
    private static func rtsp(_ text: String) -> Substring? {
        guard text.hasPrefix("method "), let mark = text.firstRange(of: " failed: ") else { return nil }
        let rest = text[mark.upperBound...]
        let code = rest.prefix { $0.isNumber }
        var words = rest.dropFirst(code.count).drop { $0.isWhitespace }
        if words.hasPrefix("("), words.hasSuffix(")") { words = words.dropFirst().dropLast() }
        return Substring("\(code) \(words)")
    }

    /// libsrt's message, which has its own marks before and after it.
    private static func srt(_ text: String) -> Substring? {
        guard let mark = text.firstRange(of: "REJECT reported from HS processing: ") else { return nil }
        let rest = text[mark.upperBound...]
        return rest.firstRange(of: " - not processing further").map { rest[..<$0.lowerBound] } ?? rest
    }

    /// FFmpeg's message about a status, after the address or its own words. `4XX` and `5XX` are FFmpeg's words, not the
    /// server's.
    private static func status(_ text: String) -> Substring? {
        guard let mark = text.firstRange(of: "Server returned ") else { return nil }
        let rest = text[mark.upperBound...]
        return rest.dropFirst().hasPrefix("XX ") ? nil : rest
    }
}
