extension BoxSnapshot {
    /// The reasons why the box is not ready, one sentence each; empty if every wanted group is live or degraded.
    package var hindrances: [String] {
        channels.flatMap { channel in
            channel.groups.compactMap { group in
                guard group.isWanted, group.state != .live, group.state != .degraded else { return nil }
                return "group \(group.name) of channel \(channel.name) is \(group.state.rawValue)"
            }
        }
    }
}
