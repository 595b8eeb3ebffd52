import TestSupport
import Testing

@testable import TransportStream

@Suite(.tags(.ffmpeg)) struct ADTSTests {
    private func duration(_ bytes: [UInt8]) -> Int64? { bytes.withUnsafeBufferPointer { ADTS.duration(of: $0) } }

    private func frame(rate: UInt8, length: Int) -> [UInt8] {
        [0xFF, 0xF1, 1 << 6 | rate << 2, 2 << 6 | UInt8(length >> 11), UInt8(length >> 3 & 0xFF), UInt8(length & 7) << 5 | 0x1F, 0xFC]
            + [UInt8](repeating: 0x55, count: length - 7)
    }

    @Test("frames add up without rounding each one")
    func durations() {
        #expect(duration(ADTS.silence) == ADTS.silenceDuration)
        #expect(duration(frame(rate: 4, length: 100)) == 2089)
        #expect(duration((0..<8).flatMap { _ in frame(rate: 4, length: 371) }) == 16_718)
        #expect(duration(frame(rate: 3, length: 7) + [0xFF]) == 1920)
    }

    @Test("what is no ADTS has no duration")
    func refused() {
        #expect(duration([]) == nil)
        #expect(duration([UInt8](repeating: 0, count: 100)) == nil)
        #expect(duration(frame(rate: 15, length: 20)) == nil)
        // A length of 0 would never end.
        #expect(duration([0xFF, 0xF1, 0x4C, 0x80, 0, 0x1F, 0xFC]) == nil)
    }

    @Test("the frame of silence decodes to silence")
    func silence() async throws {
        let bytes = (0..<50).flatMap { _ in ADTS.silence }
        let done = try await Tool.run(
            "ffmpeg", ["-v", "warning", "-f", "aac", "-i", "pipe:0", "-f", "s16le", "-"], input: .bytes(bytes)
        ).success("silence")
        #expect(done.errors.isEmpty && done.output.count == 50 * 1024 * 2 * 2 && done.output.allSatisfy { $0 == 0 })
    }
}
