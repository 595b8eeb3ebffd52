import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Enforces the ``ServerLimits`` on a client: the size of a request, the time to receive it, and the time to send the
/// answer.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limits: ServerLimits
    private let connections: Connections
    private let counter: ByteCounter
    private var deadline: Scheduled<Void>?
    /// The number of requests whose answers have not been sent completely.
    private var open = 0

    init(limits: ServerLimits, connections: Connections) {
        self.limits = limits
        self.connections = connections
        counter = ByteCounter(most: limits.requestBytes)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        guard connections.add(channel) else { return context.eventLoop.execute { channel.close(promise: nil) } }
        // The server answers a parser error with 400 and closes the connection.
        counter.isOver = { context.fireErrorCaught(HTTPParserError.headerOverflow) }
        try? context.pipeline.syncOperations.addHandler(counter, position: .first)
        wait(limits.request, context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(context)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { end(context) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            if open == 0 {
                connections.setIdle(false, context.channel)
                wait(limits.request, context)
            }
            open += 1
        case .body: break
        case .end:
            counter.reset()
            if open == 1 { wait(limits.answer, context) }
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            // The event stream itself closes the connection of a client that falls behind.
            if head.headerFields[.contentType] == EventStreams.mediaType {
                deadline?.cancel()
                // Unread events wait in the queue of the client, not in the kernel.
                _ = context.channel.setOption(.socketOption(.so_sndbuf), value: 64 << 10)
            }
            context.write(data, promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            let left = promise ?? context.eventLoop.makePromise()
            left.futureResult.assumeIsolated().whenComplete { _ in self.answered(context) }
            context.write(data, promise: left)
        }
    }

    private func answered(_ context: ChannelHandlerContext) {
        open -= 1
        guard open == 0, context.channel.isActive else { return }
        connections.setIdle(true, context.channel)
        wait(limits.idle, context)
    }

    private func wait(_ limit: TimeAmount, _ context: ChannelHandlerContext) {
        deadline?.cancel()
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    }

    private func end(_ context: ChannelHandlerContext) {
        deadline?.cancel()
        counter.isOver = {}
        connections.remove(context.channel)
    }
}

/// Counts the bytes of a request before they are parsed: the parser keeps a line of any length.
final class ByteCounter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let most: Int
    private var count = 0
    /// Called once, when the limit is exceeded.
    var isOver: () -> Void = {}

    init(most: Int) {
        self.most = most
    }

    /// Called at the end of a request.
    func reset() { count = 0 }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let wasOver = count > most
        count += unwrapInboundIn(data).readableBytes
        guard count > most else { return context.fireChannelRead(data) }
        // The rest of the request is discarded.
        if !wasOver { isOver() }
    }
}
