/// One block of FFmpeg's `-progress` figures. A figure is `nil` where FFmpeg says `N/A` or nonsense.
package struct Progress: Sendable, Hashable {
    /// Frames that have come out so far.
    package var frame: Int?
    package var fps: Double?
    /// Bits/s, averaged over the whole run.
    package var bitrate: Double?
    /// Bytes written.
    package var totalSize: Int64?
    /// The newest output timestamp in microseconds. Not an age: it keeps the source's timeline.
    package var outTime: Int64?
    package var duplicated: Int?
    package var dropped: Int?
    /// Media seconds per second.
    package var speed: Double?
    /// The last block before the exit.
    package var isLast = false

    package init() {}
}
