import FFmpeg
import TestSupport
import Testing

/// The audio of publishers, converted by the installed FFmpeg.
@Suite(.serialized, .tags(.ffmpeg)) struct AudioConverterMediaTests {
    /// FFmpeg's options for audio as publishers send it.
    private static let codecs = [
        "-c:a libmp3lame -ar 44100 -ac 2", "-c:a libmp3lame -ar 22050 -ac 1", "-c:a pcm_mulaw -ar 8000 -ac 1",
        "-c:a pcm_alaw -ar 8000 -ac 1", "-c:a pcm_s16le -ar 44100 -ac 2", "-c:a pcm_u8 -ar 11025 -ac 1",
        "-c:a adpcm_swf -ar 44100 -ac 2", "-c:a adpcm_swf -ar 22050 -ac 1", "-c:a nellymoser -ar 44100 -ac 1",
        "-c:a nellymoser -ar 22050 -ac 1", "-c:a nellymoser -ar 8000 -ac 1", "-c:a libspeex -ar 16000 -ac 1",
        "-c:a aac -ar 44100 -ac 2",
    ]

    /// Four seconds of audio that begin at two seconds, with a beep each second.
    private func makeFLV(_ path: String, _ codec: String) async throws {
        let source = "aevalsrc='0.5*sin(2*PI*1000*t)*lt(mod(t,1),0.1)':s=48000"
        let input = ["-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", source, "-t", "4"]
        let options = codec.split(separator: " ").map(String.init)
        try await tool("ffmpeg", input + options + ["-output_ts_offset", "2", "-f", "flv", path])
    }

    /// When beeps begin, in seconds of the file's own timeline.
    private func beeps(_ path: String, in scratch: Scratch) async throws -> [Double] {
        let samples = scratch.file("samples")
        try await tool(
            "ffmpeg",
            [
                "-v", "error", "-nostdin", "-y", "-i", path, "-map", "0:a:0", "-af", "aresample=48000", "-ac", "1",
                "-c:a", "pcm_s16le", "-f", "s16le", samples,
            ])
        let entries = ["-show_entries", "packet=pts_time", "-of", "default=nw=1:nk=1"]
        let times = try await tool("ffprobe", ["-v", "error", "-select_streams", "a:0"] + entries + [path])
        let first = try #require(times.split(separator: "\n").first.flatMap { Double($0) })
        let bytes = try contents(samples)
        var found: [Double] = []
        var lastLoud = -Double.infinity
        for index in 0..<bytes.count / 2 {
            let value = Int16(truncatingIfNeeded: Int(bytes[2 * index]) | Int(bytes[2 * index + 1]) << 8)
            guard value.magnitude > 3000 else { continue }
            let time = first + Double(index) / 48_000
            if time - lastLoud > 0.3 { found.append(time) }
            lastLoud = time
        }
        return found
    }

    @Test("converted audio keeps beeps in place, in AAC frames without a gap or a warning", arguments: codecs)
    func place(codec: String) async throws {
        let scratch = Scratch()
        let (input, output) = (scratch.file("in.flv"), scratch.file("out.ts"))
        try await makeFLV(input, codec)
        let exit = try await run(AudioConverterCommand().command(), in: scratch, from: input, to: output)
        #expect(exit.status == .exited(0))
        #expect(exit.words.isEmpty, "\(exit.words)")
        let times = try await packets(output, "a").map(\.pts)
        // Each frame of 1024 samples at 48 kHz follows the one before.
        #expect(times.count > 180 && zip(times, times.dropFirst()).allSatisfy { $1 - $0 == 1920 }, "\(times)")
        let (before, after) = (try await beeps(input, in: scratch), try await beeps(output, in: scratch))
        #expect(before.count >= 4 && before.count == after.count, "\(before) \(after)")
        #expect(zip(before, after).allSatisfy { abs($0 - $1) < 0.005 }, "\(before) \(after)")
    }

    @Test("a requested sample rate is the rate of the output")
    func rate() async throws {
        let scratch = Scratch()
        let (input, output) = (scratch.file("in.flv"), scratch.file("out.ts"))
        try await makeFLV(input, "-c:a pcm_mulaw -ar 8000 -ac 1")
        _ = try await run(AudioConverterCommand(sampleRate: 44_100).command(), in: scratch, from: input, to: output)
        let entries = ["-show_entries", "stream=codec_name,sample_rate,channels", "-of", "csv=p=0"]
        let text = try await tool("ffprobe", ["-v", "error"] + entries + [output])
        #expect(text.hasPrefix("aac,44100,2"), "\(text)")
    }
}
