/// One target of a group.
package struct TargetSnapshot: Sendable, Hashable, Codable {
    package enum State: String, Sendable, Hashable, Codable, CaseIterable {
        case connecting
        case live
        /// It is live and receives only a part of the stream. The metrics call this state `live`.
        case degraded
        /// It is not connected. The service reconnects after a pause.
        case waiting
        /// The server rejected the stream.
        case refused
        case stopped
    }

    package var name: String
    package var state: State
    package var isWanted: Bool
    /// Bytes that were sent to its publishers.
    package var bytes: Int
    /// How often it was connected.
    package var connects: Int
    /// How often its publisher fell behind and jumped to the newest keyframe.
    package var skips: Int
    /// Seconds of stream that these skips left out.
    package var skippedSeconds: Double
    /// The share of the stream that reaches a degraded target, from 0 to less than 1; `nil` if the whole stream does.
    package var share: Double?
    /// Seconds since it was connected; 0 while it is not connected.
    package var uptime: Double
    /// Why the target is not live, or does not stay live; `nil` without trouble, or before the first attempt.
    package var trouble: String?
    /// The last ends of its publishers, oldest first.
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

    /// Whether it is connected, even if only a part of the stream reaches it.
    package var isConnected: Bool { state == .live || state == .degraded }

    /// The share in whole percent, rounded down: a degraded target is never at 100.
    package var sharePercent: Int? { share.map { Int(max(0, min(0.99, $0)) * 100 + 1e-6) } }
}
