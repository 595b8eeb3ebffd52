import BoxConfiguration
import Supervision

/// The text that a start prints for a person at a terminal: where to send streams, and where to look.
struct StartAnnouncement {
    let file: LoadedConfiguration
    /// The file asked for with `--config`.
    let path: String?
    let taps: [Supervisor.OpenTap]
    let paths: ServicePaths

    var text: String {
        var lines = file.configuration.channels.flatMap { inputs(of: $0) + recordings(of: $0) }
        if let listen = file.configuration.status.listen {
            lines.append("status     http://\(listen)/api/status   /metrics /healthz /readyz /api/events")
        }
        for tap in taps { lines.append("watch      ffplay \(tap.url)   (\(tap.name))") }
        lines.append("look       streambox status\(statusOption)")
        return "streambox \(Streambox.version), \(file.name)\n" + lines.map { "  \($0)\n" }.joined()
            + "  stop       Ctrl-C\n"
    }

    private func inputs(of channel: ChannelConfiguration) -> [String] {
        channel.sources.compactMap { source in
            switch source.kind {
            case .rtmp(let rtmp): "push to    rtmp://\(rtmp.listen)/\(rtmp.app)/\(file.isDemo ? "demo" : "KEY")"
            case .srt(let srt): "push to    srt://\(srt.listen)"
            default: nil
            }
        }
    }

    private func recordings(of channel: ChannelConfiguration) -> [String] {
        channel.groups.flatMap(\.targets).compactMap { target in
            guard case .record(let record) = target.destination else { return nil }
            return "recording  \(record.folder)/\(target.name)-….ts"
        }
    }

    /// A command finds by itself a runtime folder that is not temporary.
    private var statusOption: String {
        if paths.isTemporary { return " --runtime \(paths.runtime)" }
        return path.map { " --config \($0)" } ?? ""
    }
}
