import CLinux
import Glibc
import SystemPackage
import TransportStream

/// Gives a feed to whoever connects to a port on the loopback address. Read only.
final class Tap: EventLoop.Handler {
    let port: Int
    private let descriptor: CInt
    private let hub: FeedHub
    private let loop: EventLoop
    private var outlets: [Outlet] = []

    /// Connections at one time; one more is closed at once.
    static let mostConnections = 16

    /// - Parameter port: The port wanted; the next free one is taken when it is not free.
    init(hub: FeedHub, port wanted: Int, loop: EventLoop) throws(DescriptorError) {
        self.hub = hub
        self.loop = loop
        var candidate = wanted
        while true {
            do {
                (descriptor, port) = try listenOnLoopback(port: candidate)
                break
            } catch where error.code == .addressInUse && candidate < wanted + 100 {
                candidate += 1
            }
        }
        _ = loop.add(descriptor, events: EPOLLIN.rawValue, handler: self)
    }

    func ready(_ events: UInt32) {
        let client = accept4(descriptor, nil, nil, CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue))
        guard client >= 0 else { return }
        let outlet = Outlet(client, reader: hub.feed.makeReader(), hub: hub, loop: loop) { [weak self] outlet, _ in
            self?.outlets.removeAll { $0 === outlet }
        }
        guard let outlet, outlets.count < Self.mostConnections else {
            if outlet == nil { Glibc.close(client) }
            outlet?.close()
            return
        }
        outlets.append(outlet)
        outlet.flush()
    }

    func close() {
        loop.remove(descriptor)
        Glibc.close(descriptor)
        for outlet in outlets { outlet.close() }
        outlets = []
    }
}
