/// Compares two snapshots and lists the events between them.
package enum StatusEvents {
    /// - Parameter before: `nil` for a new listener, which gets every state and every problem.
    /// - Returns: The changes in the order of the snapshot, then the figures of every group.
    package static func between(_ before: BoxSnapshot?, _ now: BoxSnapshot) -> [StatusEvent] {
        states(before.map(parts) ?? [], parts(now), knowsPast: before != nil)
            + problems(before?.problems ?? [], now.problems) + stats(now)
    }

    /// A part of the service with a state and with processes that end.
    private struct Part {
        var subject: StatusEvent.Subject
        var state: String
        var history: [EndSnapshot]
    }

    private static func parts(_ box: BoxSnapshot) -> [Part] {
        var parts: [Part] = []
        for channel in box.channels {
            for source in channel.sources {
                parts.append(
                    Part(
                        subject: .init(channel: channel.name, source: source.id), state: source.state.rawValue,
                        history: source.history))
            }
            for group in channel.groups {
                parts.append(
                    Part(
                        subject: .init(channel: channel.name, group: group.name), state: group.state.rawValue,
                        history: group.history))
                for target in group.targets {
                    parts.append(
                        Part(
                            subject: .init(channel: channel.name, group: group.name, target: target.name),
                            state: target.state.rawValue,
                            history: target.history))
                }
            }
        }
        return parts
    }

    private static func states(_ before: [Part], _ now: [Part], knowsPast: Bool) -> [StatusEvent] {
        var former = Dictionary(before.map { ($0.subject, $0) }, uniquingKeysWith: { first, _ in first })
        var events: [StatusEvent] = []
        for part in now {
            let old = former.removeValue(forKey: part.subject)
            if knowsPast {
                let known = old?.history ?? []
                for end in part.history where !known.contains(end) {
                    events.append(
                        .ended(.init(of: part.subject, status: end.status, cause: end.cause, lastLines: end.lastLines)))
                }
            }
            if old?.state != part.state {
                events.append(.state(.init(of: part.subject, before: old?.state, now: part.state)))
            }
        }
        for part in before where former[part.subject] != nil {
            events.append(.state(.init(of: part.subject, before: part.state, now: nil)))
        }
        return events
    }

    private static func problems(_ before: [Problem], _ now: [Problem]) -> [StatusEvent] {
        func event(_ problem: Problem, _ isActive: Bool) -> StatusEvent {
            .problem(
                .init(
                    problem: problem.problem, subject: problem.subject, sentence: problem.sentence, isActive: isActive))
        }
        let gone = before.filter { old in !now.contains { ($0.problem, $0.subject) == (old.problem, old.subject) } }
        return gone.map { event($0, false) } + now.filter { !before.contains($0) }.map { event($0, true) }
    }

    private static func stats(_ box: BoxSnapshot) -> [StatusEvent] {
        box.channels.flatMap { channel in
            channel.groups.map { group in
                .stats(
                    .init(
                        channel: channel.name, group: group.name, fps: group.fps, bitrate: group.bitsPerSecond,
                        droppedFrames: group.droppedFrames, uptime: group.uptime))
            }
        }
    }
}
