/// A snapshot as a table for a person at a terminal of 80 columns.
package struct StatusTable {
    private let isColoured: Bool
    /// The width of the longest name in columns.
    private let nameWidth: Int
    private var lines: [String] = []

    /// - Parameter coloured: Whether the text has the escape sequences of a terminal.
    package static func render(_ box: BoxSnapshot, coloured: Bool) -> String {
        let names = box.channels.flatMap { channel in
            channel.sources.map(\.id.count)
                + channel.groups.flatMap { [$0.name.count] + $0.targets.map { $0.name.count + indent } }
        }
        var table = StatusTable(isColoured: coloured, nameWidth: max(names.max() ?? 0, shortestName))
        table.write(box)
        return table.lines.joined(separator: "\n") + "\n"
    }

    static let width = 80
    private static let indent = 2
    private static let shortestName = 14
    /// The indent of text that does not fit behind a name.
    private static let margin = String(repeating: " ", count: 18)

    private init(isColoured: Bool, nameWidth: Int) {
        self.isColoured = isColoured
        // Names of channels, groups and targets have at most 32 letters.
        self.nameWidth = min(nameWidth, 32 + Self.indent)
    }

    private enum Tone: String {
        case good = "32"
        case doubtful = "33"
        case bad = "31"
        case faint = "2"
        case heading = "1"
    }

    private mutating func write(_ box: BoxSnapshot) {
        add("streambox \(box.version), FFmpeg \(box.ffmpeg), up \(Self.time(box.updated - box.started))", .heading)
        for channel in box.channels {
            add("")
            add("channel \(channel.name)" + (channel.tap.map { "  \($0)" } ?? ""), .heading)
            for source in channel.sources {
                let lost = source.droppedPackets.flatMap { $0 > 0 ? "\($0) packets lost" : nil }
                let about = [source.format, source.encoder, lost].compactMap(\.self).joined(separator: ", ")
                row(source.isOnAir ? "on air" : "", "source", source.id, source.state.rawValue, about, tone(source))
                for note in source.notes ?? [] {
                    lines += Self.wrapped(note, to: Self.width - Self.margin.count).map { Self.margin + $0 }
                }
            }
            for group in channel.groups { write(group) }
        }
        if !box.gpus.isEmpty {
            add("")
            add("hardware", .heading)
            for gpu in box.gpus {
                let about = gpu.name.isEmpty ? gpu.driver : gpu.name
                row("", "gpu", gpu.slot, gpu.state.rawValue, about, gpu.state == .ready ? .good : .doubtful)
            }
        }
        guard !box.problems.isEmpty else { return }
        add("")
        add("What to do", .heading)
        for problem in box.problems {
            for (index, line) in Self.wrapped("\(problem.subject): \(problem.sentence)", to: Self.width - 4)
                .enumerated()
            {
                add((index == 0 ? "  - " : "    ") + line, .bad)
            }
        }
    }

    private mutating func write(_ group: GroupSnapshot) {
        let detail = group.gpu.map { "@\($0)" } ?? group.loweredPreset.map { " \($0)" } ?? ""
        let figures =
            group.state == .live || group.state == .degraded
            ? "\(group.encoder)\(detail)  \(Self.decimal(group.fps)) fps  \(Self.bits(group.bitsPerSecond))"
                + (group.lostFrames > 0 ? "  \(group.lostFrames) lost" : "")
            : group.encoder
        row("", "group", group.name, group.state.rawValue, figures, tone(group))
        for target in group.targets {
            let about: String
            switch target.state {
            case .live, .degraded:
                about =
                    (target.sharePercent.map { "\($0) % arrives, " } ?? "") + "for \(Self.time(target.uptime))"
                    + (target.connects > 1 ? ", connected \(target.connects) times" : "")
            case .connecting, .waiting, .refused: about = target.trouble ?? ""
            case .stopped: about = ""
            }
            row(
                "", "target", String(repeating: " ", count: Self.indent) + target.name, target.state.rawValue, about,
                tone(target))
        }
    }

    private func tone(_ source: SourceSnapshot) -> Tone {
        switch source.state {
        case .live: .good
        case .waiting, .connecting: .faint
        case .stalled, .absent: .doubtful
        case .failed: .bad
        }
    }

    private func tone(_ group: GroupSnapshot) -> Tone {
        switch group.state {
        case .live: .good
        case .starting, .degraded: .doubtful
        case .stalled: .bad
        case .stopped: .faint
        }
    }

    private func tone(_ target: TargetSnapshot) -> Tone {
        switch target.state {
        case .live: .good
        case .degraded, .connecting, .waiting: .doubtful
        case .refused: .bad
        case .stopped: .faint
        }
    }

    // MARK: Lines

    private mutating func row(
        _ mark: String, _ kind: String, _ name: String, _ state: String, _ about: String, _ tone: Tone
    ) {
        let start = "  " + Self.padded(mark, 7) + Self.padded(kind, 7) + Self.padded(name, nameWidth) + " "
        let room = Self.width - start.count - 12
        guard about.isEmpty || about.count > room else {
            return lines.append(start + paint(Self.padded(state, 11), tone) + " " + Self.plain(about))
        }
        lines.append(start + paint(state, tone))
        guard !about.isEmpty else { return }
        let margin = Self.margin
        let below = Self.width - margin.count
        lines += (about.count <= below ? [Self.plain(about)] : Self.wrapped(about, to: below)).map { margin + $0 }
    }

    private mutating func add(_ text: String, _ tone: Tone? = nil) {
        let text = Self.cut(text, to: Self.width)
        lines.append(tone.map { paint(text, $0) } ?? text)
    }

    private func paint(_ text: String, _ tone: Tone) -> String {
        isColoured ? "\u{1B}[\(tone.rawValue)m\(text)\u{1B}[0m" : text
    }

    static func padded(_ text: String, _ width: Int) -> String {
        let text = cut(text, to: width)
        return text + String(repeating: " ", count: width - text.count)
    }

    static func cut(_ text: String, to width: Int) -> String {
        let text = plain(text)
        return text.count <= width ? text : text.prefix(max(0, width - 1)) + "…"
    }

    /// Replaces control characters: a text from a peer or a device must not control the terminal.
    private static func plain(_ text: String) -> String {
        var plain = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { plain.append(scalar.properties.generalCategory == .control ? " " : scalar) }
        return String(plain)
    }

    /// Breaks a text between words into lines of at most `width` columns. Longer words are broken, too.
    package static func wrapped(_ text: String, to width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        let words = plain(text).split(whereSeparator: \.isWhitespace).flatMap { word in
            stride(from: 0, to: word.count, by: width).map { word.dropFirst($0).prefix(width) }
        }
        for word in words {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        if !line.isEmpty { lines.append(line) }
        return lines
    }

    /// `3d 4h`, `4h 12m`, `12m 30s`, `30s`.
    static func time(_ seconds: Double) -> String {
        let seconds = Int(max(0, seconds))
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60)
        if days > 0 { return "\(days)d \(hours)h" }
        if hours > 0 { return "\(hours)h \(minutes)m" }
        if minutes > 0 { return "\(minutes)m \(seconds % 60)s" }
        return "\(seconds)s"
    }

    static func decimal(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(abs(tenths % 10))"
    }

    static func bits(_ perSecond: Double) -> String {
        perSecond >= 1_000_000 ? "\(decimal(perSecond / 1_000_000)) Mbit/s" : "\(Int(perSecond / 1000)) kbit/s"
    }
}
