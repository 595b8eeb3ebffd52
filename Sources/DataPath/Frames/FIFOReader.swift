import CLinux
import EventLoop
import Glibc
import MPEGTS

/// Reads the frames that another program writes to a FIFO. The time of a frame is the time at which it came.
///
/// The rest of a frame that its writer left incomplete is filled with zeros, so that the next writer's first frame
/// begins at the start of a frame.
final class FIFOReader: FrameReader, EventLoop.Handler {
    private let path: String
    private let loop: EventLoop
    private var descriptor: CInt
    private weak var owner: (any FrameReaderDelegate)?
    private let format: FrameFormat
    private let report: @Sendable (FIFOEvent) -> Void
    private var frame: FrameMemory?
    private var frameBytes = 0
    private var hasWriter = false
    private var isPaused = false
    /// When to look again whether the FIFO is there, in nanoseconds of the monotonic clock.
    private var retry: Int64?
    /// When to look whether the open FIFO still has its path. This is done while no program writes.
    private var nextLook: Int64 = 0
    /// Whether the open FIFO had no path at the last look.
    private var isNameless = false

    /// Bytes that the pipe should hold, where the system allows it.
    private static let pipeSize: CInt = 1 << 20
    private static let retryInterval: Int64 = 250_000_000
    private static let lookInterval: Int64 = 1_000_000_000

    init(
        path: String, format: FrameFormat, owner: any FrameReaderDelegate, loop: EventLoop,
        report: @escaping @Sendable (FIFOEvent) -> Void
    ) throws(DescriptorError) {
        self.path = path
        self.format = format
        self.owner = owner
        self.loop = loop
        self.report = report
        descriptor = -1
        guard open() else { throw .last("open \(path)") }
    }

    private func open() -> Bool {
        let opened = Glibc.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard opened >= 0 else { return false }
        var info = stat()
        guard fstat(opened, &info) == 0, info.st_mode & S_IFMT == S_IFIFO else {
            Glibc.close(opened)
            errno = EINVAL
            return false
        }
        _ = fcntl(opened, CInt(F_SETPIPE_SZ), Self.pipeSize)
        guard isPaused || loop.add(opened, events: EPOLLIN.rawValue, handler: self) else {
            Glibc.close(opened)
            return false
        }
        descriptor = opened
        return true
    }

    func ready(_ events: UInt32) {
        var isWhole = false
        while !isWhole, descriptor >= 0 {
            let count = readFrame()
            if count > 0 {
                if !hasWriter { report(.writer) }
                hasWriter = true
                frameBytes += count
                if frameBytes == format.byteCount {
                    isWhole = true
                    finishFrame()
                }
            } else if count == 0 {
                return endOfWriter()
            } else if errno == EAGAIN || errno == EINTR {
                return
            } else {
                return reopen()
            }
        }
    }

    private func readFrame() -> Int {
        if frameBytes == 0, frame == nil { frame = owner?.takeMemory() }
        let left = format.byteCount - frameBytes
        if let frame { return read(descriptor, frame.base + frameBytes, left) }
        return withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) {
            read(descriptor, $0.baseAddress!, min(left, $0.count))
        }
    }

    private func finishFrame() {
        frameBytes = 0
        guard let whole = frame else { return }
        frame = nil
        let now = EventLoop.now()
        owner?.take(whole, time: Ticks.fromNanoseconds(now), now: now)
    }

    private func endOfWriter() {
        let missing = frameBytes > 0 ? format.byteCount - frameBytes : 0
        if hasWriter { report(.gone(missing: missing)) }
        hasWriter = false
        if missing > 0 {
            if let frame { (frame.base + frameBytes).initializeMemory(as: UInt8.self, repeating: 0, count: missing) }
            finishFrame()
        }
        reopen()
    }

    /// Opens the FIFO again after its writers have gone. The old descriptor would report the end of the stream forever;
    /// the new one waits for the next writer.
    private func reopen() {
        let former = descriptor
        descriptor = -1
        if former >= 0, !isPaused { loop.remove(former) }
        // Open the new one before the old one is closed: a writer that opens meanwhile finds a reader.
        let isOpen = open()
        if former >= 0 { Glibc.close(former) }
        guard !isOpen else { return }
        // The FIFO's folder is gone, perhaps for a moment.
        let due = EventLoop.now() + Self.retryInterval
        retry = due
        loop.arm(for: due)
    }

    /// Looks for a FIFO that was missing, or that is another one than the open one; returns when to look again.
    func runTimers(now: Int64) -> Int64 {
        if let due = retry {
            guard now >= due else { return due }
            retry = nil
            reopen()
            if let retry { return retry }
        }
        guard descriptor >= 0 else { return .max }
        guard now >= nextLook else { return nextLook }
        nextLook = now + Self.lookInterval
        if !hasWriter { look() }
        return retry ?? nextLook
    }

    /// Opens the FIFO again where a program has replaced it. Some programs remove a FIFO that they find, and make one
    /// of their own: frames that they write to it would never come here.
    private func look() {
        var named = stat()
        var own = stat()
        guard fstat(descriptor, &own) == 0 else { return }
        if stat(path, &named) == 0 {
            isNameless = false
            if named.st_mode & S_IFMT == S_IFIFO, (named.st_dev, named.st_ino) != (own.st_dev, own.st_ino) { reopen() }
        } else if errno == ENOENT {
            // Not at once: the program that removed it may be about to make another.
            if isNameless, mkfifo(path, 0o660) == 0 { reopen() }
            isNameless.toggle()
        }
    }

    func pause() {
        guard !isPaused else { return }
        isPaused = true
        if descriptor >= 0 { loop.remove(descriptor) }
    }

    func resume() {
        guard isPaused else { return }
        isPaused = false
        guard descriptor >= 0 else { return }
        if !loop.add(descriptor, events: EPOLLIN.rawValue, handler: self) { reopen() }
    }

    func close() {
        retry = nil
        guard descriptor >= 0 else { return }
        if !isPaused { loop.remove(descriptor) }
        Glibc.close(descriptor)
        descriptor = -1
    }
}
