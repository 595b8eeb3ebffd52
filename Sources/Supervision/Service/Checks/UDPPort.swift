import Glibc

/// UDP ports of the loopback address.
enum UDPPort {
    /// - Returns: A port that is free now. `nil` if there is none.
    static func free() -> UInt16? {
        let probe = socket(AF_INET, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else { return nil }
        defer { close(probe) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(probe, $0, size) == 0 && getsockname(probe, $0, &size) == 0
            }
        }
        return isBound ? UInt16(bigEndian: address.sin_port) : nil
    }

    /// Whether a program has bound the port. The kernel's table may lack a row while others change, so look again.
    static func isBound(_ port: UInt16) -> Bool {
        guard let table = fopen("/proc/net/udp", "re") else { return false }
        defer { fclose(table) }
        let digits = String(port, radix: 16, uppercase: true)
        let ending = ":" + String(repeating: "0", count: 4 - digits.count) + digits
        var line = [CChar](repeating: 0, count: 512)
        while fgets(&line, 512, table) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            // `283: 0100007F:752D 00000000:0000 07 …`: the second is the local address.
            let fields = text.split(separator: " ", maxSplits: 2)
            if fields.count == 3, fields[1].hasSuffix(ending) { return true }
        }
        return false
    }
}
