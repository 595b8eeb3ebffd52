import CLinux
import EventLoop
import Glibc
import MPEGTS

/// Writes one reader's part of a feed to a descriptor, as fast as that takes it.
final class FeedSender: EventLoop.Handler, PipeWriter {
    /// Why an outlet ended.
    enum Ending {
        /// The other end closed.
        case closed
        /// The codecs of the feed changed.
        case eraOver
    }

    let reader: FeedReader
    private let loop: EventLoop
    private let isPipe: Bool
    private unowned let hub: FeedHub
    private let onEnd: (FeedSender, Ending) -> Void
    private var descriptor: CInt
    /// Whoever reads was to be given no more.
    private(set) var isFinished = false
    /// Bytes wait, and the descriptor takes none.
    private(set) var isBlocked = false
    /// When the descriptor last took a byte or had nothing to take, in nanoseconds of the monotonic clock.
    private(set) var movedAt: Int64

    /// Nanoseconds from one time that it is served to the next; 0 serves it with every picture.
    let pace: Int64
    /// Each piece that goes into the pipe is whole packets; a pipe that is filled to its end ends within one.
    private let keepsPackets: Bool
    /// Bytes of whole packets that an empty pipe surely takes, wherever they lie in their pages.
    private let mostAtOnce: Int

    private static let packet = 188
    private static let page = 4096
    /// Whole packets that a pipe takes all at once, or not at all (`PIPE_BUF`).
    private static let atomic = page / packet * packet

    init?(
        _ descriptor: CInt, reader: FeedReader, hub: FeedHub, loop: EventLoop, pace: Int64 = 0,
        keepsPackets: Bool = false, onEnd: @escaping (FeedSender, Ending) -> Void
    ) {
        self.descriptor = descriptor
        self.pace = pace
        self.keepsPackets = keepsPackets
        let pages = keepsPackets ? Int(fcntl(descriptor, CInt(F_GETPIPE_SZ))) / Self.page : 0
        // The first and the last are used in part.
        mostAtOnce = max(Self.atomic, (pages - 2) * Self.page / Self.packet * Self.packet)
        self.reader = reader
        self.hub = hub
        self.loop = loop
        self.onEnd = onEnd
        movedAt = EventLoop.now()
        var status = stat()
        isPipe = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
        setNonBlocking(descriptor)
        // Edge-triggered: the kernel speaks up when a full pipe has room again, and nobody re-arms anything.
        guard loop.add(descriptor, events: EPOLLOUT.rawValue | EPOLLET.rawValue, handler: self) else { return nil }
        hub.add(self)
    }

    /// It was closed, from either side.
    var isClosed: Bool { descriptor < 0 }

    /// It was served longer ago than its pace.
    func isDue(at now: Int64) -> Bool { now - movedAt >= pace }

    /// When it is served next, in nanoseconds of the monotonic clock.
    var nextTurn: Int64 { movedAt + pace }

    /// The descriptor has taken nothing since `limit`, though bytes wait.
    func isStuck(since limit: Int64) -> Bool { isBlocked && movedAt < limit }

    func ready(_ events: UInt32) {
        if events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { return end(.closed) }
        isBlocked = false
        flush()
    }

    func flush() {
        while !isBlocked, descriptor >= 0 {
            guard let bytes = reader.next() else {
                if reader.isFinished { end(.eraOver) }
                return
            }
            let count = put(bytes)
            if count > 0 {
                reader.consume(count)
                movedAt = EventLoop.now()
            } else if count < 0, errno == EINTR {
                continue
            } else if count < 0, errno == EAGAIN {
                isBlocked = true
                loop.arm(for: movedAt + Publisher.patience)
            } else {
                return end(.closed)
            }
        }
    }

    /// Into a pipe the feed's pages go by reference: neither copied nor allocated anew for each reader.
    private func put(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard isPipe, reader.givesSharedBytes else { return write(descriptor, bytes.baseAddress!, bytes.count) }
        var count = bytes.count
        if keepsPackets {
            // Where something waits it is not known how many pages are free.
            guard isEmpty else { return write(descriptor, bytes.baseAddress!, min(count, Self.atomic)) }
            count = min(count, mostAtOnce)
        }
        var vector = iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress!), iov_len: count)
        return vmsplice(descriptor, &vector, 1, UInt32(SPLICE_F_NONBLOCK))
    }

    /// Writes what can be written at once, and closes.
    func finish() {
        isFinished = true
        flush()
        close()
    }

    /// Whoever reads has taken all that was written: a process reads, it hands nothing on by reference.
    var isEmpty: Bool {
        var waiting = CInt(0)
        return !isPipe || (ioctl(descriptor, UInt(FIONREAD), &waiting) == 0 && waiting == 0)
    }

    /// Closes the descriptor; whoever reads it sees the end of the stream.
    func close() {
        guard descriptor >= 0 else { return }
        if !isEmpty { hub.feed.lendForGood() }
        loop.remove(descriptor)
        Glibc.close(descriptor)
        descriptor = -1
        hub.remove(self)
    }

    /// Closes a connection at once, with what the kernel still holds for a client that does not take it.
    func abort() {
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    private func end(_ ending: Ending) {
        guard descriptor >= 0 else { return }
        close()
        onEnd(self, ending)
    }
}
