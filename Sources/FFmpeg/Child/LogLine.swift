/// One message of FFmpeg, without secrets.
package struct LogLine: Sendable, Hashable {
    package enum Level: String, Sendable, Hashable, CaseIterable {
        case panic, fatal, error, warning, info, verbose, debug, trace
    }

    /// `nil` for a line that a library printed without FFmpeg's log.
    package let level: Level?
    /// The message, without its level.
    package let text: String

    package init(level: Level?, text: String) {
        self.level = level
        self.text = text
    }

    /// Reads `[h264 @ 0x55d1] [error] message` as `-loglevel level+…` prints it.
    init(parsing line: String) {
        var rest = Substring(line)
        var prefix = Substring()
        // The names of FFmpeg's parts precede the level: `[vost#0:0/libx264 @ 0x…] [enc:libx264 @ 0x…] [error] …`.
        while let next = Self.endOfPrefix(rest) {
            prefix = Substring(line)[..<next]
            rest = rest[next...]
        }
        if rest.hasPrefix("["), let end = rest.firstIndex(of: "]"), let level = Self.level(rest[rest.startIndex...end])
        {
            rest = rest[rest.index(after: end)...]
            if rest.first == " " { rest = rest.dropFirst() }
            self.init(level: level, text: String(prefix) + String(rest))
        } else {
            self.init(level: nil, text: line)
        }
    }

    /// The text of a message, without the names of its parts.
    package static func withoutPrefixes(_ text: String) -> String {
        var rest = Substring(text)
        while let next = endOfPrefix(rest) { rest = rest[next...] }
        return String(rest)
    }

    /// The index after `[name @ 0x…] ` at the beginning. `nil` if there is no such prefix, or if it is a level.
    private static func endOfPrefix(_ text: Substring) -> Substring.Index? {
        guard text.first == "[", let end = text.firstIndex(of: "]"), level(text[...end]) == nil else { return nil }
        let space = text.index(after: end)
        guard space < text.endIndex, text[space] == " " else { return nil }
        return text.index(after: space)
    }

    private static func level(_ bracketed: Substring) -> Level? {
        Level(rawValue: String(bracketed.dropFirst().dropLast()))
    }
}
