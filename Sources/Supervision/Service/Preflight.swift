import BoxConfiguration
import Glibc

/// Why the service cannot start: one sentence with the fix.
package struct StartError: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String

    init(_ description: String) { self.description = description }
}

/// Checks what the configuration needs from the machine before anything is started: the ports that it listens on.
struct Preflight {
    let configuration: BoxConfiguration
    /// The ports of the running configuration, which are in use by the service itself.
    private let held: [HeldPort]

    private struct HeldPort: Equatable {
        var address: SocketAddress
        var isDatagram: Bool
    }

    /// - Parameter running: The configuration that is running.
    init(_ configuration: BoxConfiguration, since running: BoxConfiguration? = nil) {
        self.configuration = configuration
        held = (running?.channels ?? []).flatMap(\.sources).compactMap { source in
            switch source.kind {
            case .rtmp(let rtmp): HeldPort(address: rtmp.listen, isDatagram: false)
            case .srt(let srt): HeldPort(address: srt.listen, isDatagram: true)
            default: nil
            }
        }
    }

    /// - Returns: One sentence for each port that is not available yet, but may become available by itself.
    /// - Throws: ``StartError`` for a port that will not become available.
    func check() throws(StartError) -> [String] {
        var notices: [String] = []
        for channel in configuration.channels {
            for source in channel.sources {
                switch source.kind {
                case .rtmp(let rtmp): notices += try checkPort(rtmp.listen, SOCK_STREAM, of: source, in: channel)
                case .srt(let srt): notices += try checkPort(srt.listen, SOCK_DGRAM, of: source, in: channel)
                default: break
                }
            }
        }
        return notices
    }

    private func checkPort(
        _ address: SocketAddress, _ type: __socket_type, of source: SourceConfiguration,
        in channel: ChannelConfiguration
    ) throws(StartError) -> [String] {
        guard !held.contains(HeldPort(address: address, isDatagram: type == SOCK_DGRAM)) else { return [] }
        let what = "\(source.id) of channel \(channel.name) cannot listen on \(address)"
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = CInt(type.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(address.host, String(address.port), &hints, &found)
        // While a box boots, its network may not be ready.
        if status == EAI_AGAIN { return ["\(what) yet: no name server knows that name so far"] }
        guard status == 0, let found else {
            throw StartError(
                "\(what): \(String(cString: gai_strerror(status))); check how the address is written")
        }
        defer { freeaddrinfo(found) }
        let probe = socket(found.pointee.ai_family, found.pointee.ai_socktype, 0)
        guard probe >= 0 else { return [] }
        defer { close(probe) }
        var yes: CInt = 1
        setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<CInt>.size))
        guard bind(probe, found.pointee.ai_addr, found.pointee.ai_addrlen) != 0 else { return [] }
        switch errno {
        case EADDRNOTAVAIL: return ["\(what) yet: this machine does not have that address"]
        case EADDRINUSE: throw StartError("\(what): another program uses that port; close it, or set another port")
        default: throw StartError("\(what): \(String(cString: strerror(errno)))")
        }
    }
}
