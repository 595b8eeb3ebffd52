import TestSupport
import Testing

@Suite("Recorded streams", .tags(.ffmpeg))
struct RecordedStreamTests {
    @Test("every recorded stream is whole and matches its description", arguments: RecordedStream.allCases)
    func isWhole(_ stream: RecordedStream) async throws {
        let bytes = try await stream.bytes()
        #expect(bytes.count.isMultiple(of: 188))
        let verdict = Verdict(try await FrameReader.read(.bytes(bytes)))
        #expect(verdict.isWhole && verdict.received == 150, "\(verdict)")
        let probe = try await MediaProbe.read(.bytes(bytes))
        let source = stream.source
        #expect(probe.video?.codec == source.codec.rawValue)
        #expect(probe.audio?.codec == (source.audio == .none ? nil : source.audio.rawValue))
        let video = probe.packets(of: probe.video)
        #expect(
            video.enumerated().filter(\.element.isKey).map(\.offset)
                == Array(stride(from: 0, to: 150, by: source.gop)))
        #expect(video.contains { $0.pts != $0.dts } == (source.bFrames > 0))
    }

    @Test("the timestamps pass 33 bits inside the stream", arguments: [RecordedStream.wrap, .wrapWithBFrames])
    func wraps(_ stream: RecordedStream) async throws {
        let all = TransportBytes.timestamps(try await stream.bytes())
        for pid in Set(all.map(\.pid)) {
            let times = all.filter { $0.pid == pid }.map(\.dts)
            let falls = zip(times, times.dropFirst()).filter { $0 > $1 }
            #expect(falls.count == 1 && falls.allSatisfy { $0 - $1 > 1 << 32 })
        }
    }

    @Test("flags, tables and stuffing are as configured")
    func details() async throws {
        let plain = TransportBytes.timestamps(try await RecordedStream.plain.bytes())
        #expect(plain.filter { $0.pid == 256 && $0.isRandomAccess }.count == 5)
        let bare = TransportBytes.timestamps(try await RecordedStream.noRandomAccess.bytes())
        #expect(bare.count == plain.count && !bare.contains(where: \.isRandomAccess))
        let filled = TransportBytes.packets(try await RecordedStream.constantRate.bytes())
        #expect(filled.contains { TransportBytes.pid($0) == 0x1FFF })
        // Adaptation field alone, with a PCR.
        #expect(filled.contains { Array($0)[3] & 0x30 == 0x20 && Array($0)[5] & 0x10 != 0 })
        let other = TransportBytes.packets(try await RecordedStream.otherPIDs.bytes())
        #expect(Set(other.map(TransportBytes.pid)).isSuperset(of: [0, 0x1F0, 0x200, 0x201]))
    }

    @Test("damage repeats with the seed and loses only what it names")
    func damage() async throws {
        let bytes = try await RecordedStream.plain.bytes()
        var random = SeededRandom(seed: 3)
        #expect(TransportBytes.split(bytes, using: &random).flatMap { $0 } == bytes)
        let (kept, dropped) = TransportBytes.drop(bytes, chance: 0.01, using: &random)
        #expect(!dropped.isEmpty && kept.count + dropped.count * 188 == bytes.count)
        var again = SeededRandom(seed: 4)
        var twin = SeededRandom(seed: 4)
        let garbled = TransportBytes.insertGarbage(bytes, chance: 0.01, using: &again)
        #expect(garbled.count > bytes.count)
        #expect(garbled == TransportBytes.insertGarbage(bytes, chance: 0.01, using: &twin))
    }

    @Test("another table version still decodes")
    func tableVersion() async throws {
        var bytes = try await RecordedStream.plain.bytes()
        let before = bytes
        TransportBytes.setTableVersion(&bytes, to: 9)
        #expect(bytes != before)
        let probe = try await MediaProbe.read(.bytes(bytes))
        #expect(probe.streams.count == 2 && probe.complaints.isEmpty, "\(probe.complaints)")
        TransportBytes.setTableVersion(&bytes, to: 0)
        #expect(bytes == before)
    }
}
