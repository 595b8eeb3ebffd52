import Foundation

/// A connection whose bytes the test sends and reads itself.
package final class RawClient: Sendable {
    private let descriptor: Int32

    private init(_ descriptor: Int32, receiveBuffer: Int32?) {
        self.descriptor = descriptor
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var limit = timeval(tv_sec: Int(Limit.seconds(20).inSeconds), tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// Connects to a port, on a thread of its own: connecting blocks while the server's queue is full.
    package static func connected(to port: Int, count: Int = 1, receiveBuffer: Int32? = nil) async throws -> [RawClient]
    {
        try await onOwnThread {
            try (0..<count).map { _ in RawClient(try TestSupport.connect(port: port), receiveBuffer: receiveBuffer) }
        }
    }

    package static func connected(to port: Int, receiveBuffer: Int32? = nil) async throws -> RawClient {
        try await connected(to: port, count: 1, receiveBuffer: receiveBuffer)[0]
    }

    /// Connects to a Unix socket.
    package static func connected(toSocket path: String, count: Int) async throws -> [RawClient] {
        try await onOwnThread { try (0..<count).map { _ in RawClient(try reach(path), receiveBuffer: nil) } }
    }

    /// Connects a descriptor to a Unix socket. The caller owns it.
    package static func reach(_ path: String) throws -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0 else { throw Failed("cannot connect to \(path): \(errnoText())") }
        return descriptor
    }

    @discardableResult
    package func send(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return Foundation.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    package func get(_ path: String) { send("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") }

    /// Reads until the text contains a part, the server closes the connection, or the limit passes.
    package func read(until part: String? = nil) async -> (text: String, isClosed: Bool) {
        await onOwnThread { [self] in
            var bytes: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 65536)
            while true {
                let count = recv(descriptor, &piece, piece.count, 0)
                guard count > 0 else {
                    // After the limit the connection is still open.
                    let isClosed = count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)
                    return (String(decoding: bytes, as: UTF8.self), isClosed)
                }
                bytes += piece[..<count]
                if let part, String(decoding: bytes, as: UTF8.self).contains(part) {
                    return (String(decoding: bytes, as: UTF8.self), false)
                }
            }
        }
    }
}
