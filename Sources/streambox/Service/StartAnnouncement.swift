import BoxConfiguration
import Supervision

/// The text that the service prints when it starts in a terminal: where to send streams, and where to watch them.
struct StartAnnouncement {
    let loaded: LoadedConfiguration
    /// The path given with `--config`. `nil` without that option.
    let requestedPath: String?
    let taps: [Supervisor.OpenTap]
    let paths: ServicePaths

    var text: String {
        var lines = loaded.configuration.channels.flatMap { inputs(of: $0) + recordings(of: $0) }
        if let listen = loaded.configuration.status.listen {
            lines.append("status     http://\(listen)/api/status   /metrics /healthz /readyz /api/events")
        }
        for tap in taps { lines.append("watch      ffplay \(tap.url)   (\(tap.name))") }
        lines.append("look       streambox status\(statusOption)")
        return "streambox \(Streambox.version), \(loaded.name)\n" + lines.map { "  \($0)\n" }.joined()
            + "  stop       Ctrl-C\n"
    }

    private func inputs(of channel: ChannelConfiguration) -> [String] {
        channel.sources.compactMap { source in
            switch source.kind {
            case .rtmp(let rtmp): "push to    rtmp://\(rtmp.listen)/\(rtmp.app)/\(loaded.isDemo ? "demo" : "KEY")"
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

    /// The option with which `streambox status` finds this service. Only a temporary runtime folder has to be named: a
    /// command finds any other through the configuration.
    private var statusOption: String {
        if paths.isTemporary { return " --runtime \(paths.runtime)" }
        return requestedPath.map { " --config \($0)" } ?? ""
    }
}
