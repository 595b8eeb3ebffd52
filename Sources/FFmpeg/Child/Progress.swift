/// One block of FFmpeg's `-progress` figures. A figure is `nil` where FFmpeg says `N/A` or nonsense.
public struct Progress: Sendable, Hashable {
    /// Frames that have come out so far.
    public var frame: Int?
    public var fps: Double?
    /// Bits/s, averaged over the whole run.
    public var bitrate: Double?
    /// Bytes written.
    public var totalSize: Int64?
    /// The newest output timestamp in microseconds. Not an age: it keeps the source's timeline.
    public var outTime: Int64?
    public var duplicated: Int?
    public var dropped: Int?
    /// Media seconds per second.
    public var speed: Double?
    /// The last block before the exit.
    public var isLast = false

    public init() {}
}
