import Foundation
import TestSupport
import Testing

/// Frames that another program writes.
@Suite(.serialized) struct RawTests {
    private func box(_ fifo: String, _ url: String) -> String {
        """
          - name: main
            sources: [ { raw: { path: \(fifo), size: 320x180, rate: 30, pixels: bgra } } ]
            mezzanine: { bitrate: 2M }
            groups: [ { name: hd, video: { encoder: libx264, bitrate: 1M, keyframe: 1s }, targets: [ { name: a, url: "\(url)" } ] } ]
        """
    }

    /// Writes the frames of a numbered stream at their pace.
    private func write(_ file: String, to fifo: String, on stage: Stage) async throws -> Program {
        try await stage.program("ffmpeg", ["-v", "error", "-nostdin", "-y", "-re", "-i", file, "-map", "0:v", "-f", "rawvideo", "-pix_fmt", "bgra", fifo])
    }

    @Test("frames stay whole when their writer dies in the middle of one and another comes, and when the relay is killed under it")
    func torn() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let file = try await stage.file("numbers.ts") { $0.duration = .seconds(60) }
            let fifo = stage.folder.path("frames")
            let config = try stage.configuration(box(fifo, sink.url("one")))
            let program = try await stage.program(Daemon.path, ["run", "--config", config, "--log-level", "debug"])
            let daemon = Daemon(program: program, config: config, runtime: stage.folder.path("run-box"))
            try await eventually("the FIFO") { FileManager.default.fileExists(atPath: fifo) }
            let first = try await write(file, to: fifo, on: stage)
            try await daemon.logged("\"on air\"", "source=raw-0")
            try await sink.waitForFrames(45, of: "one")
            // The relay first.
            var position = daemon.position
            for relay in daemon.children("rawvideo") { kill(relay.pid, SIGKILL) }
            try await daemon.logged("delivers", "source=raw-0", from: position)
            try await Task.sleep(for: .seconds(1))
            // Then the writer, at any place in a frame: some bytes of one more are left behind.
            position = daemon.position
            first.send(SIGKILL)
            await stage.end(first)
            let torn = try #require(FileHandle(forWritingAtPath: fifo))
            torn.write(Data(repeating: 200, count: 100_001))
            try torn.close()
            try await daemon.logged("in the middle of one", from: position)
            try await daemon.logged("\"on air\"", "source=slate", from: position)
            let second = try await write(file, to: fifo, on: stage)
            try await daemon.logged("\"on air\"", "source=raw-0", from: position)
            let soFar = try await sink.reading(of: "one").frames.count
            try await sink.waitForFrames(soFar + 45, of: "one")
            await stage.end(second)
            try await daemon.terminate()
            #expect(try await sink.wasPublishedOnceInOrder("one"))
            // A frame that begins in the wrong place has no number that can be read.
            let reading = try await sink.reading(of: "one")
            let numbers = reading.frames.compactMap(\.number)
            #expect(numbers.count > 100, "\(numbers.count) of \(reading.frames.count)")
            #expect(reading.frames.suffix(30).allSatisfy { $0.number != nil })
        }
    }

    @Test("the example of the library writes frames that go on air")
    func library() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let fifo = stage.folder.path("frames")
            // It may begin before there is anything to write to.
            let example = URL(fileURLWithPath: Daemon.path).deletingLastPathComponent().path + "/ColourFrames"
            let writer = try await stage.program(example, [fifo])
            let config = try stage.configuration(box(fifo, sink.url("one")))
            let program = try await stage.program(Daemon.path, ["run", "--config", config, "--log-level", "debug"])
            let daemon = Daemon(program: program, config: config, runtime: stage.folder.path("run-box"))
            try await daemon.logged("\"on air\"", "source=raw-0")
            try await sink.waitForFrames(30, of: "one")
            #expect(writer.isRunning)
            try await daemon.terminate()
        }
    }

    @Test("a program that opens the FIFO and closes it without an end does not fill the log, and another one is taken afterwards")
    func restless() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let file = try await stage.file("numbers.ts") { $0.duration = .seconds(60) }
            let fifo = stage.folder.path("frames")
            let config = try stage.configuration(box(fifo, sink.url("one")))
            let program = try await stage.program(Daemon.path, ["run", "--config", config, "--log-level", "debug"])
            let daemon = Daemon(program: program, config: config, runtime: stage.folder.path("run-box"))
            try await eventually("the FIFO") { FileManager.default.fileExists(atPath: fifo) }
            // With a byte now and then, which leaves a frame torn.
            for number in 0..<500 {
                let writer = try #require(FileHandle(forWritingAtPath: fifo))
                if number % 3 == 0 { writer.write(Data([1])) }
                try writer.close()
                if number % 10 == 0 { try await Task.sleep(for: .milliseconds(20)) }
            }
            let writer = try await write(file, to: fifo, on: stage)
            try await daemon.logged("\"on air\"", "source=raw-0")
            try await sink.waitForFrames(30, of: "one")
            let lines = daemon.lines("source=raw-0")
            #expect(daemon.lines("a program writes frames").count <= 5 && lines.count < 60, "\(lines.count): \(lines.suffix(20))")
            await stage.end(writer)
            try await daemon.terminate()
        }
    }
}
