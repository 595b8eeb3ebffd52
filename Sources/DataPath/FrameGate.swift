import CLinux
import Glibc
import Synchronization
public import SystemPackage

/// Frames that another program writes to a FIFO, on their way to the relay that encodes them.
///
/// The FIFO is kept open here, so that neither a writer nor a relay that comes and goes leaves the other in the middle of a
/// frame: a relay begins with a whole one, and a frame that its writer left torn is filled up. The bytes are moved by the
/// kernel, from pipe to pipe.
public final class FrameGate: Sendable {
    public enum Event: Sendable, Hashable {
        /// Somebody writes.
        case writer
        /// Nobody does any more.
        /// - Parameter missing: Bytes of the last frame that were not written.
        case gone(missing: Int)
    }

    /// Why there is no gate.
    public struct Unusable: Error, Sendable, CustomStringConvertible {
        public var description: String
    }

    private struct State {
        /// The end of the relay's input that is written to, until the thread has taken it.
        var next: CInt?
        var isClosed = false
    }

    private let path: String
    private let frameSize: Int
    private let events: @Sendable (Event) -> Void
    private let state = Mutex(State())
    private let wakeup: CInt
    /// Bytes that a pipe holds at the most, where the system allows it.
    private static let pipeSize: CInt = 1 << 20

    /// Opens the FIFO, which is made where there is none, for whoever may write to its folder's group.
    ///
    /// - Parameters:
    ///   - frameSize: Bytes.
    ///   - events: Called on a thread of the gate's; it must not block.
    public init(path: String, frameSize: Int, events: @escaping @Sendable (Event) -> Void) throws(Unusable) {
        precondition(frameSize > 0)
        self.path = path
        self.frameSize = frameSize
        self.events = events
        var info = stat()
        if stat(path, &info) != 0 {
            guard mkfifo(path, 0o660) == 0 else { throw Unusable(description: "\(path) cannot be made: \(String(cString: strerror(errno)))") }
        } else if info.st_mode & S_IFMT != S_IFIFO {
            throw Unusable(description: "\(path) is no FIFO; remove it, or name another path")
        }
        let fifo = Self.open(path)
        guard fifo >= 0 else { throw Unusable(description: "\(path) cannot be opened: \(String(cString: strerror(errno)))") }
        wakeup = eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK))
        guard wakeup >= 0 else {
            Glibc.close(fifo)
            throw Unusable(description: "\(path) cannot be watched: \(String(cString: strerror(errno)))")
        }
        guard start(fifo) else {
            Glibc.close(fifo)
            throw Unusable(description: "\(path) cannot be watched: there is no thread for it")
        }
    }

    deinit { Glibc.close(wakeup) }

    /// The input of the next relay; the one before gets no more.
    ///
    /// - Returns: The end to be read, owned by the caller.
    public func attach() throws(Unusable) -> FileDescriptor {
        var ends: [CInt] = [0, 0]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { throw Unusable(description: "there is no pipe for \(path): \(String(cString: strerror(errno)))") }
        _ = fcntl(ends[1], CInt(F_SETPIPE_SZ), Self.pipeSize)
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        let former = state.withLock { state in
            defer { state.next = ends[1] }
            return state.next
        }
        if let former { Glibc.close(former) }
        wake()
        return FileDescriptor(rawValue: ends[0])
    }

    /// Ends the thread, which closes what it has open.
    public func close() {
        state.withLock { $0.isClosed = true }
        wake()
    }

    private func wake() {
        var one: UInt64 = 1
        _ = write(wakeup, &one, 8)
    }

    private static func open(_ path: String) -> CInt {
        let fifo = Glibc.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        if fifo >= 0 { _ = fcntl(fifo, CInt(F_SETPIPE_SZ), pipeSize) }
        return fifo
    }

    private func start(_ fifo: CInt) -> Bool {
        let context = Unmanaged.passRetained(Start(gate: self, fifo: fifo)).toOpaque()
        var thread = pthread_t()
        let status = pthread_create(&thread, nil, { context in
            let start = Unmanaged<Start>.fromOpaque(context!).takeRetainedValue()
            var passage = Passage(gate: start.gate, fifo: start.fifo)
            passage.run()
            return nil
        }, context)
        guard status == 0 else {
            Unmanaged<Start>.fromOpaque(context).release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    private final class Start {
        let gate: FrameGate
        let fifo: CInt

        init(gate: FrameGate, fifo: CInt) {
            self.gate = gate
            self.fifo = fifo
        }
    }

    // MARK: The thread

    /// What the thread of a gate knows.
    private struct Passage {
        let gate: FrameGate
        var fifo: CInt
        var output: CInt = -1
        /// Bytes of the frame under way that have left the FIFO.
        var offset = 0
        /// The rest of the frame under way is not for the output, which begins with the next.
        var skips = false
        var hasWriter = false

        mutating func run() {
            while takeOrders() {
                // At the border of two frames and with nobody to read them, the writer waits.
                let wants = output >= 0 || offset > 0
                wait(for: wants ? fifo : -1, CInt(POLLIN))
                guard wants else { continue }
                move()
            }
            if output >= 0 { Glibc.close(output) }
            Glibc.close(fifo)
        }

        /// - Returns: `false` when the gate is closed.
        private mutating func takeOrders() -> Bool {
            let (next, isClosed) = gate.state.withLock { state in
                defer { state.next = nil }
                return (state.next, state.isClosed)
            }
            if let next {
                if output >= 0 { Glibc.close(output) }
                output = next
                skips = offset > 0
            }
            return !isClosed
        }

        private func wait(for descriptor: CInt, _ event: CInt) {
            var ends = [pollfd(fd: gate.wakeup, events: Int16(POLLIN), revents: 0), pollfd(fd: descriptor, events: Int16(event), revents: 0)]
            _ = poll(&ends, 2, -1)
            var count: UInt64 = 0
            if ends[0].revents != 0 { _ = read(gate.wakeup, &count, 8) }
        }

        private mutating func move() {
            let wanted = gate.frameSize - offset
            let count = skips || output < 0 ? discard(wanted) : splice(fifo, nil, output, nil, wanted, UInt32(SPLICE_F_NONBLOCK))
            if count > 0 {
                if !hasWriter { gate.events(.writer) }
                hasWriter = true
                offset = (offset + count) % gate.frameSize
                if offset == 0 { skips = false }
            } else if count == 0 {
                endOfWriter()
            } else if errno == EPIPE {
                Glibc.close(output)
                output = -1
            } else if errno == EAGAIN, output >= 0, !skips, isReadable() {
                // The relay is slower than the writer, who waits then.
                wait(for: output, CInt(POLLOUT))
            }
        }

        private func isReadable() -> Bool {
            var end = pollfd(fd: fifo, events: Int16(POLLIN), revents: 0)
            return poll(&end, 1, 0) > 0 && end.revents & Int16(POLLIN) != 0
        }

        private func discard(_ wanted: Int) -> Int {
            withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { read(fifo, $0.baseAddress!, min(wanted, $0.count)) }
        }

        /// A torn frame is filled up, so that the next writer's first frame begins where one begins.
        private mutating func endOfWriter() {
            let missing = offset > 0 ? gate.frameSize - offset : 0
            if hasWriter { gate.events(.gone(missing: missing)) }
            hasWriter = false
            if missing > 0, !skips { fill(missing) }
            offset = 0
            skips = false
            // A FIFO whose writers have gone says so for ever; one that is opened anew waits for the next.
            let next = FrameGate.open(gate.path)
            guard next >= 0 else {
                // Its folder is gone, perhaps for a moment.
                usleep(250_000)
                return
            }
            Glibc.close(fifo)
            fifo = next
        }

        private mutating func fill(_ missing: Int) {
            let zeros = [UInt8](repeating: 0, count: min(missing, 1 << 16))
            var left = missing
            while left > 0, output >= 0 {
                let count = write(output, zeros, min(left, zeros.count))
                if count > 0 {
                    left -= count
                } else if errno == EAGAIN {
                    wait(for: output, CInt(POLLOUT))
                    let (isReplaced, isClosed) = gate.state.withLock { ($0.next != nil, $0.isClosed) }
                    if isReplaced || isClosed { return }
                } else {
                    Glibc.close(output)
                    output = -1
                }
            }
        }
    }
}
