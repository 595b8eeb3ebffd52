import CLinux
import EventLoop
import Glibc
import MPEGTS

/// Reads the transport stream of one writer and passes its units on.
final class PipeReader: UnitReader, EventLoop.Handler {
    private let loop: EventLoop
    private var descriptor: CInt
    private var parser = UnitParser()
    private weak var owner: (any UnitReaderDelegate)?
    /// What comes waits in the pipe.
    private var isHeld = false
    /// Likewise for a while, because the writer is ahead of real time.
    private var isWaiting = false
    /// Something that was read has not been passed on, because of that.
    private var hasMore = false
    /// The unit that the owner wants to be given once more.
    private var kept: AccessUnit?
    private var isKeeping = false
    /// Nobody wants what comes before a time.
    private var isResting = false
    /// Bytes that were read at once; the writer has to wait for the loop where they fill its pipe.
    private var lastCount = 0

    /// Bytes read at once from which on a writer may be waiting soon.
    private static let much = 128 << 10

    init?(_ descriptor: CInt, owner: any UnitReaderDelegate, loop: EventLoop) {
        self.descriptor = descriptor
        self.owner = owner
        self.loop = loop
        setNonBlocking(descriptor)
        guard loop.add(descriptor, events: EPOLLIN.rawValue, handler: self) else { return nil }
    }

    func ready(_ events: UInt32) {
        // What is read would take the place of what has not been passed on.
        guard kept == nil, !hasMore else { return }
        let room = parser.prepare()
        let count = read(descriptor, room.baseAddress!, room.count)
        guard count > 0 else {
            if count < 0, errno == EAGAIN || errno == EINTR { return }
            close()
            owner?.unitReaderEnded(self)
            return
        }
        parser.commit(count)
        lastCount = count
        passOn()
    }

    /// Passes on what has been read, beginning with the unit that was kept, until the owner wants no more for now.
    private func passOn() {
        guard let owner else { return }
        let now = EventLoop.now()
        var sawVideo = false
        if let unit = kept {
            kept = nil
            sawVideo = unit.kind == .video
            owner.unitReader(self, found: unit, in: parser, now: now)
            if isKeeping { kept = unit }
        }
        while !isKeeping, !isWaiting, let event = parser.next() {
            switch event {
            case .program(let program): owner.unitReader(self, found: program)
            case .unit(let unit):
                if unit.kind == .video { sawVideo = true }
                owner.unitReader(self, found: unit, in: parser, now: now)
                if isKeeping { kept = unit }
            }
        }
        isKeeping = false
        hasMore = isWaiting
        owner.unitReaderPaused(self, sawVideo: sawVideo)
    }

    /// Lets the unit that the owner is being given wait, and what is behind it: it is given once more after
    /// ``release()``.
    func keep() {
        guard descriptor >= 0 else { return }
        isKeeping = true
        hold()
    }

    /// Leaves what comes in the pipe until a time in nanoseconds of the monotonic clock: each piece of it would wake
    /// the loop, for nobody. A writer that gives much is read as it writes.
    func rest(until time: Int64) {
        guard descriptor >= 0, !isHeld, !isWaiting, !isResting else { return }
        guard lastCount <= Self.much, time > EventLoop.now() else { return }
        isResting = true
        loop.change(descriptor, events: 0)
        loop.at(time) { [weak self] in self?.resume() }
    }

    private func resume() {
        guard isResting, descriptor >= 0 else { return }
        isResting = false
        loop.change(descriptor, events: EPOLLIN.rawValue)
        ready(EPOLLIN.rawValue)
    }

    /// Leaves what comes in the pipe, and the writer waiting once that is full.
    func hold() {
        guard descriptor >= 0, !isHeld else { return }
        isHeld = true
        isResting = false
        // Not only its events: the loop would be told of a writer that has ended again and again.
        loop.remove(descriptor)
    }

    /// Takes what waits in the pipe, and what comes.
    func release() {
        guard descriptor >= 0, isHeld else { return }
        isHeld = false
        readOn()
    }

    /// Gives the owner nothing more until a time in nanoseconds of the monotonic clock: what has been read waits here,
    /// what comes in the pipe, and once that is full, the writer.
    func wait(until time: Int64) {
        guard descriptor >= 0, !isWaiting else { return }
        isWaiting = true
        isResting = false
        loop.remove(descriptor)
        loop.at(time) { [weak self] in
            guard let self, self.descriptor >= 0 else { return }
            self.isWaiting = false
            self.readOn()
        }
    }

    private func readOn() {
        guard !isHeld, !isWaiting else { return }
        guard loop.add(descriptor, events: EPOLLIN.rawValue, handler: self) else {
            close()
            owner?.unitReaderEnded(self)
            return
        }
        if kept != nil || hasMore { passOn() }
    }

    /// Something of what the writer gave has to wait before the owner gets it.
    var isBehind: Bool { descriptor >= 0 && isWaiting }

    /// Takes what a writer that has ended left in the pipe; where it is ahead of real time, no more than may come now.
    func drain() {
        var waiting = CInt(0)
        while !isHeld, !isWaiting, descriptor >= 0, ioctl(descriptor, UInt(FIONREAD), &waiting) == 0, waiting > 0 {
            ready(EPOLLIN.rawValue)
        }
    }

    func close() {
        guard descriptor >= 0 else { return }
        loop.remove(descriptor)
        Glibc.close(descriptor)
        descriptor = -1
    }
}
