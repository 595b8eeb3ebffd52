import EncoderSelection
import FFmpeg
import TestSupport
import Testing

/// Eighty hours of a stream, three wraps of its 33-bit timestamps, in a few seconds: a frame every ten seconds.
@Suite(.serialized, .tags(.ffmpeg)) struct WrapMediaTests {
    private static let wrap: Int64 = 1 << 33
    private static let hours = 80
    private static let step = 10

    /// Times that never wrap, computed from those in the stream.
    private func unwrapped(_ bytes: [UInt8]) -> [Int64] {
        var last: Int64?
        return TransportBytes.timestamps(bytes).filter { $0.pid == 256 }.map { time in
            let raw = Int64(time.pts)
            guard let before = last else {
                last = raw
                return raw
            }
            let next = before + ((raw - before) & (Self.wrap - 1))
            last = next
            return next
        }
    }

    private func makeStream(_ path: String) async throws {
        try await tool(
            "ffmpeg",
            [
                "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=64x36:rate=1/\(Self.step)", "-t",
                "\(Self.hours * 3600)", "-c:v", "libx264",
                "-preset", "ultrafast", "-bf", "0", "-g", "30", "-sc_threshold", "0", "-f", "mpegts", "-muxdelay", "0",
                "-muxpreload", "0", path,
            ])
    }

    @Test("encoders refreshed once a day give every frame of three wraps at its time")
    func encoders() async throws {
        let scratch = Scratch()
        let source = scratch.file("source.ts")
        try await makeStream(source)
        let bytes = try contents(source)
        let pictures = TransportBytes.timestamps(bytes).filter { $0.pid == 256 }
        let times = unwrapped(bytes)
        #expect(times.count == Self.hours * 3600 / Self.step)
        #expect(times.last! - times.first! > 3 * Self.wrap - Self.wrap / 10)
        var given: [Int64] = []
        var begin = 0
        while begin < times.count {
            // As for a group: from the keyframe at or before the position, for a day.
            let key = begin / 30 * 30
            let end = min(times.count, begin + 24 * 3600 / Self.step)
            let first = pictures[key].packet * TransportBytes.packetSize
            let last = end < times.count ? pictures[end].packet * TransportBytes.packetSize : bytes.count
            let part = scratch.file("part.ts")
            // A feed has the tables before each keyframe. Here the test inserts them.
            try write(Array(bytes[..<(pictures[0].packet * TransportBytes.packetSize)]) + bytes[first..<last], to: part)
            let command = EncoderCommand(
                video: .encode(VideoSettings(bitrate: 100_000), with: Libx264Recipe()), audio: .copy,
                resume: ResumePoint(videoStart: times[begin], audioStart: times[begin], readingFrom: times[key])
            ).command(for: try await ffmpeg().capabilities)
            let exit = try await run(command, in: scratch, from: part, to: scratch.file("out.ts"))
            #expect(exit.status == .exited(0), "\(exit.log.lines)")
            let output = TransportBytes.timestamps(try contents(scratch.file("out.ts"))).filter { $0.pid == 256 }.map {
                Int64($0.pts)
            }
            #expect(output == times[begin..<end].map { $0 & (Self.wrap - 1) }, "from picture \(begin)")
            given += output
            begin = end
        }
        #expect(given.count == times.count)
    }

    @Test(
        "a publisher continues through three wraps, with every frame ten seconds apart")
    func publisher() async throws {
        let scratch = Scratch()
        let source = scratch.file("source.ts")
        try await makeStream(source)
        let output = scratch.file("out.flv")
        // As `PublisherCommand` does, into a file.
        _ = try await tool(
            "ffmpeg",
            [
                "-v", "error", "-nostdin", "-y", "-probesize", "5000000", "-analyzeduration", "100000", "-fpsprobesize",
                "0", "-f", "mpegts", "-i", source, "-map", "0:v:0",
                "-c", "copy", "-bsf:v", "extract_extradata", "-flvflags", "no_duration_filesize", "-f", "flv", output,
            ])
        let times = try await packets(output, "v").map(\.pts)
        #expect(times.count == Self.hours * 3600 / Self.step)
        #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 == Int64(Self.step) * 1000 })
    }

    @Test("FFmpeg's FLV restarts after 31 bits of milliseconds, so a connection is shorter")
    func milliseconds() async throws {
        let scratch = Scratch()
        let output = scratch.file("out.flv")
        let last = Int(PublisherCommand.longestConnection.components.seconds)
        let begins: UInt32 = 100 &- (1 << 31)
        let cases: [(start: Int, steps: Set<UInt32>)] = [(2_147_478, [100, begins]), (last, [100])]
        for (start, steps) in cases {
            try await tool(
                "ffmpeg",
                [
                    "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=64x36:rate=10", "-t", "12", "-c:v",
                    "libx264", "-bf", "0", "-output_ts_offset", "\(start)",
                    "-flvflags", "no_duration_filesize", "-f", "flv", output,
                ])
            let times = flvTimes(try contents(output))
            #expect(times.count == 120)
            let found = Set(zip(times, times.dropFirst()).map { $1 &- $0 })
            #expect(found == steps, "from \(start) s")
        }
    }

    /// The times of the frames in an FLV, without its parameter header.
    private func flvTimes(_ bytes: [UInt8]) -> [UInt32] {
        var times: [UInt32] = []
        var position = 13
        while position + 13 <= bytes.count {
            let size = Int(bytes[position + 1]) << 16 | Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
            let low = UInt32(bytes[position + 4]) << 16 | UInt32(bytes[position + 5]) << 8 | UInt32(bytes[position + 6])
            if bytes[position] == 9, bytes[position + 12] == 1 { times.append(UInt32(bytes[position + 7]) << 24 | low) }
            position += 11 + size + 4
        }
        return times
    }
}
