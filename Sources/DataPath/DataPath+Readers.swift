import EventLoop
import MPEGTS
package import SystemPackage

// The readers of feeds: taps and publishers.
extension DataPath {
    /// Opens a read-only tap of a feed on the loopback address.
    ///
    /// - Parameter port: The preferred port. When it is not free, the tap takes one of the next hundred.
    /// - Returns: The port.
    /// - Throws: ``DescriptorError`` when none of them is free, or ``UnknownFeed``.
    package func openTap(on feed: FeedName, port: Int) throws -> Int {
        let tap = try Tap(hub: try hub(feed), port: port, loop: loop, patience: tapPatience)
        taps[feed] = tap
        return tap.port
    }

    /// Closes a tap and its clients' connections. Does nothing where there is none.
    package func closeTap(on feed: FeedName) {
        taps.removeValue(forKey: feed)?.close()
    }

    /// Makes the pipe for a publisher. It reads a feed from its newest keyframe on.
    ///
    /// - Parameter isPaced: Several frames are written at a time, which costs less. Pass false for a target that sends
    ///   each frame on as it comes and does not even them out, such as SRT. Such a target makes a datagram of each
    ///   read, so it gets whole packets.
    /// - Returns: The end for the publisher's standard input, owned by the caller.
    /// - Throws: ``DescriptorError``, or ``UnknownFeed`` where there is no such feed.
    package func attachPublisher(
        to feed: FeedName, isPaced: Bool = true, report: @escaping @Sendable (PublisherEvent) -> Void
    ) throws -> (Attachment, FileDescriptor) {
        let hub = try hub(feed)
        let pipe = try Pipe()
        let sender = FeedSender(
            pipe.writing, reader: hub.feed.makeReader(), hub: hub, loop: loop, pace: isPaced ? Publisher.pace : 0,
            keepsPackets: !isPaced
        ) { _, _ in report(.ended) }
        guard let sender else {
            let error = DescriptorError.last("watch a pipe")
            pipe.close()
            throw error
        }
        let attachment = attach(.publisher(Publisher(sender: sender, feed: hub.feed, report: report)))
        loop.arm(for: DeliveryWatch.next(after: EventLoop.now()))
        sender.flush()
        return (attachment, FileDescriptor(rawValue: pipe.reading))
    }
}
