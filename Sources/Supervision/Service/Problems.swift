import FFmpeg
import Status

/// What an operator should act on, told from the snapshot: what happened, and what to do.
enum Problems {
    static func of(_ gpus: [GPUSnapshot]) -> [Problem] {
        gpus.compactMap { gpu in
            // What no group would use is nobody's problem.
            guard let trouble = gpu.trouble else { return nil }
            let subject = "gpu \(gpu.slot)"
            return switch gpu.state {
            case .gone:
                Problem(
                    .gpuGone, subject: subject, sentence: "\(trouble); check its seat and its power, or restart the box"
                )
            case .quarantined:
                Problem(
                    .gpuQuarantined, subject: subject, sentence: "\(trouble); it is tried again, and used when it works"
                )
            case .ready: Problem(.gpuPermission, subject: subject, sentence: trouble)
            }
        }
    }

    /// - Parameter ffmpeg: Its version.
    static func of(_ channel: ChannelSnapshot, ffmpeg: String) -> [Problem] {
        var problems: [Problem] = []
        if !channel.sources.contains(where: { $0.isOnAir && $0.id != "slate" }) {
            problems.append(
                Problem(.noSource, subject: "channel \(channel.name)", sentence: absence(of: channel)))
        }
        for refused in channel.sources.compactMap(\.refused) {
            problems.append(refusal(of: refused, ffmpeg, "the slate of \(channel.name)"))
        }
        for source in channel.sources {
            let subject = "source \(source.id) of \(channel.name)"
            problems +=
                source.state == .live
                ? of(source, subject) : refusal(source.history, ffmpeg, subject).map { [$0] } ?? of(source, subject)
        }
        for group in channel.groups {
            let subject = "group \(group.name)"
            problems +=
                group.state == .stalled
                ? refusal(group.history, ffmpeg, subject).map { [$0] } ?? of(group, subject) : of(group, subject)
            for target in group.targets where target.state != .stopped {
                let subject = "target \(target.name)"
                let refusal = target.isConnected ? nil : refusal(target.history, ffmpeg, subject)
                problems += refusal.map { [$0] } ?? of(target, subject)
            }
        }
        return problems
    }

    /// Why nothing is on air but the slate.
    private static func absence(of channel: ChannelSnapshot) -> String {
        if let source = channel.sources.first(where: { $0.state == .stalled }) {
            return "no source delivers: \(stall(of: source.id))"
        }
        let listeners = channel.sources.filter { $0.id.hasPrefix("rtmp-") || $0.id.hasPrefix("srt-") }
        if let source = listeners.first(where: { $0.state == .connecting }) {
            return "no source delivers: an encoder is connected to \(source.id), but no video has come yet; \(advice)"
        }
        let unreadable = FailureCause.invalidData.rawValue
        if let source = listeners.first(where: { $0.state == .waiting && $0.history.last?.cause == unreadable }) {
            return "no source delivers: what was sent to \(source.id) last could not be read; \(advice)"
        }
        if channel.sources.contains(where: { $0.trouble != nil }) {
            return "no source delivers; see what is said of its sources"
        }
        return "no source delivers; check the cable, the encoder that pushes to this box, or its network"
    }

    private static let advice = "check the settings of the encoder that sends it"

    /// What to look at where a source has delivered, or its sender is connected, and no video comes.
    private static func stall(of source: String) -> String {
        switch source.prefix(while: { $0 != "-" }) {
        case "rtmp", "srt": "an encoder sends to \(source), but no video comes of it; \(advice)"
        case "pull": "\(source) is connected, but no video comes; check the camera or server that it is fetched from"
        case "raw": "no frames come to \(source); check the program that writes them"
        case "capture": "no frames come from \(source); check its cable and the device behind it"
        default: "no video comes from \(source); see the log"
        }
    }

    /// The last process ended because FFmpeg refuses its command line: the next will, too.
    private static func refusal(_ history: [EndSnapshot], _ ffmpeg: String, _ subject: String) -> Problem? {
        history.last?.refused.map { refusal(of: $0, ffmpeg, subject) }
    }

    private static func refusal(of refused: String, _ ffmpeg: String, _ subject: String) -> Problem {
        let sentence = RefusedRole.sentence(refused, ffmpeg: ffmpeg) + RefusedRole.advice(on: refused)
        return Problem(.ffmpegUnsupported, subject: subject, sentence: sentence)
    }

    private static func of(_ source: SourceSnapshot, _ subject: String) -> [Problem] {
        switch source.state {
        case .absent:
            return [Problem(.sourceAbsent, subject: subject, sentence: source.trouble ?? "it is not plugged in")]
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

    private static func of(_ group: GroupSnapshot, _ subject: String) -> [Problem] {
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

    /// FFmpeg refuses the options of an encoder that the group should have: the encoder's device is well.
    private static func kind(of group: GroupSnapshot, or kind: Problem.Kind) -> Problem.Kind {
        group.ffmpegRefuses == true ? .ffmpegUnsupported : kind
    }

    private static func stall(of group: GroupSnapshot) -> String {
        guard let end = group.history.last, end.cause != nil else {
            return "no picture goes out; see whether its sources deliver, and the log"
        }
        let last = end.lastLines.last.map { ", saying: \($0)" } ?? ""
        return
            """
            its encoder \(group.encoder) ends again and again (\(end.status)\(last)); it is tried for ever; choose \
            another with `encoder:`, or change what is asked of it
            """
    }

    private static func of(_ target: TargetSnapshot, _ subject: String) -> [Problem] {
        switch target.state {
        case .refused:
            let sentence = target.trouble ?? "it did not let us in; check the stream key"
            return [Problem(.targetRefused, subject: subject, sentence: sentence)]
        case .waiting, .connecting, .live, .degraded:
            let down = target.trouble.map { Problem(.targetDown, subject: subject, sentence: $0) }
            // It stays while the target is connected again: it is measured on.
            let slow = target.sharePercent.map { Problem(.targetSlow, subject: subject, sentence: slowness($0)) }
            return [down, slow].compactMap(\.self)
        case .stopped:
            return []
        }
    }

    private static func slowness(_ percent: Int) -> String {
        "\(percent) % of the stream reaches it, and the rest is skipped; "
            + "check the line to it, or for a recording its disk, or lower the group's bitrate"
    }
}
