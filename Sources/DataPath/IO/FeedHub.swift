import EventLoop
import MPEGTS

/// A feed and the outlets that read it.
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

    /// Pictures of the feed when it was last looked at, and when they came, in nanoseconds of the monotonic clock.
    private var seenPictures = 0
    private var lastPictureAt = Int64.min
    /// When pictures last came after a time in which there were none, on the same clock.
    private(set) var picturesResumedAt = Int64.min

    /// Nanoseconds without a picture that count as a time in which there were none.
    private static let idleTime: Int64 = 1_000_000_000

    private func notePictures(now: Int64) {
        guard feed.frames != seenPictures else { return }
        if lastPictureAt == .min || now - lastPictureAt >= Self.idleTime { picturesResumedAt = now }
        (seenPictures, lastPictureAt) = (feed.frames, now)
    }

    /// When what was held back goes out at the latest, in nanoseconds of the monotonic clock.
    private var flushBy = Int64.max

    /// Nanoseconds that units wait for a picture behind them.
    static let patience: Int64 = 250_000_000

    /// New units are in the feed.
    ///
    /// Waking the readers is most of what the data path costs. So sound waits for the picture behind it, and a picture
    /// for the next one where a reader was served less than its pace ago.
    func mayFlush(sawVideo: Bool) {
        let now = EventLoop.now()
        notePictures(now: now)
        if !sawVideo || !flush(dueAt: now), flushBy == .max {
            flushBy = now + Self.patience
            loop.arm(for: flushBy)
        }
    }

    /// When readers are served next, in nanoseconds of the monotonic clock; 0 where one takes what comes as it comes.
    var nextTurn: Int64 {
        guard !senders.isEmpty, senders.allSatisfy({ $0.pace > 0 }) else { return 0 }
        return senders.reduce(0) { $1.isBlocked ? $0 : max($0, $1.nextTurn) }
    }

    /// Writes what waited long enough; returns when to look again.
    func flushIfDue(now: Int64) -> Int64 {
        if now >= flushBy { flush(dueAt: .max) }
        return flushBy
    }

    /// Writes what is new to every outlet that can take it and whose turn it is.
    ///
    /// - Returns: Whether it was everybody's turn.
    @discardableResult
    private func flush(dueAt now: Int64) -> Bool {
        flushBy = .max
        var isEverybody = true
        var index = 0
        while index < senders.count {
            let sender = senders[index]
            if sender.isDue(at: now) { sender.flush() } else { isEverybody = false }
            // An outlet that failed takes itself off the list.
            if index < senders.count, senders[index] === sender { index += 1 }
        }
        return isEverybody
    }
}
