import Foundation
import TestSupport
import Testing

struct KernelFileTests {
    @Test("a kernel file longer than a page is read to its end")
    func wholeTable() throws {
        // 64 rows of 150 bytes: more than two pages.
        let listeners = try (0..<64).map { _ in try Listener() }
        #expect(listeners.allSatisfy { FreePort.isListening(tcp: $0.port) })
    }

    @Test("a kernel file that does not exist has no bytes")
    func missing() {
        #expect(KernelFile.bytes("/proc/self/no-such-file") == nil)
    }
}

/// A TCP port on 127.0.0.1 with a listening socket, which is closed with the value.
private final class Listener {
    let port: Int
    private let socket: Int32

    init() throws {
        port = try FreePort.tcp()
        socket = try listener(port: port)
    }

    deinit { close(socket) }
}
