import CLinux
import EventLoop
import Glibc
import MPEGTS

/// Reads the transport stream of one process from a pipe, and passes its units on.
final class PipeReader: UnitReader, EventLoop.Handler {
    private let loop: EventLoop
    private var descriptor: CInt
    private var parser = UnitParser()
    private weak var owner: (any UnitReaderDelegate)?
    /// Whether input waits in the pipe.
    private var isHeld = false
    /// Whether input waits in the pipe until a time, because the writer is ahead of real time.
    private var isWaiting = false
    /// Whether units that were read have not been passed on, because of that.
    private var hasMore = false
    /// The unit that the owner wants once more.
    private var kept: AccessUnit?
    private var isKeeping = false
    /// Whether input waits in the pipe until a time, because no reader wants it before.
    private var isResting = false
    /// Bytes of the last read. Where they filled the pipe, the writer has to wait for the loop.
    private var lastCount = 0

    /// Bytes of one read above which the writer may soon have to wait.
    private static let much = 128 << 10

    init?(_ descriptor: CInt, owner: any UnitReaderDelegate, loop: EventLoop) {
        self.descriptor = descriptor
        self.owner = owner
        self.loop = loop
        setNonBlocking(descriptor)
        guard loop.add(descriptor, events: EPOLLIN.rawValue, handler: self) else { return nil }
    }

    func ready(_ events: UInt32) {
        // New bytes would overwrite those that have not been passed on.
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

    /// Passes on the units that have been read, beginning with a kept one, until the owner wants no more for now.
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

    /// Keeps the unit that the owner gets at present, and the input behind it. The owner gets the unit once more after
    /// ``release()``.
    func keep() {
        guard descriptor >= 0 else { return }
        isKeeping = true
        hold()
    }

    /// Leaves new input in the pipe until a time in nanoseconds of the monotonic clock. Each piece of it would wake the
    /// loop, and no reader wants it yet. A writer that writes much is read as it writes.
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

    /// Leaves new input in the pipe. The writer waits once the pipe is full.
    func hold() {
        guard descriptor >= 0, !isHeld else { return }
        isHeld = true
        isResting = false
        // Remove the descriptor, not only its events: epoll would repeatedly report a writer that has ended.
        loop.remove(descriptor)
    }

    /// Reads the input that waits in the pipe, and new input.
    func release() {
        guard descriptor >= 0, isHeld else { return }
        isHeld = false
        continueReading()
    }

    /// Gives the owner nothing more until a time in nanoseconds of the monotonic clock. Units that have been read wait
    /// here, new input waits in the pipe, and the writer waits once the pipe is full.
    func wait(until time: Int64) {
        guard descriptor >= 0, !isWaiting else { return }
        isWaiting = true
        isResting = false
        loop.remove(descriptor)
        loop.at(time) { [weak self] in
            guard let self, self.descriptor >= 0 else { return }
            self.isWaiting = false
            self.continueReading()
        }
    }

    private func continueReading() {
        guard !isHeld, !isWaiting else { return }
        guard loop.add(descriptor, events: EPOLLIN.rawValue, handler: self) else {
            close()
            owner?.unitReaderEnded(self)
            return
        }
        if kept != nil || hasMore { passOn() }
    }

    /// Whether input has to wait before the owner gets it.
    var isBehind: Bool { descriptor >= 0 && isWaiting }

    /// Reads the bytes that a writer left in the pipe when it ended. Where it is ahead of real time, it reads no more
    /// than may come now.
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
