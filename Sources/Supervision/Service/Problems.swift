import FFmpeg
import Status

/// Finds the problems that an operator should act on in a snapshot. Each sentence says what happened and what to do.
enum Problems {
    static func found(in gpus: [GPUSnapshot]) -> [Problem] {
        gpus.compactMap { gpu in
            // A GPU that no group would use is not a problem.
            guard let trouble = gpu.trouble else { return nil }
            let subject = "gpu \(gpu.slot)"
            return switch gpu.state {
            case .gone:
                Problem(
                    .gpuGone, subject: subject, sentence: "\(trouble); check its slot and power, or restart the box"
                )
            case .quarantined:
                Problem(
                    .gpuQuarantined, subject: subject,
                    sentence: "\(trouble); it is retried automatically, and used again once it works"
                )
            case .ready: Problem(.gpuPermission, subject: subject, sentence: trouble)
            }
        }
    }

    /// - Parameter ffmpeg: FFmpeg's version.
    static func found(in channel: ChannelSnapshot, ffmpeg: String) -> [Problem] {
        var problems: [Problem] = []
        if !channel.sources.contains(where: { $0.isOnAir && $0.id != "slate" }) {
            problems.append(
                Problem(.noSource, subject: "channel \(channel.name)", sentence: whyNoSource(in: channel)))
        }
        for refused in channel.sources.compactMap(\.refused) {
            problems.append(refusedOption(refused, ffmpeg, "the slate of \(channel.name)"))
        }
        for source in channel.sources {
            let subject = "source \(source.id) of \(channel.name)"
            problems +=
                source.state == .live
                ? found(in: source, subject)
                : refusedOption(in: source.history, ffmpeg, subject).map { [$0] } ?? found(in: source, subject)
        }
        for group in channel.groups {
            let subject = "group \(group.name)"
            problems +=
                group.state == .stalled
                ? refusedOption(in: group.history, ffmpeg, subject).map { [$0] } ?? found(in: group, subject)
                : found(in: group, subject)
            for target in group.targets where target.state != .stopped {
                let subject = "target \(target.name)"
                let refused = target.isConnected ? nil : refusedOption(in: target.history, ffmpeg, subject)
                problems += refused.map { [$0] } ?? found(in: target, subject)
            }
        }
        return problems
    }

    /// Says why only the slate is on air.
    private static func whyNoSource(in channel: ChannelSnapshot) -> String {
        if let source = channel.sources.first(where: { $0.state == .stalled }) {
            return "no source delivers: \(stall(of: source.id))"
        }
        let listeners = channel.sources.filter { $0.id.hasPrefix("rtmp-") || $0.id.hasPrefix("srt-") }
        if let source = listeners.first(where: { $0.state == .connecting }) {
            return
                "no source delivers: an encoder is connected to \(source.id), but no video has arrived yet; \(advice)"
        }
        let unreadable = FailureCause.invalidData.rawValue
        if let source = listeners.first(where: { $0.state == .waiting && $0.history.last?.cause == unreadable }) {
            return "no source delivers: FFmpeg could not read the last stream sent to \(source.id); \(advice)"
        }
        if channel.sources.contains(where: { $0.trouble != nil }) {
            return "no source delivers; see the problems of its sources"
        }
        return "no source delivers; check the cable, the encoder that pushes to this box, or its network"
    }

    private static let advice = "check the settings of the encoder that sends it"

    /// Says what to check if a source has delivered, or its sender is connected, and no video arrives.
    private static func stall(of source: String) -> String {
        switch source.prefix(while: { $0 != "-" }) {
        case "rtmp", "srt": "an encoder sends to \(source), but no video arrives; \(advice)"
        case "pull": "\(source) is connected, but no video arrives; check the camera or server that it is fetched from"
        case "raw": "no frames arrive from \(source); check the program that writes them"
        case "capture": "no frames arrive from \(source); check its cable and the device behind it"
        default: "no video arrives from \(source); see the log"
        }
    }

    /// A problem if the last process ended because FFmpeg refused its command line: the next one will end in the same
    /// way.
    private static func refusedOption(in history: [EndSnapshot], _ ffmpeg: String, _ subject: String) -> Problem? {
        history.last?.refused.map { refusedOption($0, ffmpeg, subject) }
    }

    private static func refusedOption(_ refused: String, _ ffmpeg: String, _ subject: String) -> Problem {
        let sentence = RefusedRole.sentence(refused, ffmpeg: ffmpeg) + RefusedRole.advice(on: refused)
        return Problem(.ffmpegUnsupported, subject: subject, sentence: sentence)
    }

    private static func found(in source: SourceSnapshot, _ subject: String) -> [Problem] {
        switch source.state {
        case .absent:
            return [
                Problem(.sourceAbsent, subject: subject, sentence: source.trouble ?? "it is not plugged in; plug it in")
            ]
        case .failed:
            return [
                Problem(
                    .sourceFailed, subject: subject,
                    sentence: source.trouble ?? "it cannot run as configured; see the log")
            ]
        case .waiting, .connecting, .live, .stalled:
            return source.trouble.map { [Problem(.sourceFailed, subject: subject, sentence: $0)] } ?? []
        }
    }

    private static func found(in group: GroupSnapshot, _ subject: String) -> [Problem] {
        switch group.state {
        case .stalled where group.encoder == "none":
            return [Problem(kind(of: group, or: .noEncoder), subject: subject, sentence: group.why)]
        case .stalled:
            return [Problem(.groupStalled, subject: subject, sentence: stall(of: group))]
        case .degraded:
            return [Problem(kind(of: group, or: .groupDegraded), subject: subject, sentence: group.why)]
        case .starting, .live, .stopped:
            return []
        }
    }

    /// FFmpeg refuses the options of an encoder that the group should have. The encoder's device is healthy.
    private static func kind(of group: GroupSnapshot, or kind: Problem.Kind) -> Problem.Kind {
        group.ffmpegRefuses == true ? .ffmpegUnsupported : kind
    }

    private static func stall(of group: GroupSnapshot) -> String {
        guard let end = group.history.last, end.cause != nil else {
            return "no frame goes out; check whether its sources deliver, and see the log"
        }
        let last = end.lastLines.last.map { ", saying: \($0)" } ?? ""
        return
            """
            its encoder \(group.encoder) keeps ending (\(end.status)\(last)); it is retried indefinitely; choose \
            another with `encoder:`, or change the group's settings
            """
    }

    private static func found(in target: TargetSnapshot, _ subject: String) -> [Problem] {
        switch target.state {
        case .refused:
            let sentence = target.trouble ?? "the server rejected the stream; check the stream key"
            return [Problem(.targetRefused, subject: subject, sentence: sentence)]
        case .waiting, .connecting, .live, .degraded:
            let down = target.trouble.map { Problem(.targetDown, subject: subject, sentence: $0) }
            // It remains while the target reconnects: the measurement continues.
            let slow = target.sharePercent.map { Problem(.targetSlow, subject: subject, sentence: slowness($0)) }
            return [down, slow].compactMap(\.self)
        case .stopped:
            return []
        }
    }

    private static func slowness(_ percent: Int) -> String {
        "\(percent) % of the stream reaches it, and the rest is skipped; "
            + "check the network to it, or the disk of a recording, or lower the group's bitrate"
    }
}
