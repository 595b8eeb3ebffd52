import Glibc

/// The socket of the service manager that `NOTIFY_SOCKET` names (sd_notify(3)).
package final class NotifySocket: Sendable {
    private let descriptor: CInt
    private let address: sockaddr_un
    /// The number of bytes of the address that count: the name of an abstract socket has no zero at its end.
    private let size: socklen_t

    /// - Parameter name: A path, or the name of an abstract socket with `@` in place of its first byte.
    /// - Returns: `nil` for another name, or if no socket can be created.
    package init?(_ name: String) {
        var bytes = Array(name.utf8)
        guard bytes.count > 1, bytes[0] == UInt8(ascii: "/") || bytes[0] == UInt8(ascii: "@") else { return nil }
        let isAbstract = bytes[0] == UInt8(ascii: "@")
        if isAbstract { bytes[0] = 0 } else { bytes.append(0) }
        var address = sockaddr_un()
        guard bytes.count <= MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        self.address = address
        size = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path)! + bytes.count)
    }

    deinit { close(descriptor) }

    /// Sends a message without waiting for a manager that does not read.
    ///
    /// - Returns: Whether the message was sent.
    package func send(_ message: NotifyMessage) -> Bool {
        var text = message.text
        return text.withUTF8 { bytes in
            withUnsafePointer(to: address) { address in
                address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    sendto(
                        descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT), address,
                        size)
                }
            }
        } == message.text.utf8.count
    }
}
