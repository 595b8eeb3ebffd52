import CLinux
import EventLoop
import Glibc
import MPEGTS
import SystemPackage

/// Sends a feed to all clients of a port on the loopback address. Read-only.
final class Tap: EventLoop.Handler {
    let port: Int
    private let descriptor: CInt
    private let hub: FeedHub
    private let loop: EventLoop
    private var senders: [FeedSender] = []
    /// Until when no client is accepted, in nanoseconds of the monotonic clock; `nil` while clients are accepted.
    private var pausedUntil: Int64?

    /// Most connections at one time. A further one is closed at once.
    static let mostConnections = 16
    /// Nanoseconds after which a client is dropped that takes nothing although bytes wait.
    private let patience: Int64
    /// Nanoseconds for which no client is accepted after the system had no descriptor for one.
    private static let pause: Int64 = 1_000_000_000

    /// - Parameter port: The preferred port. When it is not free, the tap takes the next free one.
    init(hub: FeedHub, port preferred: Int, loop: EventLoop, patience: Int64) throws(DescriptorError) {
        self.patience = patience
        self.hub = hub
        self.loop = loop
        var candidate = preferred
        while true {
            do {
                (descriptor, port) = try listenOnLoopback(port: candidate)
                break
            } catch  where error.code == .addressInUse && candidate < preferred + 100 {
                candidate += 1
            }
        }
        _ = loop.add(descriptor, events: EPOLLIN.rawValue, handler: self)
    }

    func ready(_ events: UInt32) {
        let client = accept4(descriptor, nil, nil, CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue))
        guard client >= 0 else {
            // The waiting client would wake the loop again at once, forever.
            if [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) { rest() }
            return
        }
        let sender = FeedSender(client, reader: hub.feed.makeReader(), hub: hub, loop: loop) { [weak self] sender, _ in
            self?.senders.removeAll { $0 === sender }
        }
        guard let sender, senders.count < Self.mostConnections else {
            if sender == nil { Glibc.close(client) }
            sender?.close()
            return
        }
        senders.append(sender)
        sender.flush()
    }

    private func rest() {
        loop.remove(descriptor)
        let until = EventLoop.now() + Self.pause
        pausedUntil = until
        loop.arm(for: until)
    }

    /// Accepts clients again after a pause, and drops those that take nothing; returns when to look again.
    func runTimers(now: Int64) -> Int64 {
        if let until = pausedUntil, now >= until {
            pausedUntil = nil
            if !loop.add(descriptor, events: EPOLLIN.rawValue, handler: self) { rest() }
        }
        for sender in senders where sender.isStuck(since: now - patience + 1) { sender.abort() }
        senders.removeAll(where: \.isClosed)
        let stuck = senders.filter(\.isBlocked).map { $0.movedAt + patience }.min() ?? .max
        return min(stuck, pausedUntil ?? .max)
    }

    func close() {
        loop.remove(descriptor)
        Glibc.close(descriptor)
        for sender in senders { sender.close() }
        senders = []
    }
}
