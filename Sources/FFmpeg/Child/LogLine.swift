/// One message of FFmpeg, secrets removed.
public struct LogLine: Sendable, Hashable {
    public enum Level: String, Sendable, Hashable, CaseIterable {
        case panic, fatal, error, warning, info, verbose, debug, trace
    }

    /// `nil` for what libraries print past FFmpeg's log.
    public let level: Level?
    /// Without the level.
    public let text: String

    public init(level: Level?, text: String) {
        self.level = level
        self.text = text
    }

    /// Reads `[h264 @ 0x55d1] [error] message` as `-loglevel level+…` prints it.
    init(parsing line: String) {
        var rest = Substring(line)
        var prefix = Substring()
        // The name of the part that speaks comes first, if any.
        if rest.hasPrefix("["), let end = rest.firstIndex(of: "]"), Self.level(rest[rest.startIndex...end]) == nil {
            let next = rest.index(after: end)
            if next < rest.endIndex, rest[next] == " " {
                prefix = rest[...next]
                rest = rest[rest.index(after: next)...]
            }
        }
        if rest.hasPrefix("["), let end = rest.firstIndex(of: "]"), let level = Self.level(rest[rest.startIndex...end]) {
            rest = rest[rest.index(after: end)...]
            if rest.first == " " { rest = rest.dropFirst() }
            self.init(level: level, text: String(prefix) + String(rest))
        } else {
            self.init(level: nil, text: line)
        }
    }

    private static func level(_ bracketed: Substring) -> Level? {
        Level(rawValue: String(bracketed.dropFirst().dropLast()))
    }
}
