import FFmpeg
import MediaTypes
import TestSupport
import Testing

/// Slates of images as users provide them, rendered by the installed FFmpeg.
@Suite(.tags(.ffmpeg)) struct SlateMediaTests {
    @Test(
        "a slate has its own rate, whatever rate its image has",
        arguments: ["still.png", "moving.gif", "moving.apng", "moving.mp4"], [25, 30])
    func rate(name: String, rate: Int) async throws {
        let scratch = Scratch()
        let image = scratch.file(name)
        try await tool(
            "ffmpeg",
            ["-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", "testsrc2=size=160x90:rate=10"]
                + (name.hasPrefix("still") ? ["-frames:v", "1"] : ["-t", "2"])
                + (name.hasSuffix("apng") ? ["-f", "apng"] : []) + [image])
        let output = scratch.file("slate.ts")
        let command = SlateCommand(
            picture: .init(image: image), codec: .h264, size: FrameSize(width: 320, height: 180), rate: FrameRate(rate),
            frames: rate * 2, output: output)
        let exit = try await run(command.command(), in: scratch)
        #expect(exit.status == .exited(0), "\(exit.log.lines)")
        let times = try await packets(output, "v").map(\.pts)
        #expect(times.count == rate * 2)
        #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 == Int64(90_000 / rate) }, "\(times)")
    }

    @Test("a slate has the pixel aspect of the source that it replaces")
    func pixels() async throws {
        let scratch = Scratch()
        let command = SlateCommand(
            picture: .plain, codec: .h264, size: FrameSize(width: 720, height: 576), rate: FrameRate(25),
            pixel: PixelAspect(width: 64, height: 45),
            frames: 5, output: scratch.file("slate.ts"))
        let exit = try await run(command.command(), in: scratch)
        #expect(exit.status == .exited(0), "\(exit.log.lines)")
        let shape = try await tool(
            "ffprobe",
            [
                "-v", "error", "-select_streams", "v", "-show_entries", "stream=width,height,sample_aspect_ratio",
                "-of", "csv=p=0", scratch.file("slate.ts"),
            ])
        #expect(shape.hasPrefix("720,576,64:45"), "\(shape)")
    }
}
