import MPEGTS

/// What the data path reports of a publisher.
package enum PublisherEvent: Sendable, Hashable {
    /// Its input waits, and it takes nothing.
    case stalled
    /// It takes its input again.
    case recovered
    /// It takes less than it is sent: so much of the stream reaches it, from 0 to less than 1. Reported again when that
    /// changes.
    case slow(share: Double)
    /// Everything has reached it for half a minute.
    case complete
    /// It closed its input, or the codecs changed; its pipe is closed.
    case ended
}

/// Watches whether a publisher takes its input, and all of it.
final class Publisher {
    private let sender: FeedSender
    private let feed: Feed
    private var delivery = DeliveryWatch()
    private let report: @Sendable (PublisherEvent) -> Void
    private var isStalled = false

    /// Nanoseconds that a publisher may leave its input waiting. Less than what a feed holds, so that a network that
    /// was slow for a moment costs nothing.
    static let patience: Int64 = 4_000_000_000

    /// Nanoseconds from one time that a publisher is served to the next: two pictures at 30 a second. Platforms hold
    /// seconds back; a publisher that is woken half as often costs the service half as much.
    static let pace: Int64 = 60_000_000

    /// Nanoseconds between two looks at a stalled one.
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
        // One that has ended takes nothing more, and that is no lack.
        let look = sender.isClosed ? .max : lookAtDelivery(now: now)
        // That it takes its input again is nobody's deadline, so it is looked for.
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
