import Glibc
import Logging
import Redaction

/// One event of the log, formatted as text when it is written.
struct LogEntry: Sendable {
    var time: timespec
    var level: Logger.Level
    var message: String
    var metadata: Logger.Metadata = [:]

    /// The keys that come first: a part of the service before the parts within it. The values are names that the
    /// operator chose, and no secrets. The other keys follow in alphabetical order.
    private static let places = ["channel", "source", "group", "target"]
    /// The most bytes of a value. The rest is cut off.
    private static let longest = 4096

    /// The approximate number of bytes that the entry uses while it waits to be written.
    var size: Int {
        metadata.values.reduce(message.utf8.count + 64) { sum, value in
            if case .string(let text) = value { sum + text.utf8.count + 64 } else { sum + 64 }
        }
    }

    /// The line, with its line feed.
    func line(hiding secrets: Redactor, inJournal: Bool) -> String {
        var line = inJournal ? "<\(level.priority)>" : ""
        line += "time=\(timestamp) level=\(level.rawValue) msg=\(Self.quoted(secrets.redacted(Self.cut(message))))"
        let keys =
            Self.places.filter { metadata[$0] != nil } + metadata.keys.filter { !Self.places.contains($0) }.sorted()
        for key in keys {
            let value = "\(metadata[key]!)"
            line += " \(key)=\(Self.quoted(Self.places.contains(key) ? value : secrets.redacted(Self.cut(value))))"
        }
        return line + "\n"
    }

    private static func cut(_ text: String) -> String {
        guard text.utf8.count > longest else { return text }
        return String(decoding: text.utf8.prefix(longest), as: UTF8.self) + "…"
    }

    private var timestamp: String {
        var seconds = time.tv_sec
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ value: Int32, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let milliseconds = Int32(time.tv_nsec / 1_000_000)
        return "\(parts.tm_year + 1900)-\(padded(parts.tm_mon + 1, 2))-\(padded(parts.tm_mday, 2))T"
            + "\(padded(parts.tm_hour, 2)):\(padded(parts.tm_min, 2)):\(padded(parts.tm_sec, 2))"
            + ".\(padded(milliseconds, 3))Z"
    }

    /// A value in logfmt: quoted if it holds anything but plain characters, and always on one line.
    static func quoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.unicodeScalars.allSatisfy {
                $0 != " " && $0 != "\"" && $0 != "=" && $0 != "\\" && !ControlCharacters.contains($0)
            }
        guard !isPlain else { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case _ where ControlCharacters.contains(scalar): quoted += ControlCharacters.escaped(scalar)
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

extension Logger.Level {
    /// The priority of this level in syslog and in systemd's journal.
    var priority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
