import CLinux
import EventLoop
import Glibc

/// Writes to the standard input of a process without ever waiting for it. A buffer keeps the bytes that do not fit
/// into the pipe. Where the buffer is full, whole messages are dropped.
final class AudioPipe: EventLoop.Handler, PipeWriter {
    private let loop: EventLoop
    private var descriptor: CInt
    /// The system gives it memory pages only once something has to wait.
    private let buffer: UnsafeMutableRawBufferPointer
    /// The bytes of the buffer that wait.
    private var waiting = 0..<0
    private var isBlocked = false
    /// Whether the pipe is closed once nothing waits.
    private var endsWhenEmpty = false

    /// Most bytes that wait: more than ten seconds of MP3, a second and a half of PCM.
    static let mostWaiting = 256 << 10

    init?(_ descriptor: CInt, loop: EventLoop) {
        self.descriptor = descriptor
        self.loop = loop
        buffer = .allocate(byteCount: Self.mostWaiting, alignment: 16)
        setNonBlocking(descriptor)
        // Edge-triggered: the kernel reports when a full pipe has room again.
        guard loop.add(descriptor, events: EPOLLOUT.rawValue | EPOLLET.rawValue, handler: self) else { return nil }
    }

    deinit { buffer.deallocate() }

    /// Writes a message that consists of three pieces.
    ///
    /// - Returns: `false` where there is no room for it.
    func give(
        _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, _ tail: UnsafeRawBufferPointer
    ) -> Bool {
        guard descriptor >= 0, !endsWhenEmpty, waiting.count + head.count + body.count + tail.count <= buffer.count
        else {
            return false
        }
        var written = waiting.isEmpty ? write(head, body, tail) : 0
        append(head, without: &written)
        append(body, without: &written)
        append(tail, without: &written)
        flush()
        return true
    }

    /// Closes the pipe once nothing waits. The process writes the rest of its output, and ends.
    func finish() {
        endsWhenEmpty = true
        flush()
    }

    func ready(_ events: UInt32) {
        // The process has closed its input. Its end is seen at its output.
        if events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { return close() }
        isBlocked = false
        flush()
    }

    /// Appends the rest of a piece to the buffer.
    ///
    /// - Parameter written: Bytes of this piece and of those behind it that have already been written.
    private func append(_ piece: UnsafeRawBufferPointer, without written: inout Int) {
        let bytes = UnsafeRawBufferPointer(rebasing: piece[min(written, piece.count)...])
        written = max(0, written - piece.count)
        guard descriptor >= 0, !bytes.isEmpty else { return }
        if waiting.upperBound + bytes.count > buffer.count {
            memmove(buffer.baseAddress!, buffer.baseAddress! + waiting.lowerBound, waiting.count)
            waiting = 0..<waiting.count
        }
        memcpy(buffer.baseAddress! + waiting.upperBound, bytes.baseAddress!, bytes.count)
        waiting = waiting.lowerBound..<waiting.upperBound + bytes.count
    }

    /// Writes as much of the buffer as the pipe takes.
    private func flush() {
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        while !isBlocked, !waiting.isEmpty {
            let count = write(UnsafeRawBufferPointer(rebasing: buffer[waiting]), nothing, nothing)
            waiting = waiting.lowerBound + count..<waiting.upperBound
        }
        if waiting.isEmpty {
            waiting = 0..<0
            if endsWhenEmpty { close() }
        }
    }

    /// - Returns: Bytes that the pipe took.
    private func write(
        _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, _ tail: UnsafeRawBufferPointer
    ) -> Int {
        guard !isBlocked, descriptor >= 0 else { return 0 }
        return withUnsafeTemporaryAllocation(of: iovec.self, capacity: 3) { pieces in
            pieces.initializeElement(at: 0, to: Self.vector(head))
            pieces.initializeElement(at: 1, to: Self.vector(body))
            pieces.initializeElement(at: 2, to: Self.vector(tail))
            while true {
                let count = writev(descriptor, pieces.baseAddress!, 3)
                if count >= 0 { return count }
                if errno == EINTR { continue }
                if errno == EAGAIN { isBlocked = true } else { close() }
                return 0
            }
        }
    }

    private static func vector(_ bytes: UnsafeRawBufferPointer) -> iovec {
        iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
    }

    func close() {
        guard descriptor >= 0 else { return }
        loop.remove(descriptor)
        Glibc.close(descriptor)
        descriptor = -1
        waiting = 0..<0
    }
}
