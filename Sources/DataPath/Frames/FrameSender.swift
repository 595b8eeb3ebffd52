import CLinux
import EventLoop
import Glibc

/// Writes frames to an encoder's input as IVF: each frame behind a header of twelve bytes with its length and time. So
/// every frame keeps its time to the tick.
///
/// The bytes of a frame go by reference: they are not copied, and the encoder reads them from the store's own pages.
final class FrameSender: EventLoop.Handler, PipeWriter {
    private let loop: EventLoop
    private let format: FrameFormat
    private weak var owner: FrameStream?
    private var descriptor: CInt
    /// The number of the next frame to write; `nil` before ``begin(at:)``.
    private(set) var next: Int?
    private var frame: FrameStore.Frame?
    /// The bytes of the present frame that are written, its header included.
    private var offset = 0
    private var isBlocked = false
    /// Whether the pipe is closed behind the last frame.
    private var endsAfterLast = false

    private static let headerSize = 12

    init?(_ descriptor: CInt, format: FrameFormat, owner: FrameStream, loop: EventLoop) {
        self.descriptor = descriptor
        self.format = format
        self.owner = owner
        self.loop = loop
        setNonBlocking(descriptor)
        guard loop.add(descriptor, events: EPOLLOUT.rawValue | EPOLLET.rawValue, handler: self) else { return nil }
        writeFileHeader()
    }

    /// Whether the encoder has read everything that was written.
    var isRead: Bool {
        var waiting = CInt(0)
        return descriptor >= 0 && ioctl(descriptor, UInt(FIONREAD), &waiting) == 0 && waiting == 0
    }

    func begin(at number: Int) {
        next = number
        flush()
    }

    /// Closes the pipe behind the last frame.
    func finish() {
        endsAfterLast = true
        flush()
    }

    func ready(_ events: UInt32) {
        if events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { return close() }
        isBlocked = false
        flush()
    }

    /// Writes as many frames as have come and as the pipe takes.
    func flush() {
        while !isBlocked, descriptor >= 0, let number = next {
            if frame == nil {
                guard let found = owner?.firstFrame(atOrAfter: number) else {
                    if endsAfterLast { close() }
                    return
                }
                (frame, offset) = (found, 0)
            }
            guard let frame else { return }
            let count = offset == 0 ? writeHeader(of: frame) : writeBytes(of: frame)
            if count > 0 {
                if offset == 0 { owner?.began(frame, in: self) }
                offset += count
                if offset == Self.headerSize + format.byteCount {
                    self.frame = nil
                    next = frame.number + 1
                }
            } else if count < 0, errno == EINTR {
                continue
            } else if count < 0, errno == EAGAIN {
                isBlocked = true
            } else {
                // The process has ended. Its end is seen at its output.
                close()
            }
        }
        if next == nil, endsAfterLast { close() }
    }

    private func writeBytes(of frame: FrameStore.Frame) -> Int {
        let done = offset - Self.headerSize
        var vector = iovec(iov_base: frame.memory.base + done, iov_len: format.byteCount - done)
        return vmsplice(descriptor, &vector, 1, UInt32(SPLICE_F_NONBLOCK))
    }

    /// Writes the header. The pipe takes so few bytes all at once, or none.
    private func writeHeader(of frame: FrameStore.Frame) -> Int {
        withUnsafeTemporaryAllocation(byteCount: Self.headerSize, alignment: 8) { header in
            header.storeBytes(of: UInt32(format.byteCount).littleEndian, as: UInt32.self)
            header.storeBytes(of: UInt64(bitPattern: frame.time).littleEndian, toByteOffset: 4, as: UInt64.self)
            return write(descriptor, header.baseAddress!, header.count)
        }
    }

    /// Writes `DKIF`, the version, the header's own length, the pixel format, the size, and the time base.
    private func writeFileHeader() {
        withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { header in
            header.initializeMemory(as: UInt8.self, repeating: 0)
            header.storeBytes(of: UInt32(0x4649_4B44).littleEndian, as: UInt32.self)
            header.storeBytes(of: UInt16(header.count).littleEndian, toByteOffset: 6, as: UInt16.self)
            header.storeBytes(of: format.fourCC.littleEndian, toByteOffset: 8, as: UInt32.self)
            header.storeBytes(of: UInt16(format.width).littleEndian, toByteOffset: 12, as: UInt16.self)
            header.storeBytes(of: UInt16(format.height).littleEndian, toByteOffset: 14, as: UInt16.self)
            header.storeBytes(of: UInt32(90_000).littleEndian, toByteOffset: 16, as: UInt32.self)
            header.storeBytes(of: UInt32(1).littleEndian, toByteOffset: 20, as: UInt32.self)
            // The pipe is empty and has room for these few bytes.
            _ = write(descriptor, header.baseAddress!, header.count)
        }
    }

    func close() {
        guard descriptor >= 0 else { return }
        loop.remove(descriptor)
        Glibc.close(descriptor)
        descriptor = -1
        frame = nil
    }
}
