import CLinux
import Glibc
import Polling

/// The relay's standard input, from our side. Gives it what it takes, and ends with it.
final class RelayPipe: EventLoop.Handler {
    private let loop: EventLoop
    private var descriptor: CInt
    /// What the relay gets next, as far as it is known.
    private var piece: [UInt8]
    /// Bytes of it that the relay has got.
    private var taken = 0
    /// The pipe takes nothing more for now.
    private var isFull = false
    private var isEnding = false
    /// Kept until the pipe is closed: what a publisher sent last goes out after it has gone.
    private var source: (() -> [UInt8]?)?
    private let closed: () -> Void

    private static let pipeSize: CInt = 256 << 10

    private init(_ descriptor: CInt, loop: EventLoop, head: [UInt8], source: @escaping () -> [UInt8]?, closed: @escaping () -> Void) {
        self.descriptor = descriptor
        self.loop = loop
        self.source = source
        self.closed = closed
        piece = head
    }

    /// Makes a pipe.
    ///
    /// - Parameters:
    ///   - head: Goes out before everything else.
    ///   - source: Gives the next piece, or nothing for now.
    ///   - closed: Called when it asks for no more.
    /// - Returns: It, and the relay's end, owned by the caller; `nil` when there are no descriptors left.
    static func make(
        on loop: EventLoop, head: [UInt8], source: @escaping () -> [UInt8]?, closed: @escaping () -> Void
    ) -> (RelayPipe, CInt)? {
        var ends: [CInt] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { return nil }
        _ = fcntl(ends[1], CInt(F_SETPIPE_SZ), Self.pipeSize)
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        let pipe = RelayPipe(ends[1], loop: loop, head: head, source: source, closed: closed)
        // Edge-triggered: the kernel speaks up when a full pipe has room again.
        guard loop.add(ends[1], events: EPOLLOUT.rawValue | EPOLLET.rawValue, handler: pipe) else {
            for end in ends { Glibc.close(end) }
            return nil
        }
        return (pipe, ends[0])
    }

    func ready(_ events: UInt32) {
        if events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { return close() }
        isFull = false
        pump()
    }

    /// Gives the relay what it takes.
    func pump() {
        while descriptor >= 0, !isFull {
            if taken == piece.count {
                taken = 0
                piece = source?() ?? []
                guard !piece.isEmpty else {
                    if isEnding { close() }
                    return
                }
            }
            let count = piece.withUnsafeBytes { write(descriptor, $0.baseAddress! + taken, $0.count - taken) }
            if count >= 0 {
                taken += count
            } else if errno == EAGAIN {
                isFull = true
            } else if errno != EINTR {
                close()
            }
        }
    }

    /// Closes the pipe once the relay has taken everything.
    func end() {
        isEnding = true
        pump()
    }

    /// Closes the pipe now.
    func close() {
        guard descriptor >= 0 else { return }
        loop.remove(descriptor)
        Glibc.close(descriptor)
        descriptor = -1
        source = nil
        closed()
    }
}
