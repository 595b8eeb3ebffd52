import CLinux
import EventLoop
import Glibc
import SystemPackage

/// An open port. Passes on who comes.
final class Listener: EventLoop.Handler {
    private let loop: EventLoop
    private var socket: CInt
    private let come: (CInt, NetworkAddress) -> Void
    /// The port, for those who asked for any.
    let port: Int

    private static let backlog: CInt = 256
    /// Taken in at a time, before those that are inside have their turn again.
    private static let most = 64
    /// Nanoseconds that it stays shut when there are no descriptors left.
    private static let pause: Int64 = 100_000_000

    /// - Parameter come: Gets a socket that does not block, and owns it.
    init(_ address: NetworkAddress, loop: EventLoop, come: @escaping (CInt, NetworkAddress) -> Void) throws(Errno) {
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
        self.come = come
        port = bound.port
        guard loop.add(socket, events: EPOLLIN.rawValue, handler: self) else {
            let error = Errno(rawValue: errno)
            Glibc.close(socket)
            throw error
        }
    }

    func ready(_ events: UInt32) {
        for _ in 0..<Self.most where socket >= 0 {
            var next: CInt = -1
            let address = NetworkAddress {
                next = accept4(socket, $0, &$1, CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue))
                return next
            }
            guard let address else {
                if [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) { rest() }
                // Nobody else, or one that has left already.
                return
            }
            var yes: CInt = 1
            setsockopt(next, CInt(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<CInt>.size))
            come(next, address)
        }
    }

    /// Who waits at the door would wake the loop again and again.
    private func rest() {
        loop.change(socket, events: 0)
        loop.at(EventLoop.now() + Self.pause) { [weak self] in
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
