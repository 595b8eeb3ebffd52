import Foundation
import TestSupport
import Testing

/// The stub with clients whose bytes the test makes.
@Suite("RTMP stub, byte by byte")
struct RTMPStubByteTests {
    @Test(
        "a status that the server sends later reaches the client",
        arguments: [
            (StubBehaviour.unpublish(after: .zero), "NetStream.Unpublish.Success"),
            (.fail(after: .zero), "NetStream.Publish.Failed"),
            (.reconnect(to: "rtmp://127.0.0.1/other", after: .zero), "rtmp://127.0.0.1/other"),
            (.badName(closes: false), "NetStream.Publish.BadName"),
            (.acceptLate(.milliseconds(10)), "NetStream.Publish.Start"),
        ])
    func statuses(_ behaviour: StubBehaviour, words: String) async throws {
        let stub = try RTMPStub(behaviour)
        let answer = try await onOwnThread { try Self.answer(of: stub, until: words) }
        #expect(answer.contains(words))
    }

    @Test("a silent server sends nothing, and one that never answers accepts no media")
    func silence() async throws {
        let silent = try RTMPStub(.silent)
        let mute = try RTMPStub(.neverAnswer)
        let bytes = RTMPStranger.publishing([0x17, 1, 0, 0, 0], key: "key")
        let open = try [silent, mute].map { try RTMPStranger.leave(bytes, at: $0.port) }
        try await silent.waitFor("all bytes") { $0.byteCount == bytes.count }
        try await mute.waitFor("a frame") { $0.earlyCount == 1 && $0.mediaCount == 0 }
        var byte: UInt8 = 0
        #expect(recv(open[0], &byte, 1, Int32(MSG_DONTWAIT)) < 0)
        for connection in open { close(connection) }
    }

    @Test("times of more than 24 and 32 bits are read")
    func times() async throws {
        let stub = try RTMPStub()
        let times = [0, 0xFF_FFFE, 0xFF_FFFF, 0xFFFF_FFFF, 0x1_0000_0010]
        let bytes =
            RTMPStranger.asking(for: "key")
            + times.flatMap { RTMPStranger.message(6, [0x17, 1, 0, 0, 0], kind: 9, time: $0) }
        let connection = try RTMPStranger.leave(bytes, at: stub.port)
        let record = try await stub.waitFor("the frames") { $0.mediaCount == times.count }
        #expect(record.media.map(\.time) == times.map { UInt32(truncatingIfNeeded: $0) })
        close(connection)
    }

    @Test("a server that stops reading leaves the client's bytes unread")
    func stalled() async throws {
        let stub = try RTMPStub(.stopReading(after: .zero))
        let asking = RTMPStranger.asking(for: "key")
        let connection = try RTMPStranger.leave(asking, at: stub.port)
        defer { close(connection) }
        try await stub.waitFor("the request") { $0.isAccepted }
        let piece = [UInt8](repeating: 0, count: 64 << 10)
        // Until the buffers of both sockets are full.
        while send(connection, piece, piece.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL)) > 0 {}
        #expect(errno == EAGAIN && stub.records[0].byteCount == asking.count)
    }

    enum Violation: CaseIterable {
        case wrongVersion, chunkStreamWithoutHeader, emptyChunks, headerWithinMessage

        var bytes: [UInt8] {
            switch self {
            case .wrongVersion: [UInt8](repeating: 6, count: 1537)
            case .chunkStreamWithoutHeader: RTMPStranger.asking(for: nil) + [0xC5]
            case .emptyChunks: RTMPStranger.asking(for: nil) + RTMPStranger.chunkSize(0)
            case .headerWithinMessage:
                // The message has a byte more than the first chunk.
                RTMPStranger.asking(for: nil)
                    + RTMPStranger.message(6, [UInt8](repeating: 1, count: 129), kind: 9).dropLast() + [0x46]
            }
        }
    }

    @Test("bytes that are not RTMP end the connection with a reason", arguments: Violation.allCases)
    func violations(_ violation: Violation) async throws {
        let stub = try RTMPStub()
        let connection = try RTMPStranger.leave(violation.bytes, at: stub.port)
        try await stub.waitFor("a violation") { $0.violation != nil }
        close(connection)
        try await stub.waitFor("the end") { $0.isOver }
    }

    /// Asks to publish, and reads until the answer contains a text.
    private static func answer(of stub: RTMPStub, until words: String) throws -> String {
        let connection = try RTMPStranger.leave(RTMPStranger.asking(for: "key"), at: stub.port)
        defer { close(connection) }
        var limit = timeval(tv_sec: Int(Limit.seconds(20).inSeconds), tv_usec: 0)
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var answer: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while !String(decoding: answer, as: UTF8.self).contains(words) {
            let count = recv(connection, &piece, piece.count, 0)
            guard count > 0 else { break }
            answer += piece[..<count]
        }
        return String(decoding: answer, as: UTF8.self)
    }
}
