import EncoderSelection
import FFmpeg
import Foundation
import MediaTypes
import TestSupport
import Testing

/// The installed FFmpeg on real streams.
@Suite(.serialized, .tags(.ffmpeg)) struct EncoderMediaTests {
    private func encoder(
        rate: FrameRate? = FrameRate(30),
        settings: VideoSettings = VideoSettings(bitrate: 500_000, keyframeInterval: .seconds(2)),
        resume: ResumePoint? = nil
    ) async throws -> FFmpegCommand {
        EncoderCommand(
            video: .encode(settings, with: Libx264Recipe()), audio: .aac(bitrate: 96_000, rate: 48000, channels: 2),
            inputRate: rate, resume: resume
        ).command(for: try await ffmpeg().capabilities)
    }

    @Test("frames keep their timestamps, keyframes come by time, audio is on one grid")
    func exactness() async throws {
        let scratch = Scratch()
        let source = scratch.file("source.ts")
        let output = scratch.file("out.ts")
        try await makeSource(source)
        let exit = try await run(try await encoder(), in: scratch, from: source, to: output)
        #expect(exit.status == .exited(0), "\(exit.log.lines)")
        let before = try await packets(source, "v")
        let after = try await packets(output, "v")
        #expect(after.map(\.pts) == before.map(\.pts))
        #expect(before.count == 180)
        #expect(after.indices.filter { after[$0].isKey } == [0, 60, 120])
        let audio = try await packets(output, "a").map(\.pts)
        #expect(zip(audio, audio.dropFirst()).allSatisfy { $1 - $0 == 1920 })
        // Priming: one frame before the source's first.
        let first = try #require(try await packets(source, "a").first).pts
        #expect(audio.first == first - 1920)
    }

    @Test("a second encoder continues at the next frame and on the first one's audio grid")
    func resuming() async throws {
        let scratch = Scratch()
        let source = scratch.file("source.ts")
        try await makeSource(source)
        _ = try await run(try await encoder(), in: scratch, from: source, to: scratch.file("whole.ts"))
        let video = try await packets(scratch.file("whole.ts"), "v")
        let audio = try await packets(scratch.file("whole.ts"), "a")
        let point = ResumePoint(videoStart: video[100].pts, audioStart: audio[150].pts)
        let exit = try await run(
            try await encoder(resume: point), in: scratch, from: source, to: scratch.file("rest.ts"))
        #expect(exit.status == .exited(0))
        let videoRest = try await packets(scratch.file("rest.ts"), "v")
        let audioRest = try await packets(scratch.file("rest.ts"), "a")
        #expect(videoRest.map(\.pts) == video[100...].map(\.pts))
        #expect(videoRest.first?.isKey == true)
        #expect(audioRest.first?.pts == audio[149].pts)
        #expect(audioRest.dropFirst().map(\.pts) == audio[150...].map(\.pts))
    }

    @Test("a converted rate has one grid, wherever the encoder starts")
    func convertedRate() async throws {
        let scratch = Scratch()
        let source = scratch.file("source.ts")
        try await makeSource(source, seconds: 3)
        let settings = VideoSettings(
            size: FrameSize(width: 160, height: 90), frameRate: FrameRate(25), bitrate: 200_000)
        _ = try await run(
            try await encoder(settings: settings), in: scratch, from: source, to: scratch.file("whole.ts"))
        let whole = try await packets(scratch.file("whole.ts"), "v")
        #expect(zip(whole, whole.dropFirst()).allSatisfy { $1.pts - $0.pts == 3600 })
        let audio = try await packets(scratch.file("whole.ts"), "a")
        let point = ResumePoint(videoStart: whole[40].pts, audioStart: audio[70].pts)
        _ = try await run(
            try await encoder(settings: settings, resume: point), in: scratch, from: source, to: scratch.file("rest.ts")
        )
        #expect(try await packets(scratch.file("rest.ts"), "v").map(\.pts) == whole[40...].map(\.pts))
        let size = try await tool(
            "ffprobe",
            [
                "-v", "error", "-select_streams", "v", "-show_entries", "stream=width,height,r_frame_rate", "-of",
                "csv=p=0", scratch.file("rest.ts"),
            ])
        #expect(size.split(separator: "\n").first == "160,90,25/1")
    }

    @Test(
        "frames of another size cause no gap, with a converted rate or without",
        arguments: [FrameRate(25), nil])
    func otherSize(rate: FrameRate?) async throws {
        let scratch = Scratch()
        try await makeSource(scratch.file("first.ts"), seconds: 2)
        try await makeSource(scratch.file("second.ts"), seconds: 2, size: "640x360", start: 5002)
        let both = try ["first.ts", "second.ts"].map { try Data(contentsOf: URL(filePath: scratch.file($0))) }.reduce(
            Data(), +)
        try both.write(to: URL(filePath: scratch.file("both.ts")))
        let settings = VideoSettings(size: FrameSize(width: 160, height: 90), frameRate: rate, bitrate: 200_000)
        let exit = try await run(
            try await encoder(settings: settings), in: scratch, from: scratch.file("both.ts"),
            to: scratch.file("out.ts"))
        #expect(exit.status == .exited(0))
        let pictures = try await packets(scratch.file("out.ts"), "v").map(\.pts)
        let step: Int64 = rate == nil ? 3000 : 3600
        // To the millisecond of FLV.
        #expect(
            zip(pictures, pictures.dropFirst()).allSatisfy { abs($1 - $0 - step) < 90 },
            "\(zip(pictures, pictures.dropFirst()).map { $1 - $0 })")
        #expect(pictures.count >= 4 * 90_000 / Int(step))
        #expect(
            exit.log.lines.contains { FFmpegNoise.contains(LogLine(level: .warning, text: $0)) }, "\(exit.log.lines)")
    }

    @Test(
        "interlaced frames become progressive at their times, also in a second encoder",
        arguments: [VideoSettings.Deinterlacing.onePerFrame, .onePerField])
    func interlaced(deinterlacing: VideoSettings.Deinterlacing) async throws {
        let scratch = Scratch()
        let source = scratch.file("source.ts")
        try await makeInterlaced(source, codec: interlacedH264)
        let settings = VideoSettings(
            size: FrameSize(width: 320, height: 288), bitrate: 2_000_000, deinterlacing: deinterlacing)
        let rate = deinterlacing == .onePerField ? 50 : 25
        func encode(to name: String, resume: ResumePoint? = nil) async throws -> [Int64] {
            let command = EncoderCommand(
                video: .encode(settings, with: Libx264Recipe()), audio: .copy, inputRate: FrameRate(rate),
                inputSize: FrameSize(width: 320, height: 288),
                resume: resume)
            let exit = try await run(
                command.command(for: try await ffmpeg().capabilities), in: scratch, from: source, to: scratch.file(name)
            )
            #expect(exit.status == .exited(0), "\(exit.log.lines)")
            return try await packets(scratch.file(name), "v").map(\.pts)
        }
        let whole = try await encode(to: "whole.ts")
        #expect(whole.count == rate * 2)
        #expect(zip(whole, whole.dropFirst()).allSatisfy { $1 - $0 == Int64(90_000 / rate) }, "\(whole)")
        #expect(try await interlacedFrames(scratch.file("whole.ts")) == 0)
        #expect(try await combedFrames(scratch.file("whole.ts")) == 0)
        let rest = try await encode(to: "rest.ts", resume: ResumePoint(videoStart: whole[21], audioStart: whole[21]))
        #expect(rest == Array(whole[21...]))
        #expect(try await combedFrames(scratch.file("rest.ts")) == 0)
    }

    @Test("frames of every shape are shown whole, and a change of size causes no gap")
    func shapes() async throws {
        let scratch = Scratch()
        try await makeSource(scratch.file("first.ts"), seconds: 2)
        try await makeSource(scratch.file("second.ts"), seconds: 2, size: "180x320", start: 5002)
        let both = try ["first.ts", "second.ts"].map { try Data(contentsOf: URL(filePath: scratch.file($0))) }.reduce(
            Data(), +)
        try both.write(to: URL(filePath: scratch.file("both.ts")))
        let settings = VideoSettings(size: FrameSize(width: 320, height: 180), bitrate: 500_000, fit: .pad)
        let exit = try await run(
            try await encoder(settings: settings), in: scratch, from: scratch.file("both.ts"),
            to: scratch.file("out.ts"))
        #expect(exit.status == .exited(0), "\(exit.log.lines)")
        let times = try await packets(scratch.file("out.ts"), "v").map(\.pts)
        #expect(times.count == 120 && zip(times, times.dropFirst()).allSatisfy { abs($1 - $0 - 3000) < 90 }, "\(times)")
        // The leftmost tenth of each frame as one pixel: no part of a bar is bright.
        try await tool(
            "ffmpeg",
            [
                "-v", "error", "-nostdin", "-i", scratch.file("out.ts"), "-fps_mode", "passthrough", "-vf",
                "crop=iw/10:ih:0:0,scale=1:1:flags=area,format=gray", "-f", "rawvideo",
                scratch.file("edge.gray"),
            ])
        let edges = try contents(scratch.file("edge.gray"))
        #expect(
            edges.count == 120 && edges.prefix(55).allSatisfy { $0 > 40 } && edges.suffix(55).allSatisfy { $0 < 25 },
            "\(edges)")
    }

    @Test("the bitrate is the configured one, whether the rate is known or not", arguments: [FrameRate(30), nil])
    func bitrate(rate: FrameRate?) async throws {
        let scratch = Scratch()
        let source = scratch.file("source.ts")
        try await makeSource(source)
        let settings = VideoSettings(bitrate: 300_000)
        _ = try await run(
            try await encoder(rate: rate, settings: settings), in: scratch, from: source, to: scratch.file("out.ts"))
        let sizes = try await tool(
            "ffprobe",
            [
                "-v", "error", "-select_streams", "v", "-show_entries", "packet=size", "-of", "csv=p=0",
                scratch.file("out.ts"),
            ]
        ).split(separator: "\n").compactMap { Int($0.prefix { $0 != "," }) }
        let bits = sizes.reduce(0, +) * 8 / 6
        #expect(bits > 150_000 && bits < 450_000)
    }

    @Test("gaps in the audio are filled, so the grid continues")
    func gaps() async throws {
        let scratch = Scratch()
        let source = scratch.file("source.ts")
        try await makeSource(source)
        try await tool(
            "ffmpeg",
            [
                "-v", "error", "-nostdin", "-copyts", "-i", source, "-c", "copy", "-bsf:a",
                "noise=drop=between(n\\,100\\,124)+eq(n\\,200)", "-mpegts_copyts", "1", "-muxdelay", "0", "-muxpreload",
                "0",
                scratch.file("holes.ts"),
            ])
        _ = try await run(try await encoder(), in: scratch, from: scratch.file("holes.ts"), to: scratch.file("out.ts"))
        let audio = try await packets(scratch.file("out.ts"), "a").map(\.pts)
        #expect(audio.count > 270)
        #expect(zip(audio, audio.dropFirst()).allSatisfy { $1 - $0 == 1920 })
    }

    @Test("copying changes no timestamp")
    func copying() async throws {
        let scratch = Scratch()
        let source = scratch.file("source.ts")
        try await makeSource(source, seconds: 2)
        let exit = try await run(
            EncoderCommand(video: .copy, audio: .copy).command(for: try await ffmpeg().capabilities), in: scratch,
            from: source, to: scratch.file("out.ts"))
        #expect(exit.status == .exited(0))
        #expect(try await packets(scratch.file("out.ts"), "v") == packets(source, "v"))
        #expect(try await packets(scratch.file("out.ts"), "a") == packets(source, "a"))
    }
}
