import BoxConfiguration

/// The differences between two configurations, for the report of a reload.
struct ConfigurationChanges {
    /// One line for each change. Empty if there is none.
    private(set) var lines: [String] = []

    init(from old: BoxConfiguration, to new: BoxConfiguration) {
        compare(old.channels, new.channels, called: "channel", \.name) { changes, old, new in
            if old.sources != new.sources { changes.lines.append("sources of channel \(new.name) changed") }
            if old.slate != new.slate { changes.lines.append("slate of channel \(new.name) changed") }
            changes.compare(old.groups, new.groups, called: "group", \.name) { changes, old, new in
                if old.video != new.video || old.audio != new.audio {
                    changes.lines.append("group \(new.name) changed: handing over to a new encoder")
                }
                changes.compare(old.targets, new.targets, called: "target", \.name) { changes, old, new in
                    changes.lines.append("target \(new.name) changed: reconnecting")
                }
            }
        }
        let later: [(String, Bool)] = [
            ("ffmpeg", old.ffmpeg != new.ffmpeg), ("runtime", old.runtime != new.runtime),
            ("state", old.state != new.state),
        ]
        if old.status != new.status { lines.append("status changed") }
        for (key, differs) in later where differs {
            lines.append("\(key) changed: takes effect at the next start of the service")
        }
    }

    private mutating func compare<Part: Equatable>(
        _ old: [Part], _ new: [Part], called kind: String, _ name: (Part) -> String,
        changed: (inout Self, Part, Part) -> Void
    ) {
        for part in old where !new.contains(where: { name($0) == name(part) }) {
            lines.append("\(kind) \(name(part)) removed")
        }
        for part in new {
            guard let before = old.first(where: { name($0) == name(part) }) else {
                lines.append("\(kind) \(name(part)) added")
                continue
            }
            if before != part { changed(&self, before, part) }
        }
    }
}
