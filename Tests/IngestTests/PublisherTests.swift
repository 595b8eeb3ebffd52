import Foundation
import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Ingest
@testable import RTMP

/// A publisher at an ingest of its own, to the pipe of its relay.
@Suite(.serialized) struct PublisherTests {
    private func ingest(_ change: (inout IngestLimits) -> Void = { _ in }) async throws -> (RTMPIngest, port: Int) {
        var limits = IngestLimits()
        // A machine that is busy may take its time between one step of a test and the next.
        (limits.handshake, limits.silence, limits.idle, limits.relayDelay) = (.seconds(600), .seconds(600), .seconds(600), .seconds(600))
        change(&limits)
        let ingest = RTMPIngest(application: "live", readsEnhanced: false, limits: limits)
        ingest.admit(.holders(of: StreamKey("key")))
        return (ingest, try await ingest.listen(host: "127.0.0.1", port: 0))
    }

    private func say(_ bytes: [UInt8], to port: Int, for patience: Duration) -> Task<[UInt8], any Error> {
        Task.detached {
            try await onOwnThread { try RTMPStranger.ask(port, bytes, patience: patience) }
        }
    }

    /// Reads what a connection is told until this has come, or the end.
    private func isTold(_ word: String, _ connection: Int32) async -> Bool {
        await onOwnThread {
            var told: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 8192)
            while !String(decoding: told, as: UTF8.self).contains(word) {
                var descriptor = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
                guard poll(&descriptor, 1, Int32(Limit.seconds(20).inSeconds * 1000)) > 0 else { return false }
                let count = recv(connection, &buffer, buffer.count, 0)
                guard count > 0 else { return false }
                told += buffer[..<count]
            }
            return true
        }
    }

    private func read(_ end: FileDescriptor) async throws -> [UInt8] {
        try await onOwnThread {
            var bytes: [UInt8] = []
            let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)
            defer { room.deallocate() }
            while true {
                let count = try end.read(into: room)
                guard count > 0 else { return bytes }
                bytes += room[..<count]
            }
        }
    }

    /// The bodies of the tags of an FLV stream.
    private func bodies(_ flv: [UInt8]) -> [[UInt8]] {
        var rest = flv.dropFirst(FLV.header.count)
        var bodies: [[UInt8]] = []
        while rest.count > FLV.tagHeaderSize {
            let start = rest.startIndex
            let size = Int(rest[start + 1]) << 16 | Int(rest[start + 2]) << 8 | Int(rest[start + 3])
            bodies.append(Array(rest.dropFirst(FLV.tagHeaderSize).prefix(size)))
            rest = rest.dropFirst(FLV.tagHeaderSize + size + FLV.tagTrailerSize)
        }
        return bodies
    }

    @Test("one message of thousands is taken bit by bit, and whole, with what comes behind it")
    func manyAtOnce() async throws {
        let (ingest, port) = try await ingest()
        let sounds = (0..<9000).flatMap { number -> [UInt8] in
            [8, 0, 0, 3, 0, 0, UInt8(number & 255), 0, 0, 0, 0, 0xAF, UInt8(number >> 8), UInt8(number & 255), 0, 0, 0, 14]
        }
        var client = RTMPStranger.asking(for: "key")
        client += RTMPStranger.message(2, [0, 0x7F, 0xFF, 0xFF], kind: MessageType.setChunkSize, stream: 0)
        client += RTMPStranger.message(6, sounds, kind: MessageType.aggregate)
        client += RTMPStranger.message(6, [0x17, 1, 0, 0, 0, 42], kind: MessageType.video)
        let publisher = try RTMPStranger.leave(client, at: port)
        var events = ingest.events.makeAsyncIterator()
        guard case .began = await events.next() else { throw Failed("nobody publishes") }
        let end = try #require(await ingest.attach(after: nil)?.1)
        async let flv = read(end)
        close(publisher)
        let found = bodies(try await flv)
        try end.close()
        let expected = (0..<9000).map { number -> [UInt8] in [0xAF, UInt8(number >> 8), UInt8(number & 255)] }
        #expect(Array(found.dropLast()) == expected)
        #expect(found.last == [0x17, 1, 0, 0, 0, 42])
        await ingest.close()
    }

    @Test("whoever sends more than it takes to ask is hung up on, and has not asked")
    func floods() async throws {
        let (ingest, port) = try await ingest()
        let ping = RTMPStranger.message(2, [0, 6, 0, 0, 0, 1], kind: MessageType.userControl, stream: 0)
        let flood = RTMPStranger.asking(for: nil) + Array(repeatElement(ping, count: 5000).joined())
        _ = try await say(flood, to: port, for: .seconds(20)).value
        var events = ingest.events.makeAsyncIterator()
        guard case .refused(.protocol, _, let detail, _) = await events.next() else { throw Failed("it was not refused") }
        #expect(detail == Violation.tooMuch.description)
        await ingest.close()
    }

    @Test("among wrong keys of its own address, which fill every place, the right one gets in where it is looked at as it gives way")
    func sameAddress() async throws {
        let (ingest, port) = try await ingest {
            $0.strangersPerAddress = 4
            $0.earlyLook = .zero
        }
        let wrong = RTMPStranger.asking(for: "no")
        var held: [Int32] = []
        defer { for one in held { close(one) } }
        // From now on keys wait before they are looked at, in the end for a second.
        for count in 1...8 {
            held.append(try RTMPStranger.leave(wrong, at: port))
            try await eventually("the wrong key to be refused") { ingest.ledger.refusals[.key] == count }
        }
        let publisher = try RTMPStranger.leave(RTMPStranger.asking(for: "key"), at: port)
        defer { close(publisher) }
        let others = Task {
            var others: [Int32] = []
            while !Task.isCancelled {
                others.append(try RTMPStranger.leave(wrong, at: port))
                // They end late on a busy machine, and descriptors do not last for ever.
                if others.count > 50 { close(others.removeFirst()) }
                try? await Task.sleep(for: .milliseconds(20))
            }
            for one in others { close(one) }
        }
        for await event in ingest.events { if case .began = event { break } }
        others.cancel()
        try await others.value
        await ingest.close()
    }

    @Test("whoever sends, and nothing of it becomes a picture, gives way to another one with the right key")
    func mute() async throws {
        let (ingest, port) = try await ingest()
        let first = try RTMPStranger.leave(RTMPStranger.asking(for: "key"), at: port)
        defer { close(first) }
        var events = ingest.events.makeAsyncIterator()
        guard case .began = await events.next() else { throw Failed("nobody publishes") }
        let second = try RTMPStranger.leave(RTMPStranger.asking(for: "key"), at: port)
        defer { close(second) }
        // It waits whether the first one is silent.
        ingest.setMute(true)
        var ending: IngestEvent.Ending?
        while let event = await events.next() {
            if case .ended(let how) = event { ending = how }
            if case .began = event { break }
        }
        #expect(ending == .replaced)
        await ingest.close()
    }

    @Test("of many that are refused a few have time to read why, and the others are told, and cut off")
    func farewells() async throws {
        let (ingest, port) = try await ingest {
            $0.farewells = 2
            $0.farewell = .seconds(600)
        }
        let wrong = RTMPStranger.asking(for: "no", app: "nowhere")
        // The first two are left to hang up themselves.
        let patient = try (0..<2).map { _ in try RTMPStranger.leave(wrong, at: port) }
        for one in patient {
            #expect(await isTold("Rejected", one))
            close(one)
        }
        let held = try (0..<2).map { _ in try RTMPStranger.leave(wrong, at: port) }
        defer { for one in held { close(one) } }
        try await eventually("both to be refused") { ingest.ledger.refusals[.application] == 4 }
        let answer = try await say(wrong, to: port, for: .seconds(20)).value
        #expect(String(decoding: answer, as: UTF8.self).contains("Rejected") || answer.isEmpty)
        await ingest.close()
    }
}
