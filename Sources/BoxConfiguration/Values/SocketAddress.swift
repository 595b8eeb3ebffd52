/// An address to listen on: a host (a name, an IPv4 address, or an IPv6 address in brackets) and a port from 1 to
/// 65535, written `127.0.0.1:9163` or `[::1]:9163`.
package struct SocketAddress: Sendable, Equatable, CustomStringConvertible {
    /// Without the brackets of an IPv6 address.
    package let host: String
    package let port: Int

    static let expectedForm = "an address and a port such as \"0.0.0.0:1935\""

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    package init(parsing text: String) throws(ParseError) {
        guard let colon = text.lastIndex(of: ":"), text.last != "]" else {
            let suggestion = DecimalNotation.wholeNumber(text[...]) == nil ? "\(text):1935" : "0.0.0.0:\(text)"
            throw ParseError("is not an address with a port; write for instance \"\(suggestion)\"")
        }
        let portText = text[text.index(after: colon)...]
        var hostText = text[..<colon]
        guard let port = DecimalNotation.wholeNumber(portText), (1...65535).contains(port) else {
            throw ParseError("has no valid port; allowed: 1 to 65535")
        }
        guard !hostText.isEmpty else {
            throw ParseError("has no address; write \"0.0.0.0:\(port)\" to listen on every IPv4 address")
        }
        if hostText.first == "[", hostText.last == "]" {
            hostText = hostText.dropFirst().dropLast()
            guard hostText.contains(":"), hostText.allSatisfy({ $0.isHexDigit || ":.%".contains($0) }) else {
                throw ParseError("has no IPv6 address between its brackets")
            }
        } else {
            guard !hostText.contains(":") else {
                throw ParseError("has an IPv6 address without brackets; write \"[\(hostText)]:\(port)\"")
            }
            guard HostName.isValid(hostText) else {
                throw ParseError("has no valid address before the port; write \(Self.expectedForm)")
            }
        }
        self.init(host: String(hostText), port: port)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether only programs on this machine can reach the address.
    package var isLoopback: Bool {
        let host = HostName.canonicalForm(of: host)
        return host == "::1"
            || host.split(separator: ".").first == "127" && host.allSatisfy { $0.isNumber || $0 == "." }
    }

    /// Whether this is a multicast address: 224.0.0.0/4 or ff00::/8.
    var isMulticast: Bool {
        if host.contains(":") {
            return host.lowercased().hasPrefix("ff")
                && host.firstIndex(of: ":") == host.index(host.startIndex, offsetBy: 4)
        }
        let octets = host.split(separator: ".")
        return octets.count == 4 && (Int(octets[0]).map { (224...239).contains($0) } ?? false)
    }

    /// Whether a listener on this address conflicts with a listener on `other` that uses the same transport. `0.0.0.0`
    /// covers every IPv4 address. `::` covers every IPv6 and IPv4 address, because Linux accepts both on it.
    func overlaps(_ other: SocketAddress) -> Bool {
        guard port == other.port else { return false }
        let (ownHost, otherHost) = (HostName.canonicalForm(of: host), HostName.canonicalForm(of: other.host))
        if ownHost == otherHost || ownHost == "::" || otherHost == "::" { return true }
        return (ownHost == "0.0.0.0" && !otherHost.contains(":"))
            || (otherHost == "0.0.0.0" && !ownHost.contains(":"))
    }
}
