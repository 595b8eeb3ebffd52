import NIOCore
import RTMP

/// One connection to an ingest: a stranger first, and a publisher once it has shown the right key.
final class Connection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What it is, as far as the desk is concerned.
    enum Standing {
        case stranger
        /// It waits until its key is looked at, or whether the publisher in its way is silent.
        case waiting
        case publisher(Publication)
        case refused
    }

    private let desk: Desk
    private(set) var address = "unknown"
    /// What is counted as one address: of IPv6 the network, since a peer has as many addresses as it likes.
    private(set) var neighbourhood = "unknown"
    var standing = Standing.stranger
    /// The name that it wants to publish under, until that is decided.
    private(set) var name: String?
    private var session: PublishSession
    private var context: ChannelHandlerContext?
    /// What came while it waits.
    private var held: ByteBuffer?
    private var mayRead = true
    private var wantsRead = false
    private var deadline: Scheduled<Void>?

    init(desk: Desk, application: String) {
        self.desk = desk
        session = PublishSession(application: application, nonce: .random(in: 0...UInt64.max))
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        (address, neighbourhood) = Self.names(of: context.remoteAddress)
        guard desk.admit(self) else { return context.eventLoop.assumeIsolated().execute { self.close() } }
        limit(desk.limits.handshake) { [unowned self] in desk.refuse(self, .handshake, nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { leave() }

    private func leave() {
        guard context != nil else { return }
        context = nil
        deadline?.cancel()
        desk.left(self)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { close() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        switch standing {
        case .stranger, .publisher: process(&buffer)
        case .waiting: hold(buffer)
        case .refused: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        settle()
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if mayRead { context.read() } else { wantsRead = true }
    }

    /// A peer that takes no answers is not served.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if !context.channel.isWritable { close() }
    }

    // MARK: Protocol

    private func process(_ buffer: inout ByteBuffer) {
        let now = NIODeadline.now()
        do {
            let rest = try buffer.withUnsafeReadableBytes { bytes throws -> Int in
                var rest = bytes
                while let event = try session.next(&rest) {
                    try handle(event, now: now)
                    switch standing {
                    case .stranger, .publisher: continue
                    case .waiting, .refused: return rest.count
                    }
                }
                return 0
            }
            if rest > 0, case .waiting = standing {
                buffer.moveReaderIndex(forwardBy: buffer.readableBytes - rest)
                hold(buffer)
            }
            answer()
        } catch {
            desk.violated(self, error as? Violation ?? .malformed)
        }
    }

    private func hold(_ buffer: ByteBuffer) {
        mayRead = false
        var buffer = buffer
        if held == nil { held = buffer } else { held!.writeBuffer(&buffer) }
    }

    private func handle(_ event: PublishSession.Event, now: NIODeadline) throws {
        switch event {
        case .wrongApplication: desk.refuse(self, .application, nil)
        case .publish(let name):
            standing = .waiting
            self.name = name
            desk.ask(self)
        case .media(let header):
            guard case .publisher(let publication) = standing else { return }
            let message = session.withMedia { bytes in
                let message = MediaMessage(header, bytes)
                if !message.isEmpty { publication.take(message, header, bytes, now: now) }
                return message
            }
            desk.took(message, from: self, now: now)
        case .unpublish:
            desk.left(self, stays: true)
        }
    }

    private func settle() {
        guard case .publisher(let publication) = standing, !publication.pause(now: .now()) else { return }
        mayRead = false
    }

    /// Reads on.
    func resume() {
        guard !mayRead else { return }
        mayRead = true
        if var held {
            self.held = nil
            process(&held)
            settle()
        }
        guard mayRead, wantsRead, let context else { return }
        wantsRead = false
        context.read()
    }

    private func answer() {
        let reply = session.takeReply()
        guard !reply.isEmpty, let context else { return }
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: reply)), promise: nil)
    }

    // MARK: For the desk

    func accept(_ publication: Publication) {
        standing = .publisher(publication)
        name = nil
        deadline?.cancel()
        session.accept()
        answer()
        publication.hasRoom = { [weak self] in self?.resume() }
        limit(desk.limits.idle, checkIdle)
        // What came with the request.
        context?.eventLoop.assumeIsolated().execute { self.resume() }
    }

    private func checkIdle() {
        guard case .publisher(let publication) = standing else { return }
        let left = TimeAmount(desk.limits.idle) - publication.silence(now: .now())
        guard left > .zero else { return desk.isIdle(self) }
        limit(.nanoseconds(left.nanoseconds), checkIdle)
    }

    /// It publishes no more, and may ask again.
    func becomeStranger() {
        standing = .stranger
        limit(desk.limits.handshake) { [unowned self] in close() }
    }

    /// Tells it why and hangs up, after it has had time to read it.
    func refuse(_ refusal: PublishSession.Refusal?) {
        standing = .refused
        name = nil
        deadline?.cancel()
        if let refusal { session.refuse(refusal) }
        held = nil
        answer()
        guard let context else { return }
        // Closed at once, with bytes of the peer unread, the answer could be lost on its way.
        mayRead = true
        if wantsRead {
            wantsRead = false
            context.read()
        }
        context.close(mode: .output, promise: nil)
        limit(desk.limits.farewell) { [unowned self] in close() }
    }

    func close() { context?.close(promise: nil) }

    private func limit(_ time: Duration, _ action: @escaping () -> Void) {
        deadline?.cancel()
        deadline = context?.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(time), action)
    }

    private static func names(of address: SocketAddress?) -> (String, String) {
        guard let address, let text = address.ipAddress else { return ("unknown", "unknown") }
        if text.hasPrefix("::ffff:"), text.contains(".") {
            let plain = String(text.dropFirst(7))
            return (plain, plain)
        }
        guard case .v6 = address else { return (text, text) }
        // The first half of the address, which stands behind family, port and flow.
        let network = address.withSockAddr { start, _ in
            UnsafeRawBufferPointer(start: UnsafeRawPointer(start) + 8, count: 8).map { String($0, radix: 16) }.joined(separator: ".")
        }
        return (text, network)
    }
}
