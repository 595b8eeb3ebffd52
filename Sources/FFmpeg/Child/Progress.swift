/// One block of FFmpeg's `-progress` figures. A figure is `nil` if FFmpeg prints `N/A` or an invalid value.
package struct Progress: Sendable, Hashable {
    /// Frames written so far.
    package var frame: Int?
    package var fps: Double?
    /// Bits/s, averaged over the whole run.
    package var bitrate: Double?
    /// Bytes written.
    package var totalSize: Int64?
    /// The newest output timestamp in microseconds, on the source's timeline. It is not the elapsed time.
    package var outTime: Int64?
    package var duplicated: Int?
    package var dropped: Int?
    /// Seconds of media per second.
    package var speed: Double?
    /// Whether this is the last block before the exit.
    package var isLast = false

    package init() {}
}
