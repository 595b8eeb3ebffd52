/// The server's side of one RTMP connection that wants to publish: bytes in, events and answers out.
///
///     var rest = bytes
///     while let event = try session.next(&rest) { … }
///     send(session.takeReply())
///
/// It checks only the name of the application. The caller answers ``Event/publish(name:)`` with ``accept()`` or
/// ``refuse(_:)``, and gives it no bytes before that.
package struct PublishSession: ~Copyable {
    package enum Event: Sendable, Hashable {
        /// The client named another application; the reply contains the error.
        case wrongApplication
        /// The client asks to publish under this name.
        case publish(name: String)
        /// A message of audio or video; ``PublishSession/withMedia(_:)`` gives its bytes.
        case media(MessageHeader)
        /// A message that may announce the media; ``PublishSession/withMedia(_:)`` gives its bytes.
        case data
        /// The client has stopped publishing.
        case unpublish
    }

    /// Why the client may not publish.
    package enum Refusal: Sendable, Hashable {
        /// The stream name is wrong.
        case badName
        /// Another publisher is active.
        case busy
        /// The client has to stop publishing.
        case rejected(String)
    }

    private enum State {
        case handshake, fresh, connected, deciding, publishing, ended
    }

    /// The limits before the client may publish, and from then on.
    private static let limitsBefore = ChunkReader.Limits(message: 16 << 10, chunkStreams: 16)
    private static let limitsAfter = ChunkReader.Limits(message: 8 << 20, chunkStreams: 64)
    /// Limits for a client that does not publish. An encoder needs ten messages, in five kilobytes, to ask.
    private static let maximumMessages = 64
    private static let maximumBytes = 64 << 10
    /// The window in bytes after which each side acknowledges.
    private static let window: UInt32 = 2_500_000
    /// The chunk streams that the server uses.
    private enum ServerChunkStream {
        static let control: UInt8 = 2
        static let command: UInt8 = 3
        static let status: UInt8 = 5
    }

    private let application: StreamKey
    private var state = State.handshake
    private var handshake: Handshake
    private var reader = ChunkReader(limits: Self.limitsBefore)
    private var writer = ChunkWriter()
    private var reply: [UInt8] = []
    private var aggregate: AggregateReader?
    /// The number of streams that the client has created.
    private var streams = 0
    private var publishStream: UInt32 = 1
    private var received: UInt32 = 0
    private var acknowledged: UInt32 = 0
    private var window = Self.window
    /// The messages and bytes that came while it did not publish.
    private var unpublished: (messages: Int, bytes: Int) = (0, 0)

    /// - Parameters:
    ///   - application: The application that a client has to name; not empty.
    ///   - nonce: Any number, a different one for each connection.
    package init(application: String, nonce: UInt64) {
        self.application = StreamKey(application)
        handshake = Handshake(nonce: nonce)
    }

    /// Returns the bytes to send, and removes them.
    package mutating func takeReply() -> [UInt8] {
        defer { reply = [] }
        return reply
    }

    /// Consumes bytes from the front of `input` until there is an event.
    ///
    /// - Returns: `nil` if all bytes are consumed.
    package mutating func next(_ input: inout Bytes) throws(Violation) -> Event? {
        if let event = nextOfAggregate() { return event }
        if state != .publishing, unpublished.bytes > Self.maximumBytes { throw .tooMuch }
        let before = input.count
        defer { count(before - input.count) }
        if state == .handshake {
            try handshake.receive(&input, reply: &reply)
            guard handshake.isComplete else { return nil }
            state = .fresh
        }
        while state != .ended, state != .deciding, let header = try reader.next(&input) {
            if state != .publishing {
                unpublished.messages += 1
                guard unpublished.messages <= Self.maximumMessages else { throw .tooMuch }
            }
            if let event = try take(header) { return event }
        }
        return nil
    }

    /// Calls `body` with the bytes of the last message of media or data. They are available until the next call of
    /// ``next(_:)``.
    package func withMedia<Result, Failure: Error>(_ body: (Bytes) throws(Failure) -> Result) throws(Failure) -> Result
    {
        guard let aggregate else { return try reader.withBody(body) }
        return try reader.withBody { (bytes) throws(Failure) in try body(aggregate.part(of: bytes)) }
    }

    // MARK: Decisions

    /// Lets the client publish.
    package mutating func accept() {
        precondition(state == .deciding)
        state = .publishing
        unpublished = (0, 0)
        reader.limits = Self.limitsAfter
        var begin: [UInt8] = [0, 0]
        begin.appendBigEndian(publishStream)
        send(MessageType.userControl, begin)
        status("status", "NetStream.Publish.Start", "publishing started")
    }

    /// Tells the client that it may not publish, or has to stop. No more events follow.
    package mutating func refuse(_ refusal: Refusal) {
        switch refusal {
        case .badName: status("error", "NetStream.Publish.BadName", "the stream key is wrong")
        case .busy: status("error", "NetStream.Publish.BadName", "another publisher is active")
        case .rejected(let why): status("error", "NetStream.Publish.Rejected", why)
        }
        state = .ended
    }

    // MARK: Messages

    private mutating func take(_ header: MessageHeader) throws(Violation) -> Event? {
        switch header.type {
        case MessageType.setChunkSize: try reader.setChunkSize(try number())
        case MessageType.abort: reader.abort(try number())
        case MessageType.windowSize: window = max(try number(), 64 << 10)
        case MessageType.userControl: try control()
        case MessageType.command: return try command(skipping: 0)
        // A format byte precedes the values, which are those of version 0.
        case MessageType.commandAMF3: return try command(skipping: 1)
        case MessageType.audio, MessageType.video:
            guard state == .publishing else { throw .outOfTurn }
            return .media(header)
        case MessageType.data: return state == .publishing ? .data : nil
        case MessageType.aggregate:
            guard state == .publishing else { throw .outOfTurn }
            aggregate = AggregateReader(start: header.timestamp)
            return nextOfAggregate()
        default: break
        }
        return nil
    }

    private mutating func nextOfAggregate() -> Event? {
        guard var parts = aggregate else { return nil }
        let header = reader.withBody { parts.next($0) }
        aggregate = header == nil ? nil : parts
        return header.map(Event.media)
    }

    private func number() throws(Violation) -> UInt32 {
        try reader.withBody { (bytes) throws(Violation) in
            guard bytes.count >= 4 else { throw .malformed }
            return bytes.bigEndian32(at: 0)
        }
    }

    private mutating func control() throws(Violation) {
        let ping = try reader.withBody { (bytes) throws(Violation) -> UInt32? in
            guard bytes.count >= 2 else { throw .malformed }
            return bytes.bigEndian16(at: 0) == 6 && bytes.count >= 6 ? bytes.bigEndian32(at: 2) : nil
        }
        guard let ping else { return }
        var pong: [UInt8] = [0, 7]
        pong.appendBigEndian(ping)
        send(MessageType.userControl, pong)
    }

    // MARK: Commands

    private mutating func command(skipping skipped: Int) throws(Violation) -> Event? {
        let command = try reader.withBody { (bytes) throws(Violation) in
            guard bytes.count > skipped else { throw .malformed }
            return try Command(Bytes(rebasing: bytes[skipped...]))
        }
        guard state != .fresh || command.name == "connect" else { throw .outOfTurn }
        switch command.name {
        case "connect": return try connect(command)
        case "createStream":
            streams += 1
            guard streams <= 16 else { throw .outOfTurn }
            answer("_result", command, [.null, .number(Double(streams))])
        case "releaseStream": answer("_result", command, [.null, .null])
        case "FCPublish":
            answer("_result", command, [.null, .null])
            answer("onFCPublish", nil, [.null, Self.status("status", "NetStream.Publish.Start", "")])
        case "publish":
            guard state == .connected else { throw .outOfTurn }
            publishStream = UInt32(max(streams, 1))
            state = .deciding
            return .publish(name: command.argument(1)?.string ?? "")
        case "FCUnpublish":
            answer("onFCUnpublish", nil, [.null, Self.status("status", "NetStream.Unpublish.Success", "")])
        case "deleteStream", "closeStream":
            guard state == .publishing else { return nil }
            state = .connected
            status("status", "NetStream.Unpublish.Success", "publishing stopped")
            return .unpublish
        case "play", "play2": throw .play
        // Bandwidth checks, and other commands that need no answer.
        default: break
        }
        return nil
    }

    private mutating func connect(_ command: Command) throws(Violation) -> Event? {
        guard state == .fresh else { throw .outOfTurn }
        var bandwidth: [UInt8] = []
        bandwidth.appendBigEndian(Self.window)
        send(MessageType.windowSize, bandwidth)
        send(MessageType.peerBandwidth, bandwidth + [2])
        var size: [UInt8] = []
        size.appendBigEndian(UInt32(ChunkWriter.announcedSize))
        send(MessageType.setChunkSize, size)
        guard isApplication(command.argument(0)?["app"]?.string ?? "") else {
            state = .ended
            answer(
                "_error", command,
                [.null, Self.status("error", "NetConnection.Connect.Rejected", "no such application")])
            return .wrongApplication
        }
        state = .connected
        answer(
            "_result", command,
            [
                .object([AMF0.Member("fmsVer", .string("FMS/3,5,7,7009")), AMF0.Member("capabilities", .number(31))]),
                .object([
                    AMF0.Member("level", .string("status")),
                    AMF0.Member("code", .string("NetConnection.Connect.Success")),
                    AMF0.Member("description", .string("welcome")), AMF0.Member("objectEncoding", .number(0)),
                ]),
            ])
        return nil
    }

    /// Whether `name` is the application. Some clients append a slash or parameters.
    private func isApplication(_ name: String) -> Bool {
        let bare = name.prefix { $0 != "?" }
        return application.admits(String(bare)) || (bare.last == "/" && application.admits(String(bare.dropLast())))
    }

    // MARK: Answers

    private static func status(_ level: String, _ code: String, _ description: String) -> AMF0 {
        .object([
            AMF0.Member("level", .string(level)), AMF0.Member("code", .string(code)),
            AMF0.Member("description", .string(description)),
        ])
    }

    private mutating func status(_ level: String, _ code: String, _ description: String) {
        answer("onStatus", nil, [.null, Self.status(level, code, description)], stream: publishStream)
    }

    private mutating func answer(_ name: String, _ command: Command?, _ values: [AMF0], stream: UInt32 = 0) {
        var body: [UInt8] = []
        AMF0.string(name).write(to: &body)
        AMF0.number(command?.transaction ?? 0).write(to: &body)
        for value in values { value.write(to: &body) }
        writer.write(
            MessageHeader(type: MessageType.command, streamID: stream), body,
            chunkStream: stream == 0 ? ServerChunkStream.command : ServerChunkStream.status, to: &reply)
    }

    private mutating func send(_ type: UInt8, _ body: [UInt8]) {
        writer.write(MessageHeader(type: type), body, chunkStream: ServerChunkStream.control, to: &reply)
    }

    /// Acknowledges the received bytes, once for each half of the window.
    private mutating func count(_ bytes: Int) {
        received &+= UInt32(truncatingIfNeeded: bytes)
        if state != .publishing { unpublished.bytes += bytes }
        guard state != .handshake, received &- acknowledged >= window / 2 else { return }
        acknowledged = received
        var body: [UInt8] = []
        body.appendBigEndian(received)
        send(MessageType.acknowledgement, body)
    }
}
