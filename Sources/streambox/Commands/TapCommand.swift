import ArgumentParser
import Glibc
import Supervision

/// Copies the transport stream of a tap of the running service to standard output.
struct TapCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tap",
        abstract: "Writes a channel's or group's MPEG-TS to standard output; without a name, lists the taps.",
        discussion: "Example: streambox tap main | ffplay -")

    @Argument(help: "The channel or group, which must have `tap: true`.")
    var name: String?

    @OptionGroup var service: ServiceOptions

    func run() throws {
        let folder = try service.folder()
        let taps = TapFile.read(in: folder)
        guard let name else {
            for tap in taps { print("\(tap.name)\t\(tap.url)") }
            return
        }
        guard let tap = taps.first(where: { $0.name == name }) else {
            let known =
                taps.isEmpty
                ? "no service with a tap runs here" : "the taps are: \(taps.map(\.name).joined(separator: ", "))"
            throw Failure(status: 1, description: "streambox: no tap named \(name); \(known)")
        }
        guard isatty(STDOUT_FILENO) == 0 else {
            throw Failure(
                status: 2,
                description: "streambox: a stream is not text for a terminal; try: streambox tap \(name) | ffplay -")
        }
        try copy(tap)
    }

    private func copy(_ tap: Supervisor.OpenTap) throws {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(tap.port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else {
            throw Failure(
                status: 1, description: "streambox: nothing answers at \(tap.url): \(String(cString: strerror(errno)))")
        }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return }
            var written = 0
            while written < count {
                let step = buffer.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress! + written, count - written) }
                guard step > 0 else { return }
                written += step
            }
        }
    }
}
