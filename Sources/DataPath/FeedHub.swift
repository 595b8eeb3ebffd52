import TransportStream

/// A feed and the outlets that read it.
final class FeedHub {
    let feed: Feed
    private var outlets: [Outlet] = []

    init(limits: Feed.Limits) {
        feed = Feed(limits: limits)
    }

    func add(_ outlet: Outlet) { outlets.append(outlet) }

    func remove(_ outlet: Outlet) { outlets.removeAll { $0 === outlet } }

    /// Writes what is new to every outlet that can take it.
    func flush() {
        var index = 0
        while index < outlets.count {
            let outlet = outlets[index]
            outlet.flush()
            // An outlet that failed takes itself off the list.
            if index < outlets.count, outlets[index] === outlet { index += 1 }
        }
    }

    var readers: [FeedReader] { outlets.map(\.reader) }
}
