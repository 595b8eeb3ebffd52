import TestSupport
import Testing

@testable import DataPath

/// Tests the parser with the NUT streams of FFmpeg.
@Suite(.tags(.ffmpeg)) struct NUTParserTests {
    /// Makes frames as FFmpeg writes them to a pipe, at uneven times.
    private func stream(width: Int = 96, height: Int = 54) async throws -> [UInt8] {
        let done = try await TestProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-nostdin", "-copyts", "-f", "lavfi", "-i",
                "testsrc2=s=\(width)x\(height):r=30:d=2,format=nv12,settb=1/1000000"
                    + ",setpts=N*3001+mod(N*7\\,5)+1764172800123456",
                "-fps_mode", "passthrough", "-enc_time_base", "1:1000000", "-c:v", "rawvideo", "-f", "nut",
                "-flush_packets", "1", "pipe:1",
            ]
        ).success("frames")
        return done.output
    }

    /// Parses a stream that arrives in pieces.
    private func read(_ bytes: [UInt8], pieces: () -> Int) throws -> [(time: Int64, byteCount: Int)] {
        var parser = NUTParser()
        var frames: [(time: Int64, byteCount: Int)] = []
        var (start, end, skip) = (0, 0, 0)
        while end < bytes.count {
            end = min(bytes.count, end + pieces())
            let skipped = min(skip, end - start)
            (start, skip) = (start + skipped, skip - skipped)
            var isStuck = false
            while skip == 0, !isStuck {
                let (used, frame) = try bytes[start..<end].withUnsafeBytes { bytes in try parser.next(bytes) }
                isStuck = used == 0
                start += used
                if let frame {
                    frames.append((frame.time, frame.byteCount))
                    skip = min(frame.byteCount, end - start)
                    start += skip
                    skip = frame.byteCount - skip
                }
            }
        }
        return frames
    }

    @Test("every frame is found with its exact time, however the bytes are cut")
    func pieces() async throws {
        let bytes = try await stream()
        var random = SeededRandom(seed: 5)
        for most in [1, 40, 5000, 1 << 20] {
            let frames = try read(bytes) { Int.random(in: 1...most, using: &random) }
            #expect(frames.count == 60 && frames.allSatisfy { $0.byteCount == 96 * 54 * 3 / 2 })
            let times: [Int64] = (0..<60).map { (number: Int64) -> Int64 in
                let microseconds: Int64 = 1_764_172_800_123_456 + number * 3001 + number * 7 % 5
                return microseconds * 9 / 100
            }
            #expect(frames.map(\.time) == times)
        }
    }

    @Test("a damaged stream is read or rejected with a reason, and never crashes")
    func damage() async throws {
        let bytes = try await stream(width: 32, height: 18)
        var random = SeededRandom(seed: 7)
        for _ in 1...400 {
            var damaged = bytes
            for _ in 1...Int.random(in: 1...6, using: &random) {
                damaged[Int.random(in: 0..<min(damaged.count, 600), using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            do {
                _ = try read(damaged) { 4096 }
            } catch let violation as NUTParser.Violation {
                #expect(!violation.problem.isEmpty)
            }
        }
    }
}
