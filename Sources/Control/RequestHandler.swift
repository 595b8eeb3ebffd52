import FoundationEssentials
import NIOCore

/// Serves one client: reads one request, sends the answer, and closes the connection.
final class RequestHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let service: any ControlledService
    private let places: Permits
    private let patience: Duration
    private var hasPlace = false
    private var hasRequest = false
    /// Answers a client that sends no request in time.
    private var timeout: Scheduled<Void>?

    init(service: any ControlledService, places: Permits, patience: Duration) {
        self.service = service
        self.places = places
        self.patience = patience
    }

    func channelActive(context: ChannelHandlerContext) {
        hasPlace = places.take()
        guard hasPlace else {
            hasRequest = true
            return reply(ControlReply(.refused, "too many commands at a time; try again"), to: context.channel)
        }
        let channel = context.channel
        timeout = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(patience)) {
            self.hasRequest = true
            self.reply(
                ControlReply(.mistaken, "no complete request came in time; a request is one JSON object on one line"),
                to: channel)
        }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timeout?.cancel()
        if hasPlace { places.give() }
        hasPlace = false
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // One request per connection.
        guard !hasRequest else { return }
        hasRequest = true
        timeout?.cancel()
        let line = unwrapInboundIn(data)
        guard let request = ControlRequest(line) else {
            let commands = ControlRequest.Command.allCases.map(\.rawValue).joined(separator: ", ")
            return reply(
                ControlReply(
                    .mistaken,
                    "not a request; a request is one JSON object on one line, with a `command`: \(commands)"),
                to: context.channel)
        }
        let (service, patience) = (service, patience)
        let channel = context.channel
        Task {
            let reply = await service.answer(request)
            ReplyWriter.send(reply, to: channel, within: patience)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // A client that sent its request may close its side and wait for the answer.
        if case ChannelEvent.inputClosed = event, !hasRequest {
            hasRequest = true
            return reply(ControlReply(.mistaken, "the request ends without a line feed"), to: context.channel)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !hasRequest, error is LineDecoder.TooLong || error is ByteToMessageDecoderError.PayloadTooLargeError
        else {
            return context.close(promise: nil)
        }
        hasRequest = true
        reply(ControlReply(.mistaken, "a request has at most \(ControlServer.mostBytes) bytes"), to: context.channel)
    }

    private func reply(_ reply: ControlReply, to channel: any Channel) {
        ReplyWriter.send(reply, to: channel, within: patience)
    }
}

extension ControlRequest {
    /// - Parameter line: A line without its line feed.
    /// - Returns: `nil` if the line is not a request.
    init?(_ line: ByteBuffer) {
        guard let request = try? JSONDecoder().decode(ControlRequest.self, from: Data(line.readableBytesView)) else {
            return nil
        }
        self = request
    }
}

/// Sends the answer to a client and closes the connection.
enum ReplyWriter {
    /// - Parameter patience: How long the client may take to read the answer.
    static func send(_ reply: ControlReply, to channel: any Channel, within patience: Duration) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data =
            (try? encoder.encode(reply)) ?? Data(#"{"message":"the reply cannot be written","outcome":"refused"}"#.utf8)
        var buffer = ByteBuffer(bytes: data)
        buffer.writeInteger(UInt8(ascii: "\n"))
        let limit = channel.eventLoop.scheduleTask(in: TimeAmount(patience)) { channel.close(promise: nil) }
        channel.writeAndFlush(buffer).whenComplete { _ in
            limit.cancel()
            channel.close(promise: nil)
        }
    }
}
