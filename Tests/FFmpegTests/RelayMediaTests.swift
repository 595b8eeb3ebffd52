import FFmpeg
import Glibc
import MediaTypes
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// The installed FFmpeg on real sources.
@Suite(.serialized, .tags(.ffmpeg)) struct RelayMediaTests {
    /// Runs an endless relay until its output has that many bytes.
    private func relay(_ relay: RelayCommand, in scratch: Scratch, bytes: Int) async throws -> ChildExit {
        let handle = ChildHandle()
        let output = scratch.file("out.ts")
        let command = try relay.command(for: try await ffmpeg().capabilities)
        async let exit = run(command, in: scratch, to: output, handle: handle, clock: StoppedClock())
        try await eventually("output") {
            var info = stat()
            return stat(output, &info) == 0 && info.st_size >= bytes
        }
        handle.stop(.gracefully)
        return try await exit
    }

    private func streams(_ path: String) async throws -> String {
        try await tool(
            "ffprobe", ["-v", "error", "-show_entries", "stream=id,codec_name", "-of", "csv=p=0", path])
    }

    @Test("the test source has H.264 on PID 256, AAC on 257, and two keyframes a second")
    func testSource() async throws {
        let scratch = Scratch()
        let exit = try await relay(
            RelayCommand(source: .test(size: FrameSize(width: 320, height: 180), rate: FrameRate(30))), in: scratch,
            bytes: 300_000)
        #expect(exit.status == .exited(255))
        let text = try await streams(scratch.file("out.ts"))
        #expect(text.contains("h264,0x100") && text.contains("aac,0x101"))
        let video = try await packets(scratch.file("out.ts"), "v")
        #expect(video.indices.filter { video[$0].isKey }.allSatisfy { $0 % 15 == 0 })
        #expect(zip(video, video.dropFirst()).allSatisfy { $1.pts - $0.pts == 3000 })
    }

    @Test("a looped file continues without a gap, with or without B-frames", arguments: ["0", "3"])
    func loop(bFrames: String) async throws {
        let scratch = Scratch()
        let file = scratch.file("it's 1.mp4")
        try await tool(
            "ffmpeg",
            [
                "-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25", "-f", "lavfi", "-i",
                "sine=r=48000", "-t", "1", "-c:v", "libx264", "-bf", bFrames, "-pix_fmt", "yuv420p", "-c:a", "aac",
                file,
            ])
        let recorder = Recorder()
        let handle = ChildHandle()
        let command = try RelayCommand(source: .file(path: file, loop: true)).command(
            for: try await ffmpeg().capabilities)
        async let exit = run(
            command, in: scratch, to: scratch.file("out.ts"), handle: handle, recorder: recorder, clock: StoppedClock())
        try await eventually("the third round", every: .milliseconds(300)) {
            pictures(in: (try? contents(scratch.file("out.ts"))) ?? []) > 60
        }
        handle.stop(.gracefully)
        let words = try await exit.words
        #expect(words.isEmpty, "\(words)")
        // At the place where it was stopped, a frame may lack its B-frames.
        let video = try await packets(scratch.file("out.ts"), "v").map(\.pts).sorted().dropLast(4)
        // A round lasts as long as its longer stream, so the seam may be longer by part of a frame.
        #expect(
            zip(video, video.dropFirst()).allSatisfy { (3600...7200).contains($1 - $0) },
            "\(Set(zip(video, video.dropFirst()).map { $1 - $0 }))")
        let audio = try await packets(scratch.file("out.ts"), "a").map(\.pts)
        #expect(zip(audio, audio.dropFirst()).allSatisfy { (1...3840).contains($1 - $0) })
    }

    @Test("a source in another codec is encoded for the feed")
    func mezzanine() async throws {
        let scratch = Scratch()
        let file = scratch.file("old.mkv")
        try await tool(
            "ffmpeg",
            [
                "-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25", "-f", "lavfi", "-i",
                "sine=r=44100", "-t", "2", "-c:v", "mpeg4", "-c:a", "pcm_s16le", file,
            ])
        let exit = try await run(
            RelayCommand(
                source: .file(path: file, loop: false),
                video: .mezzanine(bitrate: 500_000, keyframeInterval: .milliseconds(500)),
                audio: .aac(bitrate: 96_000)
            ).command(for: try await ffmpeg().capabilities), in: scratch, to: scratch.file("out.ts"))
        #expect(exit.status == .exited(0), "\(exit.log.lines)")
        let text = try await streams(scratch.file("out.ts"))
        #expect(text.contains("h264,0x100") && text.contains("aac,0x101"))
        #expect(try await packets(scratch.file("out.ts"), "v").count == 50)
    }

    @Test(
        "interlaced MPEG-2 becomes progressive H.264, one frame per frame or per field",
        arguments: [(VideoSettings.Deinterlacing.onePerFrame, 50), (.onePerField, 100)])
    func interlaced(deinterlacing: VideoSettings.Deinterlacing, count: Int) async throws {
        let scratch = Scratch()
        try await makeInterlaced(
            scratch.file("old.ts"), codec: ["-c:v", "mpeg2video", "-b:v", "4M", "-pix_fmt", "yuv420p"])
        #expect(try await interlacedFrames(scratch.file("old.ts")) == 50)
        let exit = try await run(
            RelayCommand(
                source: .file(path: scratch.file("old.ts"), loop: false),
                video: .mezzanine(
                    bitrate: 2_000_000, keyframeInterval: .milliseconds(500), deinterlacing: deinterlacing)
            ).command(for: try await ffmpeg().capabilities), in: scratch, to: scratch.file("out.ts"))
        #expect(exit.status == .exited(0), "\(exit.log.lines)")
        let times = try await packets(scratch.file("out.ts"), "v").map(\.pts)
        #expect(times.count == count)
        #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 == Int64(180_000 / count) }, "\(times)")
        #expect(try await interlacedFrames(scratch.file("out.ts")) == 0)
        #expect(try await combedFrames(scratch.file("out.ts")) == 0)
    }

    @Test("a missing file has a cause of its own")
    func missing() async throws {
        let scratch = Scratch()
        let relay = try RelayCommand(source: .file(path: scratch.file("none.mp4"), loop: true)).command(
            for: try await ffmpeg().capabilities)
        #expect(try await run(relay, in: scratch).cause == .notFound)
    }
}
