import Configuration
import Glibc

/// Why the service cannot start: one sentence with the mend.
public struct StartError: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String

    init(_ description: String) { self.description = description }
}

/// Tries what the configuration needs of the machine before anything is started: ports and folders.
struct Preflight {
    let configuration: BoxConfiguration
    /// What runs already has its ports.
    private let held: [HeldPort]

    private struct HeldPort: Equatable {
        var address: SocketAddress
        var isDatagram: Bool
    }

    /// - Parameter running: The configuration that runs.
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

    func check() throws(StartError) {
        for channel in configuration.channels {
            for source in channel.sources {
                switch source.kind {
                case .rtmp(let rtmp): try checkPort(rtmp.listen, SOCK_STREAM, of: source, in: channel)
                case .srt(let srt): try checkPort(srt.listen, SOCK_DGRAM, of: source, in: channel)
                default: break
                }
            }
            for group in channel.groups {
                for target in group.targets {
                    guard case .record(let record) = target.destination else { continue }
                    try Folder.make(record.folder, for: "target \(target.name)")
                }
            }
        }
    }

    private func checkPort(
        _ address: SocketAddress, _ type: __socket_type, of source: SourceConfiguration, in channel: ChannelConfiguration
    ) throws(StartError) {
        guard !held.contains(HeldPort(address: address, isDatagram: type == SOCK_DGRAM)) else { return }
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = CInt(type.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(address.host, String(address.port), &hints, &found)
        guard status == 0, let found else {
            throw StartError("\(source.id) of channel \(channel.name) cannot listen on \(address): \(String(cString: gai_strerror(status)))")
        }
        defer { freeaddrinfo(found) }
        let probe = socket(found.pointee.ai_family, found.pointee.ai_socktype, 0)
        guard probe >= 0 else { return }
        defer { close(probe) }
        var yes: CInt = 1
        setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<CInt>.size))
        guard bind(probe, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0 else {
            let reason = errno == EADDRINUSE ? "another program uses that port" : String(cString: strerror(errno))
            throw StartError("\(source.id) of channel \(channel.name) cannot listen on \(address): \(reason)")
        }
    }
}

/// Folders that the service writes to.
public enum Folder {
    /// Makes a folder, and those above it, unless it is there; it must take files.
    ///
    /// - Parameters:
    ///   - mode: Its permissions, as of `chmod`.
    ///   - purpose: For whom, as it stands in the message.
    public static func make(_ path: String, mode: UInt32 = 0o755, for purpose: String) throws(StartError) {
        var made = path.hasPrefix("/") ? "" : "."
        let parts = path.split(separator: "/")
        for (index, part) in parts.enumerated() {
            made += "/" + part
            // The mode is for the folder itself; those above it are nobody's secret.
            guard mkdir(made, index == parts.count - 1 ? mode : 0o755) == 0 || errno == EEXIST else {
                throw StartError("\(purpose) cannot make the folder \(path): \(String(cString: strerror(errno)))")
            }
        }
        var info = stat()
        guard stat(path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else {
            throw StartError("\(purpose) needs the folder \(path), but something else has that name")
        }
        // Root may write where the file system does not let anybody, so a file is made.
        var name = Array("\(path)/.streambox-XXXXXX".utf8CString)
        let file = mkstemp(&name)
        guard file >= 0 else {
            throw StartError("\(purpose) cannot write to the folder \(path): \(String(cString: strerror(errno)))")
        }
        close(file)
        unlink(name)
    }
}
