import FoundationEssentials
import Glibc

/// Sends a request to the running service. The calls block: a command has nothing else to do.
package struct ControlClient: Sendable {
    package let path: String

    package init(path: String) {
        self.path = path
    }

    /// Seconds that the service may take to answer: a handover tries its encoder first.
    private static let patience = 60

    /// - Throws: ``ControlError`` when the service does not answer.
    package func send(_ request: ControlRequest) throws(ControlError) -> ControlReply {
        let descriptor = try connected()
        defer { close(descriptor) }
        var limit = timeval(tv_sec: Self.patience, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        do {
            var line = try JSONEncoder().encode(request)
            line.append(UInt8(ascii: "\n"))
            let sent = line.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress!, $0.count, CInt(MSG_NOSIGNAL)) }
            guard sent == line.count else {
                throw ControlError("the service at \(path) does not accept requests; restart it")
            }
            return try JSONDecoder().decode(ControlReply.self, from: Data(try readLine(descriptor)))
        } catch let error as ControlError {
            throw error
        } catch {
            throw ControlError(
                """
                the service at \(path) sent an unknown answer; check that it has the version of this command (\(error))
                """)
        }
    }

    /// Whether a service listens on the socket.
    func isAnswered() -> Bool {
        guard let descriptor = try? connected() else { return false }
        close(descriptor)
        return true
    }

    private func connected() throws(ControlError) -> CInt {
        guard let address = UnixAddress(path) else {
            throw ControlError(
                "the path of the control socket is too long: \(path). Choose a shorter `runtime:` folder")
        }
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw ControlError("cannot create a socket: \(String(cString: strerror(errno)))") }
        guard address.withPointer({ connect(descriptor, $0, $1) }) == 0 else {
            let reason = errno
            close(descriptor)
            switch reason {
            case ENOENT, ECONNREFUSED:
                throw ControlError(
                    """
                    no streambox runs here: no service answers at \(path). Start it with `streambox run`, or name \
                    its configuration with --config
                    """
                )
            case EACCES, EPERM:
                throw ControlError(
                    "this user may not control the streambox at \(path): run the command as its user, or with sudo")
            default:
                throw ControlError("cannot reach \(path): \(String(cString: strerror(reason)))")
            }
        }
        return descriptor
    }

    private func readLine(_ descriptor: CInt) throws(ControlError) -> [UInt8] {
        var line: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while line.count < 64 << 20 {
            let count = read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw ControlError("the service at \(path) does not answer; see its log") }
            guard count > 0 else { break }
            line += piece[..<count]
            if line.last == UInt8(ascii: "\n") { return line }
        }
        throw ControlError("the service at \(path) closed the connection without an answer; see its log")
    }
}
