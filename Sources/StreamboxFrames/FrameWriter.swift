import Glibc

/// Writes whole frames to the FIFO of a `raw` source.
///
/// The service may be started, stopped and restarted meanwhile: frames that nobody reads are left out, and what is
/// written always begins where a frame begins.
public struct FrameWriter: ~Copyable {
    /// Why frames cannot be written at all.
    public struct WriteError: Error, Sendable, CustomStringConvertible {
        public var description: String
    }

    public let path: String
    /// Width × height × bytes per pixel of the source's `pixels`; 4 for `bgra`.
    public let bytesPerFrame: Int
    private var fifo: CInt = -1

    /// Opens nothing yet. From now on the process ignores SIGPIPE: a reader that goes is told by the write.
    public init(path: String, bytesPerFrame: Int) {
        precondition(bytesPerFrame > 0)
        self.path = path
        self.bytesPerFrame = bytesPerFrame
        signal(SIGPIPE, SIG_IGN)
    }

    deinit { if fifo >= 0 { close(fifo) } }

    /// Writes a frame; waits while the service is busy with those before.
    ///
    /// - Parameter frame: As many bytes as a frame has.
    /// - Returns: `false` when nobody reads: the frame is left out.
    /// - Throws: ``WriteError`` when the path is something else than a FIFO, or this user may not write to it.
    @discardableResult
    public mutating func write(_ frame: UnsafeRawBufferPointer) throws(WriteError) -> Bool {
        precondition(frame.count == bytesPerFrame, "a frame of \(path) has \(bytesPerFrame) bytes")
        guard try isOpen() else { return false }
        var rest = frame[...]
        while !rest.isEmpty {
            let count = Glibc.write(fifo, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                // The reader has gone; the next one gets a whole frame first.
                close(fifo)
                fifo = -1
                return false
            }
        }
        return true
    }

    /// - Returns: `false` while there is no FIFO, or nobody reads from it.
    private mutating func isOpen() throws(WriteError) -> Bool {
        if fifo >= 0 { return true }
        let opened = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        guard opened >= 0 else {
            if errno == ENOENT || errno == ENXIO || errno == EINTR { return false }
            throw WriteError(description: "\(path): \(String(cString: strerror(errno)))")
        }
        var info = stat()
        guard fstat(opened, &info) == 0, info.st_mode & S_IFMT == S_IFIFO else {
            close(opened)
            throw WriteError(description: "\(path) is no FIFO")
        }
        // From here on a write may wait.
        _ = fcntl(opened, F_SETFL, 0)
        fifo = opened
        return true
    }
}
