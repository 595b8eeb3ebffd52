import CLinux
import EventLoop
import Glibc
import SystemPackage

/// An open TCP port that accepts connections.
final class Listener: EventLoop.Handler {
    private let loop: EventLoop
    private var socket: CInt
    private let onAccept: (CInt, NetworkAddress) -> Void
    /// The port; useful if port 0 was asked for.
    let port: Int

    private static let backlog: CInt = 256
    /// Connections that are accepted at once, before the existing ones are served again.
    private static let maximumPerRound = 64
    /// Nanoseconds for which no connection is accepted when no file descriptors are left.
    private static let pauseDuration: Int64 = 100_000_000

    /// - Parameter onAccept: Gets a non-blocking socket, and owns it.
    init(
        _ address: NetworkAddress, loop: EventLoop, onAccept: @escaping (CInt, NetworkAddress) -> Void
    ) throws(Errno) {
        let socket = Glibc.socket(
            address.family, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
        guard socket >= 0 else { throw Errno(rawValue: errno) }
        var yes: CInt = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<CInt>.size))
        guard address.withPointer({ bind(socket, $0, $1) }) == 0, listen(socket, Self.backlog) == 0,
            let bound = NetworkAddress({ getsockname(socket, $0, &$1) })
        else {
            let error = Errno(rawValue: errno)
            Glibc.close(socket)
            throw error
        }
        self.socket = socket
        self.loop = loop
        self.onAccept = onAccept
        port = bound.port
        guard loop.add(socket, events: EPOLLIN.rawValue, handler: self) else {
            let error = Errno(rawValue: errno)
            Glibc.close(socket)
            throw error
        }
    }

    func ready(_ events: UInt32) {
        for _ in 0..<Self.maximumPerRound where socket >= 0 {
            var next: CInt = -1
            let address = NetworkAddress {
                next = accept4(socket, $0, &$1, CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue))
                return next
            }
            guard let address else {
                if [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) { pause() }
                // No connection is waiting, or one has already gone.
                return
            }
            var yes: CInt = 1
            setsockopt(next, CInt(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<CInt>.size))
            onAccept(next, address)
        }
    }

    /// Stops accepting for a while: a waiting connection would wake the loop repeatedly.
    private func pause() {
        loop.change(socket, events: 0)
        loop.at(EventLoop.now() + Self.pauseDuration) { [weak self] in
            guard let self, socket >= 0 else { return }
            loop.change(socket, events: EPOLLIN.rawValue)
        }
    }

    func close() {
        guard socket >= 0 else { return }
        loop.remove(socket)
        Glibc.close(socket)
        socket = -1
    }
}
