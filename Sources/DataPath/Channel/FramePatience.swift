import EventLoop

/// The patience of one source: how long it may deliver no video frame before it counts as stalled. It replaces the
/// channel's patience.
package struct FramePatience: Sendable, Hashable {
    /// Nanoseconds until the first frame.
    let first: Int64
    /// Nanoseconds between two frames.
    let next: Int64

    /// - Parameters:
    ///   - first: From the moment at which the source is attached to its first frame.
    ///   - next: From one frame to the next.
    package init(first: Duration, next: Duration) {
        self.first = first.wholeNanoseconds
        self.next = next.wholeNanoseconds
    }
}
