import CLinux
import EventLoop
import Glibc
import MPEGTS

/// Writes a feed to a descriptor from the place of one reader, as fast as the descriptor takes it.
final class FeedSender: EventLoop.Handler, PipeWriter {
    /// The reason for the end of a sender.
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
    /// Whether ``finish()`` was called.
    private(set) var isFinished = false
    /// Whether bytes wait, and the descriptor takes none of them.
    private(set) var isBlocked = false
    /// When the descriptor last took a byte or had nothing to take, in nanoseconds of the monotonic clock.
    private(set) var movedAt: Int64

    /// Nanoseconds between two writes; 0 writes with every frame.
    let pace: Int64
    /// Whether each write to the pipe is whole packets. A pipe that is filled up would end within a packet.
    private let keepsPackets: Bool
    /// Bytes of whole packets that an empty pipe always takes, wherever they lie in their pages.
    private let mostAtOnce: Int

    private static let packet = 188
    private static let page = 4096
    /// Bytes of whole packets that a pipe takes all at once, or not at all (`PIPE_BUF`).
    private static let atomic = page / packet * packet

    init?(
        _ descriptor: CInt, reader: FeedReader, hub: FeedHub, loop: EventLoop, pace: Int64 = 0,
        keepsPackets: Bool = false, onEnd: @escaping (FeedSender, Ending) -> Void
    ) {
        self.descriptor = descriptor
        self.pace = pace
        self.keepsPackets = keepsPackets
        let pages = keepsPackets ? Int(fcntl(descriptor, CInt(F_GETPIPE_SZ))) / Self.page : 0
        // The first and the last page are used in part.
        mostAtOnce = max(Self.atomic, (pages - 2) * Self.page / Self.packet * Self.packet)
        self.reader = reader
        self.hub = hub
        self.loop = loop
        self.onEnd = onEnd
        movedAt = EventLoop.now()
        var status = stat()
        isPipe = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
        setNonBlocking(descriptor)
        // Edge-triggered: the kernel reports when a full pipe has room again, without a call to re-arm it.
        guard loop.add(descriptor, events: EPOLLOUT.rawValue | EPOLLET.rawValue, handler: self) else { return nil }
        hub.add(self)
    }

    /// Whether one of the two sides has closed it.
    var isClosed: Bool { descriptor < 0 }

    /// The last write is longer ago than the pace.
    func isDue(at now: Int64) -> Bool { now - movedAt >= pace }

    /// When the next write is due, in nanoseconds of the monotonic clock.
    var nextTurn: Int64 { movedAt + pace }

    /// The descriptor has taken nothing since `limit`, although bytes wait.
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
            let count = write(bytes)
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

    /// Writes bytes. A pipe gets the feed's pages by reference: they are neither copied nor allocated again for each
    /// reader.
    private func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard isPipe, reader.givesSharedBytes else { return Glibc.write(descriptor, bytes.baseAddress!, bytes.count) }
        var count = bytes.count
        if keepsPackets {
            // Where bytes wait, the number of free pages is unknown.
            guard isEmpty else { return Glibc.write(descriptor, bytes.baseAddress!, min(count, Self.atomic)) }
            count = min(count, mostAtOnce)
        }
        var vector = iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress!), iov_len: count)
        return vmsplice(descriptor, &vector, 1, UInt32(SPLICE_F_NONBLOCK))
    }

    /// Writes as much as the descriptor takes now, and closes.
    func finish() {
        isFinished = true
        flush()
        close()
    }

    /// The process has read all bytes that were written. A process reads its input, and passes none of it on by
    /// reference.
    var isEmpty: Bool {
        var waiting = CInt(0)
        return !isPipe || (ioctl(descriptor, UInt(FIONREAD), &waiting) == 0 && waiting == 0)
    }

    /// Closes the descriptor. The reader sees the end of the stream.
    func close() {
        guard descriptor >= 0 else { return }
        if !isEmpty { hub.feed.lendForGood() }
        loop.remove(descriptor)
        Glibc.close(descriptor)
        descriptor = -1
        hub.remove(self)
    }

    /// Closes a connection at once, and discards the bytes that the kernel still holds for a client that takes none.
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
