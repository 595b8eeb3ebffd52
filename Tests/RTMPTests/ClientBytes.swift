@testable import RTMP

/// The bytes that a client sends.
struct ClientBytes {
    private(set) var bytes: [UInt8] = []
    private var writer = ChunkWriter()

    /// The version, the random part and the echo.
    mutating func handshake() {
        bytes.append(3)
        bytes += (0..<Handshake.size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        bytes += (0..<Handshake.size).map { UInt8(truncatingIfNeeded: $0 &* 13) }
    }

    mutating func command(_ name: String, _ transaction: Double, _ values: AMF0..., stream: UInt32 = 0) {
        var body: [UInt8] = []
        AMF0.string(name).write(to: &body)
        AMF0.number(transaction).write(to: &body)
        for value in values { value.write(to: &body) }
        message(MessageType.command, body, stream: stream)
    }

    mutating func message(_ type: UInt8, _ body: [UInt8], timestamp: UInt32 = 0, stream: UInt32 = 0, lane: UInt8 = 3) {
        writer.write(
            MessageHeader(type: type, timestamp: timestamp, streamID: stream), body, chunkStream: lane, to: &bytes)
    }

    mutating func raw(_ more: [UInt8]) { bytes += more }

    /// Everything up to the request to publish, as OBS sends it.
    static func publishing(app: String = "live", name: String = "key") -> ClientBytes {
        var client = ClientBytes()
        client.handshake()
        client.command(
            "connect", 1,
            .object([
                .init("app", .string(app)), .init("type", .string("nonprivate")),
                .init("tcUrl", .string("rtmp://h/\(app)")),
            ]))
        client.command("releaseStream", 2, .null, .string(name))
        client.command("FCPublish", 3, .null, .string(name))
        client.command("createStream", 4, .null)
        client.command("publish", 5, .null, .string(name), .string("live"), stream: 1)
        return client
    }
}

/// The events of a session, with the bytes of its media.
enum Happening: Hashable {
    case event(PublishSession.Event)
    case media(MessageHeader, [UInt8])
    case violation(Violation)
}

/// Runs a session over bytes in pieces, and accepts every request to publish.
func happenings(_ pieces: [[UInt8]], application: String = "live") -> (happenings: [Happening], reply: [UInt8]) {
    var session = PublishSession(application: application, nonce: 1)
    var found: [Happening] = []
    var reply: [UInt8] = []
    for piece in pieces {
        do {
            try piece.withUnsafeBytes { bytes in
                var rest = bytes
                while let event = try session.next(&rest) {
                    switch event {
                    case .publish:
                        found.append(.event(event))
                        session.accept()
                    case .media(let header): found.append(.media(header, session.withMedia { Array($0) }))
                    case .data, .wrongApplication, .unpublish: found.append(.event(event))
                    }
                }
            }
        } catch {
            found.append(.violation(error as? Violation ?? .malformed))
            return (found, reply + session.takeReply())
        }
        reply += session.takeReply()
    }
    return (found, reply)
}

/// Splits bytes into pieces of random sizes.
func split(_ bytes: [UInt8], sizes: ClosedRange<Int>, using random: inout some RandomNumberGenerator) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = Int.random(in: sizes, using: &random)
        pieces.append(Array(rest.prefix(count)))
        rest = rest.dropFirst(count)
    }
    return pieces
}
