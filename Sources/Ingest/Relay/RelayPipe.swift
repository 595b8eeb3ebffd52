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
    private var isEnding = false
    private var isClosed = false
    private let source: () -> ByteBuffer?
    private let ended: () -> Void

    /// Bytes that wait here, beside those in the pipe.
    private static let waiting = 64 << 10 ... 256 << 10
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
            .channelOption(.writeBufferWaterMark, value: .init(low: Self.waiting.lowerBound, high: Self.waiting.upperBound))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler.value) }
            }
            .takingOwnershipOfDescriptor(output: ends[1])
        let writing = ends[1]
        made.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel): self.channel = channel
            case .failure: Glibc.close(writing)
            }
            self.pump()
        }
        return ends[0]
    }

    /// Gives the relay what it takes.
    func pump() {
        guard let channel, !isClosed else { return }
        var last: EventLoopFuture<Void>.Isolated?
        var wrote = false
        if let head {
            self.head = nil
            channel.write(head, promise: nil)
            wrote = true
        }
        while channel.isWritable, let piece = source() {
            channel.write(piece, promise: nil)
            wrote = true
        }
        if isEnding, channel.isWritable {
            last = channel.write(ByteBuffer()).assumeIsolated()
            wrote = true
        }
        if wrote { channel.flush() }
        last?.whenComplete { _ in channel.close(promise: nil) }
    }

    /// Closes the pipe once the relay has taken everything.
    func end() {
        isEnding = true
        pump()
    }

    /// Closes the pipe now.
    func close() { channel?.close(promise: nil) }

    // MARK: Handler

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { pump() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        guard !isClosed else { return }
        isClosed = true
        ended()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
