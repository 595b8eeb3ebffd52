/// One target of a group.
public struct TargetSnapshot: Sendable, Hashable, Codable {
    public enum State: String, Sendable, Hashable, Codable, CaseIterable {
        case connecting
        case live
        /// It is not connected, and is tried again after a pause.
        case waiting
        /// It answered and did not let us in.
        case refused
        case stopped
    }

    public var name: String
    public var state: State
    public var isWanted: Bool
    /// Bytes that its publishers were given.
    public var bytes: Int
    /// How often it was connected.
    public var connects: Int
    /// How often its publisher fell behind and jumped to the newest keyframe.
    public var skips: Int
    /// Seconds since it was connected; 0 while it is not.
    public var uptime: Double
    /// Why it is not live, or does not stay so; `nil` when all is well, or it was never tried.
    public var trouble: String?
    /// Its publishers' last ends, oldest first.
    public var history: [EndSnapshot]

    public init(
        name: String, state: State, isWanted: Bool = true, bytes: Int = 0, connects: Int = 0, skips: Int = 0, uptime: Double = 0,
        trouble: String? = nil, history: [EndSnapshot] = []
    ) {
        self.name = name
        self.state = state
        self.isWanted = isWanted
        self.bytes = bytes
        self.connects = connects
        self.skips = skips
        self.uptime = uptime
        self.trouble = trouble
        self.history = history
    }
}
