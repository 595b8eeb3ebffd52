import Foundation
import ServiceManager
import TestSupport
import Testing

@Suite struct NotifySocketTests {
    @Test("a message arrives as a whole, at a path and at an abstract name", arguments: [false, true])
    func arrives(isAbstract: Bool) throws {
        let folder = try TemporaryFolder()
        let manager = try DatagramSocket(isAbstract ? "@streambox-test-\(UUID())" : folder.path("notify"))
        let socket = try #require(NotifySocket(manager.name))
        #expect(socket.send(.ready + .status("main shows slate")))
        #expect(manager.receive() == "READY=1\nSTATUS=main shows slate")
        #expect(socket.send(.reloading(at: 1_234_567)))
        #expect(manager.receive() == "RELOADING=1\nMONOTONIC_USEC=1234567")
    }

    @Test("a manager that does not read, or is gone, does not block the sender")
    func neverWaits() throws {
        let folder = try TemporaryFolder()
        let manager = try DatagramSocket(folder.path("notify"))
        let socket = try #require(NotifySocket(manager.name))
        var taken = 0
        while socket.send(.alive), taken < 100_000 { taken += 1 }
        #expect(taken < 100_000, "the queue of a socket has an end")
        #expect(manager.receive() == "WATCHDOG=1")
        #expect(socket.send(.ready), "there is room again")
        #expect(try !#require(NotifySocket(folder.path("missing"))).send(.ready))
    }

    @Test(
        "a name that is not the address of a socket is rejected",
        arguments: ["", "/", "@", "notify", "vsock:2:1", "/" + String(repeating: "x", count: 200)])
    func refused(name: String) {
        #expect(NotifySocket(name) == nil)
    }

    @Test("names fit up to 107 bytes of a path and 108 of an abstract name")
    func longest() {
        #expect(NotifySocket("/" + String(repeating: "x", count: 106)) != nil)
        #expect(NotifySocket("/" + String(repeating: "x", count: 107)) == nil)
        #expect(NotifySocket("@" + String(repeating: "x", count: 107)) != nil)
        #expect(NotifySocket("@" + String(repeating: "x", count: 108)) == nil)
    }

    @Test("a status is one line, whatever its sentence contains")
    func status() {
        #expect(NotifyMessage.status("two\nlines\tand\r\nREADY=1") == .status("two lines and  READY=1"))
        #expect(
            NotifyMessage.status(String(repeating: "ä", count: 5000)).text == "STATUS="
                + String(repeating: "ä", count: 399) + "…")
    }
}

/// The socket of a service manager.
final class DatagramSocket {
    /// The name, as in `NOTIFY_SOCKET`.
    let name: String
    private let descriptor: CInt

    init(_ name: String) throws {
        self.name = name
        descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(name.utf8)
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let size = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count + (bytes[0] == 0 ? 0 : 1))
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        guard status == 0 else { throw Failed("no socket at \(name): \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }

    /// The next message; `nil` if none has arrived.
    func receive() -> String? {
        var buffer = [UInt8](repeating: 0, count: 8192)
        let count = recv(descriptor, &buffer, buffer.count, CInt(MSG_DONTWAIT))
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }
}
