import EventLoop
import MPEGTS

/// A feed and the senders that read it.
final class FeedHub {
    let feed: Feed
    private var senders: [FeedSender] = []

    private let loop: EventLoop

    init(limits: Feed.Limits, loop: EventLoop) {
        self.loop = loop
        feed = Feed(limits: limits)
        feed.isReturned = { [weak self] in self?.senders.allSatisfy(\.isEmpty) ?? false }
    }

    func add(_ sender: FeedSender) { senders.append(sender) }

    func remove(_ sender: FeedSender) { senders.removeAll { $0 === sender } }

    /// Frames of the feed at the last look.
    private var seenFrames = 0
    /// When the last frames came, in nanoseconds of the monotonic clock.
    private var lastFrameAt = Int64.min
    /// When frames last came after a pause, on the same clock.
    private(set) var framesResumedAt = Int64.min

    /// Nanoseconds without a frame that count as a pause.
    private static let idleTime: Int64 = 1_000_000_000

    private func noteFrames(now: Int64) {
        guard feed.frames != seenFrames else { return }
        if lastFrameAt == .min || now - lastFrameAt >= Self.idleTime { framesResumedAt = now }
        (seenFrames, lastFrameAt) = (feed.frames, now)
    }

    /// When held-back units go out at the latest, in nanoseconds of the monotonic clock.
    private var flushBy = Int64.max

    /// Nanoseconds that units wait for a frame behind them.
    static let patience: Int64 = 250_000_000

    /// Called when new units are in the feed.
    ///
    /// Waking the readers is most of the data path's cost. So audio waits for the video frame behind it, and a frame
    /// waits for the next one where a reader was served less than its pace ago.
    func mayFlush(sawVideo: Bool) {
        let now = EventLoop.now()
        noteFrames(now: now)
        if !sawVideo || !flush(dueAt: now), flushBy == .max {
            flushBy = now + Self.patience
            loop.arm(for: flushBy)
        }
    }

    /// When readers are served next, in nanoseconds of the monotonic clock; 0 where a reader gets each frame as it
    /// comes.
    var nextTurn: Int64 {
        guard !senders.isEmpty, senders.allSatisfy({ $0.pace > 0 }) else { return 0 }
        return senders.reduce(0) { $1.isBlocked ? $0 : max($0, $1.nextTurn) }
    }

    /// Writes the units that have waited long enough; returns when to look again.
    func flushIfDue(now: Int64) -> Int64 {
        if now >= flushBy { flush(dueAt: .max) }
        return flushBy
    }

    /// Writes new units to every sender that can take them and whose turn it is.
    ///
    /// - Returns: Whether it was the turn of all senders.
    @discardableResult
    private func flush(dueAt now: Int64) -> Bool {
        flushBy = .max
        var hasServedAll = true
        var index = 0
        while index < senders.count {
            let sender = senders[index]
            if sender.isDue(at: now) { sender.flush() } else { hasServedAll = false }
            // A sender that failed has removed itself from the list.
            if index < senders.count, senders[index] === sender { index += 1 }
        }
        return hasServedAll
    }
}
