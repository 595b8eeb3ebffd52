import CLinux
import EventLoop
import Glibc

/// Reads the decoded frames of a card reader, each with the time at which the card captured it.
final class CardFrameReader: FrameReader, EventLoop.Handler {
    private let loop: EventLoop
    private var descriptor: CInt
    private weak var owner: (any FrameReaderDelegate)?
    private let format: FrameFormat
    private var parser = NUTParser()
    /// The bytes between frames.
    private let headers = UnsafeMutableRawBufferPointer.allocate(byteCount: CardFrameReader.headerRoom, alignment: 16)
    private var headerBytes = 0
    /// The room for the present frame. Without it the frame is dropped.
    private var frame: FrameMemory?
    private var frameTime: Int64 = 0
    private var frameBytes = 0
    private var isInFrame = false
    private var isPaused = false

    private static let headerRoom = 64 << 10
    /// Bytes of one read where headers are expected. Bytes of a frame that are read with them have to be copied.
    private static let headerRead = 512

    init?(_ descriptor: CInt, format: FrameFormat, owner: any FrameReaderDelegate, loop: EventLoop) {
        self.descriptor = descriptor
        self.format = format
        self.owner = owner
        self.loop = loop
        setNonBlocking(descriptor)
        guard loop.add(descriptor, events: EPOLLIN.rawValue, handler: self) else { return nil }
    }

    deinit { headers.deallocate() }

    func ready(_ events: UInt32) {
        // One frame at a time, so that other descriptors get their turn.
        var isWhole = false
        while !isWhole, descriptor >= 0 {
            let count =
                isInFrame
                ? readFrame()
                : read(
                    descriptor, headers.baseAddress! + headerBytes, min(Self.headerRead, headers.count - headerBytes))
            guard count > 0 else {
                if count < 0, errno == EAGAIN || errno == EINTR { return }
                return end(nil)
            }
            if isInFrame {
                frameBytes += count
            } else {
                headerBytes += count
                do {
                    try takeHeaders()
                } catch {
                    return end("the card reader's output cannot be read: \(error.problem)")
                }
            }
            if isInFrame, frameBytes == format.byteCount {
                isWhole = true
                finishFrame()
            }
        }
    }

    private func readFrame() -> Int {
        let left = format.byteCount - frameBytes
        if let frame { return read(descriptor, frame.base + frameBytes, left) }
        return withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) {
            read(descriptor, $0.baseAddress!, min(left, $0.count))
        }
    }

    private func takeHeaders() throws(NUTParser.Violation) {
        var position = 0
        while !isInFrame {
            let (used, found) = try parser.next(UnsafeRawBufferPointer(rebasing: headers[position..<headerBytes]))
            guard used > 0 else { break }
            position += used
            guard let found else { continue }
            guard found.byteCount == format.byteCount, parser.width == format.width, parser.height == format.height
            else {
                throw NUTParser.Violation(
                    problem: "its frames are \(parser.width)x\(parser.height) in \(found.byteCount) bytes")
            }
            begin(at: found.time)
            frameBytes = min(headerBytes - position, format.byteCount)
            frame?.base.copyMemory(from: headers.baseAddress! + position, byteCount: frameBytes)
            position += frameBytes
        }
        headerBytes -= position
        if headerBytes > 0, position > 0 { memmove(headers.baseAddress!, headers.baseAddress! + position, headerBytes) }
        if headerBytes == headers.count { throw NUTParser.Violation(problem: "a header has no end") }
    }

    private func begin(at time: Int64) {
        isInFrame = true
        frameTime = time
        frame = owner?.takeMemory()
    }

    private func finishFrame() {
        isInFrame = false
        guard let whole = frame else { return }
        frame = nil
        owner?.take(whole, time: frameTime, now: EventLoop.now())
    }

    func pause() {
        guard descriptor >= 0, !isPaused else { return }
        isPaused = true
        loop.remove(descriptor)
    }

    func resume() {
        guard descriptor >= 0, isPaused else { return }
        isPaused = false
        if !loop.add(descriptor, events: EPOLLIN.rawValue, handler: self) {
            end("the card reader's pipe cannot be watched")
        }
    }

    private func end(_ problem: String?) {
        close()
        owner?.framesEnded(problem)
    }

    func close() {
        guard descriptor >= 0 else { return }
        if !isPaused { loop.remove(descriptor) }
        Glibc.close(descriptor)
        descriptor = -1
    }
}
