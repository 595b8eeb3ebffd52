import CLinux
import EventLoop
import Glibc

/// Writes to the standard input of a process without ever waiting for it. What does not fit into the pipe waits in a
/// buffer; where that is full, whole messages are dropped.
final class AudioPipe: EventLoop.Handler, PipeWriter {
    private let loop: EventLoop
    private var descriptor: CInt
    /// Its pages are taken where something has to wait, and not before.
    private let buffer: UnsafeMutableRawBufferPointer
    /// What waits in it.
    private var waiting = 0..<0
    private var isBlocked = false
    /// It ends behind what waits.
    private var endsThere = false

    /// Bytes that wait at the most: more than ten seconds of MP3, a second and a half of PCM.
    static let mostWaiting = 256 << 10

    init?(_ descriptor: CInt, loop: EventLoop) {
        self.descriptor = descriptor
        self.loop = loop
        buffer = .allocate(byteCount: Self.mostWaiting, alignment: 16)
        setNonBlocking(descriptor)
        // Edge-triggered: the kernel speaks up when a full pipe has room again.
        guard loop.add(descriptor, events: EPOLLOUT.rawValue | EPOLLET.rawValue, handler: self) else { return nil }
    }

    deinit { buffer.deallocate() }

    /// Writes a message that consists of three pieces.
    ///
    /// - Returns: `false` where there is no room for it.
    func give(
        _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, _ tail: UnsafeRawBufferPointer
    ) -> Bool {
        guard descriptor >= 0, !endsThere, waiting.count + head.count + body.count + tail.count <= buffer.count else {
            return false
        }
        var written = waiting.isEmpty ? write(head, body, tail) : 0
        append(head, without: &written)
        append(body, without: &written)
        append(tail, without: &written)
        flush()
        return true
    }

    /// Closes behind what waits: the process writes what it has, and ends.
    func finish() {
        endsThere = true
        flush()
    }

    func ready(_ events: UInt32) {
        // Nobody reads any more; that the process has ended is told by its output.
        if events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { return close() }
        isBlocked = false
        flush()
    }

    /// Has the rest of a piece wait.
    ///
    /// - Parameter written: Bytes that are not to be written any more, those of the pieces before not among them.
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

    /// Writes what waits, as much as the pipe takes.
    private func flush() {
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        while !isBlocked, !waiting.isEmpty {
            let count = write(UnsafeRawBufferPointer(rebasing: buffer[waiting]), nothing, nothing)
            waiting = waiting.lowerBound + count..<waiting.upperBound
        }
        if waiting.isEmpty {
            waiting = 0..<0
            if endsThere { close() }
        }
    }

    /// - Returns: Bytes that the pipe took at once.
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
