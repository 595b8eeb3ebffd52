import TestSupport
import Testing

@testable import RTMP

/// The RTMP session of a publisher.
@Suite struct PublishSessionTests {
    private func frame(_ seed: UInt8, _ count: Int) -> [UInt8] {
        [0x17, 1, 0, 0, 0] + (0..<count).map { UInt8(truncatingIfNeeded: $0) &+ seed }
    }

    @Test("a publisher is accepted, and its messages are whole, however they are split")
    func cuts() async throws {
        var client = ClientBytes.publishing()
        client.message(MessageType.setChunkSize, [0, 0, 0x10, 0], lane: 2)
        client.message(MessageType.video, frame(0, 9000), timestamp: 0, stream: 1, lane: 6)
        client.message(MessageType.audio, [0xAF, 1, 5], timestamp: 20, stream: 1, lane: 4)
        client.message(MessageType.userControl, [0, 6, 1, 2, 3, 4], lane: 2)
        client.message(MessageType.video, frame(9, 300), timestamp: 33, stream: 1, lane: 6)
        client.command("FCUnpublish", 6, .null, .string("key"))
        client.command("deleteStream", 7, .null, .number(1))
        let whole = happenings([client.bytes])
        #expect(
            whole.happenings == [
                .event(.publish(name: "key")),
                .media(MessageHeader(type: 9, timestamp: 0, streamID: 1), frame(0, 9000)),
                .media(MessageHeader(type: 8, timestamp: 20, streamID: 1), [0xAF, 1, 5]),
                .media(MessageHeader(type: 9, timestamp: 33, streamID: 1), frame(9, 300)),
                .event(.unpublish),
            ])
        let answer = String(decoding: whole.reply, as: UTF8.self)
        for word in ["NetConnection.Connect.Success", "NetStream.Publish.Start", "NetStream.Unpublish.Success"] {
            #expect(answer.contains(word))
        }
        // The answer to the ping request.
        #expect(whole.reply.indices.contains { whole.reply[$0...].starts(with: [0, 7, 1, 2, 3, 4]) })
        try await withSeededRandom { random in
            for _ in 0..<30 {
                let cut = happenings(
                    split(client.bytes, sizes: 1...Int.random(in: 1...1500, using: &random), using: &random))
                let isSame = cut == whole
                #expect(isSame, "\(random.hint)")
            }
        }
    }

    @Test("another application is rejected; a slash or parameters after the name are not")
    func applications() {
        for right in ["live", "live/", "live?token=1"] {
            #expect(
                happenings([ClientBytes.publishing(app: right).bytes]).happenings == [.event(.publish(name: "key"))])
        }
        for wrong in ["", "Live", "live2", "liv", "live/x", "live//", "/live"] {
            let (found, reply) = happenings([ClientBytes.publishing(app: wrong).bytes])
            #expect(found == [.event(.wrongApplication)], "\(wrong)")
            #expect(String(decoding: reply, as: UTF8.self).contains("NetConnection.Connect.Rejected"))
        }
    }

    @Test("a rejection says BadName, and nothing after it is read")
    func refusal() throws {
        var session = PublishSession(application: "live", nonce: 1)
        var client = ClientBytes.publishing(name: "wrong")
        client.message(MessageType.video, frame(0, 10), stream: 1, lane: 6)
        let events = try client.bytes.withUnsafeBytes { bytes in
            var rest = bytes
            let first = try session.next(&rest)
            // Nothing is read before the decision.
            let second = try session.next(&rest)
            #expect(rest.count > 0)
            session.refuse(.badName)
            return [first, second, try session.next(&rest)]
        }
        #expect(events == [.publish(name: "wrong"), nil, nil])
        #expect(String(decoding: session.takeReply(), as: UTF8.self).contains("NetStream.Publish.BadName"))
    }

    @Test(
        "a violation of the protocol ends the session",
        arguments: [
            ([UInt8("G".utf8.first!)], Violation.noHandshake),
            ([0x16, 3, 1], .noHandshake),
            (ClientBytes.greeted { $0.command("publish", 1, .null, .string("key")) }, .outOfTurn),
            (ClientBytes.greeted { $0.message(MessageType.video, [0x17], stream: 1) }, .outOfTurn),
            (ClientBytes.connected { $0.message(MessageType.video, [0x17], stream: 1) }, .outOfTurn),
            (ClientBytes.connected { $0.command("connect", 1, .object([.init("app", .string("live"))])) }, .outOfTurn),
            (ClientBytes.connected { $0.command("play", 1, .null, .string("key")) }, .play),
            (
                ClientBytes.connected { client in
                    for number in 0..<20 { client.command("createStream", Double(number), .null) }
                }, .outOfTurn
            ),
            (ClientBytes.greeted { $0.message(MessageType.command, [2, 0xFF, 0xFF, 1]) }, .malformed),
            (ClientBytes.greeted { $0.message(MessageType.command, [0x77]) }, .malformed),
            (ClientBytes.greeted { $0.message(MessageType.setChunkSize, [0, 0, 0, 0], lane: 2) }, .chunkSize),
            (ClientBytes.greeted { $0.message(MessageType.setChunkSize, [0xFF, 0, 0, 0], lane: 2) }, .chunkSize),
            (ClientBytes.greeted { $0.message(MessageType.setChunkSize, [0], lane: 2) }, .malformed),
            (ClientBytes.greeted { $0.raw([0x03, 0, 0, 0, 0xFF, 0xFF, 0xFF, 20, 0, 0, 0, 0]) }, .messageTooLong),
            (ClientBytes.greeted { $0.raw([0xC3]) }, .chunkWithoutHeader),
            (
                ClientBytes.connected { client in
                    for _ in 0..<64 { client.message(MessageType.userControl, [0, 3, 0, 0, 0, 0], lane: 2) }
                }, .tooMuch
            ),
            (
                ClientBytes.greeted { client in
                    for lane in 3..<30 { client.message(2, [0, 0, 0, 9], lane: UInt8(lane)) }
                }, .tooManyChunkStreams
            ),
        ] as [([UInt8], Violation)])
    func violations(_ bytes: [UInt8], _ expected: Violation) {
        #expect(happenings([bytes]).happenings == [.violation(expected)])
    }

    @Test("a client that does not publish may send only as much as a request needs")
    func asking() {
        let bytes = ClientBytes.connected { client in
            client.message(MessageType.setChunkSize, [0, 0, 0x40, 0], lane: 2)
            for _ in 0..<5 { client.message(99, Array(repeating: 0, count: 0x3F00), lane: 4) }
        }
        #expect(happenings(bytes.chunked(4096)).happenings == [.violation(.tooMuch)])
    }

    @Test("unfinished messages together stay within the limit")
    func bounded() {
        let bytes = ClientBytes.greeted { client in
            client.message(MessageType.setChunkSize, [0, 0, 0x20, 0], lane: 2)
            // Half a message on each of three chunk streams: 24 KB in all.
            for lane in UInt8(3)...5 {
                client.raw([lane, 0, 0, 0, 0, 0x40, 0, 20, 0, 0, 0, 0] + Array(repeating: 2, count: 0x2000))
            }
        }
        #expect(happenings([bytes]).happenings == [.violation(.messageTooLong)])
    }

    @Test("timestamps add up over deltas, extended timestamps and the wrap at 32 bits")
    func timestamps() {
        var client = ClientBytes.publishing()
        let audio: [UInt8] = [0xAF, 1]
        // Type 0 with an extended timestamp; deltas of 40 in types 1, 2 and 3; an extended delta, repeated by a type 3.
        client.raw([0x06, 0xFF, 0xFF, 0xFF, 0, 0, 2, 8, 1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xF0] + audio)
        client.raw([0x46, 0, 0, 40, 0, 0, 2, 8] + audio)
        client.raw([0x86, 0, 0, 40] + audio)
        client.raw([0xC6] + audio)
        client.raw([0x86, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0] + audio)
        client.raw([0xC6, 1, 0, 0, 0] + audio)
        let times: [UInt32] = happenings([client.bytes]).happenings.compactMap {
            if case .media(let header, audio) = $0 { header.timestamp } else { nil }
        }
        let start: UInt32 = 0xFFFF_FFF0
        #expect(
            times == [
                start, start &+ 40, start &+ 80, start &+ 120, start &+ 120 &+ 0x100_0000, start &+ 120 &+ 0x200_0000,
            ])
    }

    @Test("an extended timestamp is in each chunk of a message, or only in the first", arguments: [true, false])
    func longTimestampInChunks(_ isRepeated: Bool) {
        var client = ClientBytes.publishing()
        let body = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 3) }
        let time: [UInt8] = [0x01, 0x02, 0x03, 0x04]
        client.raw([0x06, 0xFF, 0xFF, 0xFF, 0, 1, 44, 9, 1, 0, 0, 0] + time + body[..<128])
        for start in [128, 256] { client.raw([0xC6] + (isRepeated ? time : []) + body[start..<min(300, start + 128)]) }
        #expect(
            happenings([client.bytes]).happenings.last
                == .media(MessageHeader(type: 9, timestamp: 0x0102_0304, streamID: 1), body))
    }

    @Test("an aggregate message -> its messages one by one")
    func aggregate() {
        var client = ClientBytes.publishing()
        func part(_ type: UInt8, _ time: UInt8, _ body: [UInt8]) -> [UInt8] {
            [type, 0, 0, UInt8(body.count), 0, 0, time, 0, 0, 0, 0] + body + [0, 0, 0, UInt8(body.count + 11)]
        }
        client.message(
            MessageType.aggregate,
            part(9, 100, [0x17, 1]) + part(18, 110, [9]) + part(8, 120, [0xAF]) + [9, 0, 0, 200], timestamp: 1000,
            stream: 1)
        #expect(
            happenings([client.bytes]).happenings.dropFirst() == [
                .media(MessageHeader(type: 9, timestamp: 1000), [0x17, 1]),
                .media(MessageHeader(type: 8, timestamp: 1020), [0xAF]),
            ])
    }

    @Test("received bytes are acknowledged, once for each half of the window")
    func acknowledgement() {
        var client = ClientBytes.publishing()
        client.message(MessageType.windowSize, [0, 2, 0, 0], lane: 2)
        client.message(MessageType.setChunkSize, [0, 1, 0, 0], lane: 2)
        for number in 0..<8 {
            client.raw([0x06, 0, 0, UInt8(number), 0, 0xFF, 0xFF, 9, 1, 0, 0, 0] + frame(0, 0xFFFF - 5))
        }
        let reply = happenings(client.bytes.chunked(4096)).reply
        let starts = reply.indices.filter { reply[$0...].starts(with: [0x02, 0, 0, 0, 0, 0, 4, 3, 0, 0, 0, 0]) }
        #expect((6...9).contains(starts.count), "\(starts.count)")
    }

    @Test("random bytes after a handshake -> at most the session ends")
    func noise() async throws {
        try await withSeededRandom { random in
            for _ in 0..<300 {
                var client = ClientBytes()
                client.handshake()
                client.raw((0..<2000).map { _ in UInt8.random(in: 0...255, using: &random) })
                let found = happenings([client.bytes]).happenings
                let isHarmless = found.isEmpty || found.count == 1
                #expect(isHarmless, "\(found); \(random.hint)")
            }
        }
    }
}

extension ClientBytes {
    static func greeted(_ body: (inout ClientBytes) -> Void) -> [UInt8] {
        var client = ClientBytes()
        client.handshake()
        body(&client)
        return client.bytes
    }

    static func connected(_ body: (inout ClientBytes) -> Void) -> [UInt8] {
        greeted { client in
            client.command("connect", 1, .object([.init("app", .string("live"))]))
            body(&client)
        }
    }
}

extension [UInt8] {
    func chunked(_ size: Int) -> [[UInt8]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min(count, $0 + size)]) }
    }
}
