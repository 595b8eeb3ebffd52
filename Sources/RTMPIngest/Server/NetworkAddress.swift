import CLinux
import Glibc
import SystemPackage

/// An IPv4 or IPv6 address with its port.
struct NetworkAddress: Sendable {
    private var storage = sockaddr_storage()
    private var size = socklen_t(MemoryLayout<sockaddr_storage>.size)

    /// The first address of a host name or number, to listen on. The resolver may block.
    ///
    /// - Throws: ``Unknown`` or an `Errno`.
    static func resolve(_ host: String, port: Int) throws -> NetworkAddress {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &found)
        guard status != EAI_SYSTEM else { throw Errno(rawValue: errno) }
        guard status == 0, let first = found else { throw Unknown(why: String(cString: gai_strerror(status))) }
        defer { freeaddrinfo(found) }
        var address = NetworkAddress()
        address.size = first.pointee.ai_addrlen
        withUnsafeMutableBytes(of: &address.storage) {
            $0.copyMemory(
                from: UnsafeRawBufferPointer(start: first.pointee.ai_addr, count: Int(first.pointee.ai_addrlen)))
        }
        return address
    }

    /// The host name could not be resolved.
    struct Unknown: Error, CustomStringConvertible {
        var why: String
        var description: String { why }
    }

    /// Calls `fill`, a function like `getsockname`, to get the address.
    ///
    /// - Returns: `nil` if `fill` returns a negative number.
    init?(_ fill: (UnsafeMutablePointer<sockaddr>, inout socklen_t) -> CInt) {
        let result = withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { fill($0, &size) }
        }
        guard result >= 0 else { return nil }
    }

    private init() {}

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, size) }
        }
    }

    var family: CInt { CInt(storage.ss_family) }

    /// The port. The bytes of the address follow it; with IPv6, four other bytes are between the two.
    private var port16: UInt16 {
        withUnsafeBytes(of: storage) { $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self).bigEndian }
    }
    var port: Int { Int(port16) }
    private var bytes: [UInt8] {
        withUnsafeBytes(of: storage) { family == AF_INET6 ? Array($0[8..<24]) : Array($0[4..<8]) }
    }

    /// The address in numbers, without the port. An IPv4 address is written as such even if an IPv6 socket accepted it.
    var text: String {
        let bytes = bytes
        if let plain = Self.mapped(bytes) { return plain.map(String.init).joined(separator: ".") }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
            inet_ntop(family, bytes, buffer.baseAddress!, socklen_t(buffer.count)).map { String(cString: $0) }
                ?? "unknown"
        }
    }

    /// The network that limits apply to: the address of an IPv4 client, and the first 64 bits of an IPv6 address, since
    /// such a client can have any number of addresses.
    var clientNetwork: String {
        let bytes = bytes
        guard family == AF_INET6, Self.mapped(bytes) == nil else { return text }
        return bytes.prefix(8).map { String($0, radix: 16) }.joined(separator: ".")
    }

    private static func mapped(_ bytes: [UInt8]) -> ArraySlice<UInt8>? {
        guard bytes.count == 16, bytes.prefix(10).allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF else {
            return nil
        }
        return bytes.suffix(4)
    }
}
