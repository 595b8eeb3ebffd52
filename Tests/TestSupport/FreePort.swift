import Foundation
import Synchronization

/// Free ports on 127.0.0.1, chosen by the kernel.
///
/// A port is unique within this process for its whole life, and among the test processes of this machine: each process
/// holds a lock file per port until it exits. A TCP port is also left in TIME_WAIT, so that the kernel gives it to no
/// other program for a minute, while a listener with SO_REUSEADDR (nginx, FFmpeg, every decent server) can still bind
/// it. One gap remains: a foreign program may take a UDP port before the test uses it.
package enum FreePort {
    package static func tcp() throws -> Int { try pick(Int32(SOCK_STREAM.rawValue)) }

    package static func udp() throws -> Int { try pick(Int32(SOCK_DGRAM.rawValue)) }

    /// Whether a program listens on the TCP port. Does not connect, because some listeners serve only one caller.
    package static func isListening(tcp port: Int) -> Bool {
        bound("tcp", port, state: "0A") || bound("tcp6", port, state: "0A")
    }

    /// Whether a program has bound the UDP port.
    package static func isBound(udp port: Int) -> Bool {
        bound("udp", port, state: nil) || bound("udp6", port, state: nil)
    }

    // The locks are never closed: each one lasts as long as the process.
    private static let locks = Mutex<[Int: Int32]>([:])

    private static func pick(_ type: Int32) throws -> Int {
        for _ in 0..<200 {
            let port = try ask(type)
            guard lock(port) else { continue }
            // A program that is just being started holds a copy of the socket until it runs.
            for _ in 0..<1000 {
                guard type == Int32(SOCK_STREAM.rawValue) ? isListening(tcp: port) : isBound(udp: port) else { break }
                usleep(1000)
            }
            return port
        }
        throw Failed("the kernel gave no port that is not in use by another test")
    }

    private static func ask(_ type: Int32) throws -> Int {
        let listener = socket(AF_INET, type | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw Failed("no socket: \(errnoText())") }
        defer { close(listener) }
        var one: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = loopback(port: 0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let got = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && getsockname(listener, $0, &size) == 0
            }
        }
        guard got else { throw Failed("no port from the kernel: \(errnoText())") }
        let port = Int(UInt16(bigEndian: address.sin_port))
        if type == Int32(SOCK_STREAM.rawValue) {
            // The side that closes first leaves the port in TIME_WAIT.
            listen(listener, 1)
            if let caller = try? connect(port: port) {
                close(accept(listener, nil, nil))
                close(caller)
            }
        }
        return port
    }

    private static func lock(_ port: Int) -> Bool {
        locks.withLock { locks in
            guard locks[port] == nil else { return false }
            let folder = "/tmp/streambox-test-ports"
            mkdir(folder, 0o1777)
            chmod(folder, 0o1777)
            let file = open("\(folder)/\(port)", O_CREAT | O_RDWR | O_CLOEXEC, 0o666)
            // Without a lock file the port is free as far as the kernel knows.
            guard file >= 0 else {
                locks[port] = -1
                return true
            }
            guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
                close(file)
                return false
            }
            locks[port] = file
            return true
        }
    }

    /// Looks three times: the kernel may leave out a row if a row before it goes between two reads.
    private static func bound(_ table: String, _ port: Int, state: String?) -> Bool {
        (0..<3).contains { _ in row(table, port, state: state) }
    }

    private static func row(_ table: String, _ port: Int, state: String?) -> Bool {
        guard let text = KernelFile.text("/proc/net/\(table)") else { return false }
        let wanted = ":" + String(format: "%04X", port)
        return text.split(separator: "\n").dropFirst().contains {
            let fields = $0.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: true)
            return fields.count > 3 && fields[1].hasSuffix(wanted)
                && (state == nil || fields[3] == state!)
        }
    }
}

func loopback(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
}

/// Opens a TCP socket that listens on a port of 127.0.0.1. The caller closes it.
///
/// - Parameters:
///   - receiveBuffer: The receive buffer of each connection in bytes; `nil` for the kernel's default.
///   - backlog: The number of connections that may wait to be accepted.
package func listener(port: Int, receiveBuffer: Int32? = nil, backlog: Int32 = 8) throws -> Int32 {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard listener >= 0 else { throw Failed("no socket: \(errnoText())") }
    var one: Int32 = 1
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
    // The accepted connections inherit it.
    if var receiveBuffer {
        setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, socklen_t(MemoryLayout<Int32>.size))
    }
    var address = loopback(port: port)
    let isBound = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
    guard isBound, listen(listener, backlog) == 0 else {
        let reason = errnoText()
        close(listener)
        throw Failed("cannot listen on 127.0.0.1:\(port): \(reason)")
    }
    return listener
}

/// Connects a TCP socket to 127.0.0.1. The caller closes it.
///
/// - Parameter address: The local address in the loopback network: 0x7F000002 is 127.0.0.2. `nil` for the kernel's
///   choice.
package func connect(port: Int, from address: UInt32? = nil) throws -> Int32 {
    let caller = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard caller >= 0 else { throw Failed("no socket: \(errnoText())") }
    if let address {
        var own = loopback(port: 0)
        own.sin_addr.s_addr = address.bigEndian
        _ = withUnsafePointer(to: &own) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(caller, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
    var address = loopback(port: port)
    let done = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(caller, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    guard done == 0 else {
        let reason = errnoText()
        close(caller)
        throw Failed("cannot connect to 127.0.0.1:\(port): \(reason)")
    }
    return caller
}
