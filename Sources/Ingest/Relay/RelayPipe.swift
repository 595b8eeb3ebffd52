import CLinux
import Glibc
import NIOCore
import NIOPosix

/// The relay's standard input, from our side. Gives it what it takes, and says when it takes more or is gone.
final class RelayPipe: ChannelInboundHandler {
    typealias InboundIn = Never

    private var channel: (any Channel)?
    /// What the relay gets first.
    private var head: ByteBuffer?
    /// Our end, while the channel is open.
    private var descriptor: CInt = -1
    /// The channel waits until the pipe takes more.
    private var isFull = false
    private var isEnding = false
    private var isClosed = false
    private let source: () -> ByteBuffer?
    private let ended: () -> Void

    private static let pipeSize: CInt = 256 << 10

    /// - Parameters:
    ///   - head: Goes out before everything else.
    ///   - source: Gives the next piece, or nothing for now.
    ///   - ended: The pipe is closed, from either side.
    init(head: ByteBuffer, source: @escaping () -> ByteBuffer?, ended: @escaping () -> Void) {
        self.head = head
        self.source = source
        self.ended = ended
    }

    /// Makes the pipe.
    ///
    /// - Returns: The relay's end, owned by the caller; `nil` when there are no descriptors left.
    func open(on loop: any EventLoop) -> CInt? {
        var ends: [CInt] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { return nil }
        _ = fcntl(ends[1], CInt(F_SETPIPE_SZ), Self.pipeSize)
        let handler = NIOLoopBound(self, eventLoop: loop)
        let made = NIOPipeBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler.value) }
            }
            .takingOwnershipOfDescriptor(output: ends[1])
        let writing = ends[1]
        made.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel):
                self.channel = channel
                self.descriptor = writing
            case .failure: Glibc.close(writing)
            }
            self.pump()
        }
        return ends[0]
    }

    /// Gives the relay what it takes.
    ///
    /// Straight into the pipe: what a channel does around a write costs more than the write. The channel takes over where the
    /// pipe is full.
    func pump() {
        guard let channel else { return }
        // A channel that has closed has given its descriptor away.
        while channel.isActive, !isClosed, !isFull {
            guard let piece = head.take() ?? source() else {
                if isEnding { channel.close(promise: nil) }
                return
            }
            write(piece, to: channel)
        }
    }

    private func write(_ piece: ByteBuffer, to channel: any Channel) {
        let written = piece.withUnsafeReadableBytes { Glibc.write(descriptor, $0.baseAddress!, $0.count) }
        guard written < piece.readableBytes else { return }
        isFull = true
        channel.writeAndFlush(piece.getSlice(at: piece.readerIndex + max(0, written), length: piece.readableBytes - max(0, written))!)
            .assumeIsolated().whenSuccess {
                self.isFull = false
                self.pump()
            }
    }

    /// Closes the pipe once the relay has taken everything.
    func end() {
        isEnding = true
        pump()
    }

    /// Closes the pipe now.
    func close() { channel?.close(promise: nil) }

    // MARK: Handler

    func channelInactive(context: ChannelHandlerContext) {
        guard !isClosed else { return }
        isClosed = true
        ended()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
