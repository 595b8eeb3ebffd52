import Foundation
import TestSupport
import Testing

struct KernelFileTests {
    @Test("a file of the kernel longer than a page is read to its end")
    func wholeTable() throws {
        // 64 rows of 150 bytes: more than two pages.
        let listeners = try (0..<64).map { _ in try Listener() }
        #expect(listeners.allSatisfy { FreePort.isListening(tcp: $0.port) })
    }

    @Test("a file of the kernel that does not exist has no bytes")
    func missing() {
        #expect(KernelFile.bytes("/proc/self/no-such-file") == nil)
    }
}

/// A TCP port on 127.0.0.1 that is listened on until the value goes.
private final class Listener {
    let port: Int
    private let socket: Int32

    init() throws {
        port = try FreePort.tcp()
        socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var one: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard bound == 0, listen(socket, 1) == 0 else { throw Failed("port \(port) cannot be listened on") }
    }

    deinit { close(socket) }
}
