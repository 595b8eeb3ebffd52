import CLinux
import Glibc
package import SystemPackage

/// A failure of a descriptor of the service.
package struct DescriptorError: Error, CustomStringConvertible {
    /// The action that failed, as a phrase: `listen on 127.0.0.1:20000`.
    package var action: String
    package var code: Errno

    package var description: String { "cannot \(action): \(code)" }

    static func last(_ action: String) -> DescriptorError {
        DescriptorError(action: action, code: Errno(rawValue: errno))
    }
}

/// A pipe between the service and a child. The service's end never blocks. The child gets the other end.
struct Pipe {
    var reading: CInt
    var writing: CInt

    /// Bytes that a pipe holds: a keyframe of a usual stream, so that the writer is not woken twice for one keyframe.
    static let packets: CInt = 256 << 10
    /// Bytes of a pipe for uncompressed frames: as many as a user may have.
    static let frames: CInt = 1 << 20

    init(capacity: CInt = Pipe.packets) throws(DescriptorError) {
        var ends: [CInt] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { throw .last("make a pipe") }
        reading = ends[0]
        writing = ends[1]
        // The kernel refuses this when the user's pipe budget is spent. The default of 64 KiB works too.
        _ = fcntl(writing, CInt(F_SETPIPE_SZ), capacity)
    }

    func close() {
        Glibc.close(reading)
        Glibc.close(writing)
    }
}

func setNonBlocking(_ descriptor: CInt) {
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
}

/// Opens a TCP listener on the loopback address that does not block.
///
/// - Parameter port: 0 asks the kernel for one.
func listenOnLoopback(port: Int) throws(DescriptorError) -> (descriptor: CInt, port: Int) {
    let descriptor = socket(
        AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { throw .last("open a socket") }
    var yes: CInt = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<CInt>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            guard bind(descriptor, address, size) == 0, listen(descriptor, 16) == 0 else { return false }
            return getsockname(descriptor, address, &size) == 0
        }
    }
    guard bound else {
        let error = DescriptorError.last("listen on 127.0.0.1:\(port)")
        close(descriptor)
        throw error
    }
    return (descriptor, Int(in_port_t(bigEndian: address.sin_port)))
}
