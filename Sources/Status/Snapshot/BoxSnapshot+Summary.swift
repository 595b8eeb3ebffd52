extension BoxSnapshot {
    /// Whether viewers get something: a group delivers, or a slate is on air.
    package var isOnAir: Bool {
        channels.contains { channel in
            channel.groups.contains { $0.isDelivering } || channel.sources.contains { $0.isOnAir && $0.id == "slate" }
        }
    }

    /// Whether every wanted group delivers.
    package var isWhole: Bool { channels.allSatisfy { $0.groups.allSatisfy { !$0.isWanted || $0.isDelivering } } }

    /// The state of the service in one line for a person: the sources on air, the groups and targets that deliver, and
    /// the first problem.
    package var summary: String {
        let shown = channels.map { channel in
            "\(channel.name) \(channel.sources.first { $0.isOnAir }.map { "shows \($0.id)" } ?? "is not on air yet")"
        }
        let groups = channels.flatMap(\.groups).filter(\.isWanted)
        let targets = groups.flatMap(\.targets).filter(\.isWanted)
        var parts = [shown.joined(separator: ", ")]
        if !groups.isEmpty { parts.append("groups \(groups.count { $0.isDelivering }) of \(groups.count) live") }
        if !targets.isEmpty { parts.append("targets \(targets.count { $0.isConnected }) of \(targets.count) live") }
        var text = parts.joined(separator: "; ")
        if let problem = problems.first {
            text += problems.count == 1 ? ". Problem: " : ". \(problems.count) problems, the first: "
            text += problem.sentence
        }
        return text
    }
}

extension GroupSnapshot {
    fileprivate var isDelivering: Bool { state == .live || state == .degraded }
}
