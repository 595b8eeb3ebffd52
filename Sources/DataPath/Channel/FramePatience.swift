/// How long a source may show no picture before it counts as stalled, where that is its own and not its channel's.
package struct FramePatience: Sendable, Hashable {
    /// Nanoseconds until the first.
    let first: Int64
    /// Nanoseconds from one to the next.
    let next: Int64

    /// - Parameters:
    ///   - first: From the moment that it is attached.
    ///   - next: From one picture to the next.
    package init(first: Duration, next: Duration) {
        self.first = Int64(first / .nanoseconds(1))
        self.next = Int64(next / .nanoseconds(1))
    }
}
