import TransportStream

/// A feed and the outlets that read it.
final class FeedHub {
    let feed: Feed
    private var outlets: [Outlet] = []

    private let loop: EventLoop

    init(limits: Feed.Limits, loop: EventLoop) {
        self.loop = loop
        feed = Feed(limits: limits)
    }

    func add(_ outlet: Outlet) { outlets.append(outlet) }

    func remove(_ outlet: Outlet) { outlets.removeAll { $0 === outlet } }

    /// When sound that waits for its picture goes out at the latest, in nanoseconds of the monotonic clock.
    private var flushBy = Int64.max

    /// Nanoseconds that sound waits for the next picture.
    static let patience: Int64 = 250_000_000

    /// New units are in the feed.
    ///
    /// Pictures go out at once. Sound waits for the picture behind it, so that each reader is woken once a picture and
    /// not three times: waking the readers is most of what the data path costs.
    func mayFlush(sawVideo: Bool) {
        if sawVideo {
            flush()
        } else if flushBy == .max {
            flushBy = EventLoop.now() + Self.patience
            loop.arm(for: flushBy)
        }
    }

    /// Writes what waited long enough; returns when to look again.
    func flushIfDue(now: Int64) -> Int64 {
        if now >= flushBy { flush() }
        return flushBy
    }

    /// Writes what is new to every outlet that can take it.
    func flush() {
        flushBy = .max
        var index = 0
        while index < outlets.count {
            let outlet = outlets[index]
            outlet.flush()
            // An outlet that failed takes itself off the list.
            if index < outlets.count, outlets[index] === outlet { index += 1 }
        }
    }
}
