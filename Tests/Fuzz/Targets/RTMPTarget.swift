@testable import RTMP

extension FuzzTarget {
    /// The bytes of a client of an RTMP ingest, from the first byte, or after a valid handshake, `connect` and
    /// `publish`. The result must not depend on how the bytes are split.
    static let rtmpSession = FuzzTarget(
        name: "rtmp-session",
        seeds: [
            [0] + RTMPSeeds.handshake + RTMPSeeds.connect + RTMPSeeds.publish + RTMPSeeds.media,
            [1] + RTMPSeeds.connect + RTMPSeeds.publish + RTMPSeeds.media,
            [3] + RTMPSeeds.publish, [7] + RTMPSeeds.media, [7] + RTMPSeeds.aggregate, [0x47] + RTMPSeeds.media,
        ],
        words: [
            "connect", "createStream", "releaseStream", "FCPublish", "publish", "deleteStream", "play", "app", "live",
            "key", "\u{2}\u{0}\u{7}", "\u{0}\u{0}\u{9}",
        ]
    ) { input in
        guard let choice = input.first else { return }
        var bytes = choice & 1 == 0 ? [] : RTMPSeeds.handshake
        if choice & 2 != 0 { bytes += RTMPSeeds.connect }
        if choice & 4 != 0 { bytes += RTMPSeeds.publish }
        bytes += input.dropFirst()
        let whole = try events(bytes, size: bytes.count)
        let split = try events(bytes, size: 1 + Int(choice >> 3) * 7)
        try demand(
            whole.events == split.events,
            "the events depend on how the bytes are split: \(whole.events) and \(split.events)")
        try demand(whole.reply == split.reply, "the answer depends on how the bytes are split")
        let most = 8 << 10
        try demand(
            whole.reply.count <= most + 64 * bytes.count, "\(bytes.count) bytes are answered with \(whole.reply.count)")
    }

    private static func events(_ bytes: [UInt8], size: Int) throws -> (events: [String], reply: [UInt8]) {
        var session = PublishSession(application: "live", nonce: 7)
        let key = StreamKey("key")
        var found: [String] = []
        var reply: [UInt8] = []
        var media = 0
        do throws(Violation) {
            for start in stride(from: 0, to: bytes.count, by: max(1, size)) {
                let piece = Array(bytes[start..<min(bytes.count, start + max(1, size))])
                let violation = piece.withUnsafeBytes { whole -> Violation? in
                    var rest = Bytes(whole)
                    do throws(Violation) {
                        while let event = try session.next(&rest) {
                            switch event {
                            case .publish(let name):
                                if key.admits(name) { session.accept() } else { session.refuse(.badName) }
                                found.append("publish \(name == "key")")
                            case .media(let header):
                                session.withMedia { message in
                                    media += message.count
                                    let sum = message.reduce(0) { ($0 &* 31) &+ Int($1) }
                                    found.append("\(header.type) \(header.timestamp) \(message.count) \(sum)")
                                }
                            case .data: session.withMedia { found.append("\(MediaMetadata($0).debugDescription)") }
                            case .wrongApplication, .unpublish: found.append("\(event)")
                            }
                        }
                        return nil
                    } catch {
                        return error
                    }
                }
                reply += session.takeReply()
                if let violation { throw violation }
            }
        } catch {
            found.append("\(error)")
        }
        try demand(media <= bytes.count, "\(media) bytes of media came out of \(bytes.count)")
        return (found, reply)
    }

    /// AMF0 values of commands: a value can be written and read again.
    static let amf0 = FuzzTarget(name: "amf0", seeds: [RTMPSeeds.values]) { input in
        var reader = AMF0Reader(Bytes(input))
        while !reader.isAtEnd {
            guard let value = try? reader.next() else { return }
            var written: [UInt8] = []
            value.write(to: &written)
            var again: [UInt8] = []
            try written.withUnsafeBytes { bytes in
                var reader = AMF0Reader(bytes)
                try reader.next().write(to: &again)
                try demand(reader.isAtEnd, "a rewritten value has more bytes")
            }
            try demand(written == again, "a rewritten value differs")
        }
    }
}

/// Messages of a publisher.
enum RTMPSeeds {
    static let handshake: [UInt8] = [3] + [UInt8](repeating: 0, count: 2 * Handshake.size)

    static let connect = message(
        MessageType.command, AMF0.string("connect"), .number(1),
        .object([AMF0.Member("app", .string("live")), AMF0.Member("tcUrl", .string("rtmp://h/live"))]))
    static let publish =
        message(MessageType.command, .string("releaseStream"), .number(2), .null, .string("key"))
        + message(MessageType.command, .string("createStream"), .number(3), .null)
        + message(MessageType.command, .string("publish"), .number(4), .null, .string("key"), .string("live"))
    static let media =
        message(MessageType.setChunkSize, body: [0, 0, 0x10, 0])
        + message(MessageType.video, body: [0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1E, 0xFF, 0xE1, 0])
        + message(MessageType.audio, body: [0xAF, 0, 0x11, 0x90])
        + message(MessageType.video, body: [0x17, 1, 0, 0, 0] + [UInt8](repeating: 0x5A, count: 100), time: 40)
        + message(MessageType.command, .string("deleteStream"), .number(5), .null, .number(1))
    static let aggregate = message(
        MessageType.aggregate,
        body: [
            9, 0, 0, 6, 0, 0, 10, 0, 0, 0, 0, 0x27, 1, 0, 0, 0, 7, 0, 0, 0, 17, 8, 0, 0, 2, 0, 0, 20, 0, 0, 0, 0, 0xAF,
            1, 0, 0, 0, 13,
        ])
    static let values: [UInt8] = {
        var bytes: [UInt8] = []
        for value in [
            AMF0.number(1), .boolean(true), .string("a"), .object([.init("b", .array([.null, .number(.nan)]))]), .null,
        ] { value.write(to: &bytes) }
        return bytes + [
            0x08, 0, 0, 0, 1, 0, 1, 0x63, 0x05, 0, 0, 9, 0x0B, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0C, 0, 0, 0, 1, 0x64,
        ]
    }()

    private static func message(_ type: UInt8, _ values: AMF0...) -> [UInt8] {
        var body: [UInt8] = []
        for value in values { value.write(to: &body) }
        return message(type, body: body)
    }

    private static func message(_ type: UInt8, body: [UInt8], time: UInt32 = 0) -> [UInt8] {
        var writer = ChunkWriter()
        var bytes: [UInt8] = []
        writer.write(MessageHeader(type: type, timestamp: time, streamID: 1), body, chunkStream: 4, to: &bytes)
        return bytes
    }
}
