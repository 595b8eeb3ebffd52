/// One target of a group.
package struct TargetSnapshot: Sendable, Hashable, Codable {
    package enum State: String, Sendable, Hashable, Codable, CaseIterable {
        case connecting
        case live
        /// It is live and takes less than it is sent; `live` in the metrics.
        case degraded
        /// It is not connected, and is tried again after a pause.
        case waiting
        /// It answered and did not let us in.
        case refused
        case stopped
    }

    package var name: String
    package var state: State
    package var isWanted: Bool
    /// Bytes that its publishers were given.
    package var bytes: Int
    /// How often it was connected.
    package var connects: Int
    /// How often its publisher fell behind and jumped to the newest keyframe.
    package var skips: Int
    /// Seconds of stream that those jumps passed over.
    package var skippedSeconds: Double
    /// How much of the stream reaches it while it takes less than it is sent, from 0 to less than 1; `nil` while all
    /// does.
    package var share: Double?
    /// Seconds since it was connected; 0 while it is not.
    package var uptime: Double
    /// Why it is not live, or does not stay so; `nil` when all is well, or it was never tried.
    package var trouble: String?
    /// Its publishers' last ends, oldest first.
    package var history: [EndSnapshot]

    package init(
        name: String, state: State, isWanted: Bool = true, bytes: Int = 0, connects: Int = 0, skips: Int = 0,
        skippedSeconds: Double = 0, share: Double? = nil, uptime: Double = 0, trouble: String? = nil,
        history: [EndSnapshot] = []
    ) {
        self.name = name
        self.state = state
        self.isWanted = isWanted
        self.bytes = bytes
        self.connects = connects
        self.skips = skips
        self.skippedSeconds = skippedSeconds
        self.share = share
        self.uptime = uptime
        self.trouble = trouble
        self.history = history
    }

    /// It is connected, whether or not everything reaches it.
    package var isConnected: Bool { state == .live || state == .degraded }

    /// The share in whole percent, rounded down: a target that lacks something is not at a hundred.
    package var sharePercent: Int? { share.map { Int(max(0, min(0.99, $0)) * 100 + 1e-6) } }
}
