import MPEGTS

/// Watches whether a publisher takes all of its input.
final class Publisher {
    let sender: FeedSender
    private let feed: Feed
    private var delivery = DeliveryWatch()
    private let report: @Sendable (PublisherEvent) -> Void
    private var isStalled = false

    /// Nanoseconds that a publisher may leave its input unread. Less than what a feed keeps, so that a network that
    /// was slow for a moment loses nothing.
    static let patience: Int64 = 4_000_000_000

    /// Nanoseconds between two writes to a publisher: two frames at 30 a second. Platforms buffer seconds, and a
    /// publisher that is woken half as often costs the service half as much.
    static let pace: Int64 = 60_000_000

    /// Nanoseconds between two looks at a stalled publisher.
    private static let recoveryInterval: Int64 = 200_000_000

    init(sender: FeedSender, feed: Feed, report: @escaping @Sendable (PublisherEvent) -> Void) {
        self.sender = sender
        self.feed = feed
        self.report = report
    }

    /// Reports a change; returns when to look again.
    func runTimers(now: Int64) -> Int64 {
        let isStuck = sender.isStuck(since: now - Self.patience)
        if isStuck != isStalled {
            isStalled = isStuck
            report(isStuck ? .stalled : .recovered)
        }
        // A publisher that has ended takes nothing more, and does not count as slow.
        let look = sender.isClosed ? .max : lookAtDelivery(now: now)
        // No deadline shows that it takes its input again, so look for it.
        if isStuck { return min(now + Self.recoveryInterval, look) }
        return min(sender.isBlocked ? sender.movedAt + Self.patience : .max, look)
    }

    private func lookAtDelivery(now: Int64) -> Int64 {
        let reader = sender.reader
        let (change, next) = delivery.look(
            .init(
                fed: feed.frames, behind: reader.framesBehind, skipped: reader.skipped.frames,
                end: feed.newestVideoDTS), now: now)
        switch change {
        case .slow(let share): report(.slow(share: share))
        case .complete: report(.complete)
        case nil: break
        }
        return next
    }
}
