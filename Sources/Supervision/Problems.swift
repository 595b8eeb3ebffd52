import Status

/// What an operator should act on, told from the snapshot: what happened, and what to do.
enum Problems {
    static func of(_ gpus: [GPUSnapshot]) -> [Problem] {
        gpus.compactMap { gpu in
            // What no group would use is nobody's problem.
            guard let trouble = gpu.trouble else { return nil }
            let subject = "gpu \(gpu.slot)"
            return switch gpu.state {
            case .gone: Problem("gpu-gone", subject: subject, sentence: "\(trouble); check its seat and its power, or restart the box")
            case .quarantined: Problem("gpu-quarantined", subject: subject, sentence: "\(trouble); it is tried again, and used when it works")
            case .ready: Problem("gpu-permission", subject: subject, sentence: trouble)
            }
        }
    }

    static func of(_ channel: ChannelSnapshot) -> [Problem] {
        var problems: [Problem] = []
        if !channel.sources.contains(where: { $0.isOnAir && $0.id != "slate" }) {
            problems.append(
                Problem("no-source", subject: "channel \(channel.name)", sentence: "no source delivers; check the cable, the encoder that pushes to this box, or its network"))
        }
        for source in channel.sources where source.state == .absent {
            problems.append(Problem("source-absent", subject: "source \(source.id) of \(channel.name)", sentence: source.trouble ?? "it is not plugged in"))
        }
        for source in channel.sources where source.state == .failed || (source.state != .absent && source.trouble != nil) {
            problems.append(
                Problem("source-failed", subject: "source \(source.id) of \(channel.name)", sentence: source.trouble ?? source.history.last?.lastLines.last ?? "it cannot run as configured; see the log"))
        }
        for group in channel.groups {
            if group.state == .stalled, group.encoder == "none" {
                problems.append(Problem("no-encoder", subject: "group \(group.name)", sentence: group.why))
            }
            if group.state == .degraded {
                problems.append(Problem("group-degraded", subject: "group \(group.name)", sentence: group.why))
            }
            for target in group.targets {
                switch target.state {
                case .refused:
                    problems.append(
                        Problem("target-refused", subject: "target \(target.name)", sentence: target.trouble ?? "it did not let us in: check the stream key"))
                case .waiting where target.trouble != nil:
                    problems.append(Problem("target-down", subject: "target \(target.name)", sentence: target.trouble ?? ""))
                case .waiting, .connecting, .live, .stopped:
                    break
                }
            }
        }
        return problems
    }
}
