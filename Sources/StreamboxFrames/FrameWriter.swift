import Glibc

/// Writes whole frames to the FIFO of a `raw` source.
///
/// The service may start, stop and restart at any time: frames that it does not read are dropped, and each time it
/// reads again, the data begins with a whole frame.
public struct FrameWriter: ~Copyable {
    /// Why no frame can be written.
    public struct WriteError: Error, Sendable, CustomStringConvertible {
        public var description: String
    }

    public let path: String
    /// Width × height × bytes per pixel of the source's `pixels`; 4 for `bgra`.
    public let bytesPerFrame: Int
    private var fifo: CInt = -1

    /// Creates a writer, and opens nothing yet. From now on the process ignores SIGPIPE: the write itself reports a
    /// reader that has gone.
    public init(path: String, bytesPerFrame: Int) {
        precondition(bytesPerFrame > 0)
        self.path = path
        self.bytesPerFrame = bytesPerFrame
        signal(SIGPIPE, SIG_IGN)
    }

    deinit { if fifo >= 0 { close(fifo) } }

    /// Writes a frame. Waits while the service still reads the previous frames.
    ///
    /// - Parameter frame: The bytes of one whole frame.
    /// - Returns: `false` if the service does not read: the frame is dropped.
    /// - Throws: ``WriteError`` if the path is not a FIFO, or this user may not write to it.
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
                // The reader has gone. The next one begins with a whole frame.
                close(fifo)
                fifo = -1
                return false
            }
        }
        return true
    }

    /// Opens the FIFO if it is not open.
    ///
    /// - Returns: `false` while there is no FIFO, or the service does not read from it.
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
            throw WriteError(description: "\(path) is not a FIFO; remove it, and the service creates one")
        }
        // From here on a write may wait for the reader.
        _ = fcntl(opened, F_SETFL, 0)
        fifo = opened
        return true
    }
}
