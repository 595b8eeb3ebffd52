import Foundation
import TestSupport
import Testing

/// Raw frames that another program writes to a FIFO.
@Suite(.serialized, .tags(.ffmpeg)) struct RawTests {
    private func box(_ fifo: String, _ url: String, slate: String) -> String {
        """
          - name: main
            sources: [ { raw: { path: \(fifo), size: 320x180, rate: 30, pixels: bgra } } ]
            slate: { after: \(slate) }
            mezzanine: { bitrate: 2M }
            groups:
              - name: hd
                video: { encoder: libx264, bitrate: 1M, keyframe: 1s }
                targets: [ { name: a, url: "\(url)" } ]
        """
    }

    /// Starts the service, and does not wait for its source: a raw source is not on air without a writer.
    ///
    /// - Parameter slate: How late a writer may be before the slate is on air.
    private func service(
        _ stage: Stage, _ fifo: String, _ sink: NginxRTMP, slate: String = "1s"
    ) async throws -> Daemon {
        let config = try stage.configuration(box(fifo, sink.url("one"), slate: slate))
        try await stage.rememberFirstStart("box")
        return try await stage.start(config)
    }

    /// Writes the frames of a numbered stream to the FIFO.
    ///
    /// - Parameter pace: Options of FFmpeg for the read rate.
    private func write(
        _ file: String, to fifo: String, on stage: Stage, pace: [String] = ["-re"]
    ) async throws -> TestProcess {
        try await stage.program(
            "ffmpeg",
            ["-v", "error", "-nostdin", "-y"] + pace
                + ["-i", file, "-map", "0:v", "-f", "rawvideo", "-pix_fmt", "bgra", fifo])
    }

    @Test("raw frames stay whole when a writer dies, and none is lost with an encoder")
    func torn() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let file = try await stage.file("numbers.ts") { $0.duration = .seconds(120) }
            let fifo = stage.folder.path("frames")
            // A writer that is late on a busy machine stays on air, and loses nothing.
            let daemon = try await service(stage, fifo, sink, slate: "10s")
            try await eventually("the FIFO") { FileManager.default.fileExists(atPath: fifo) }
            let first = try await write(file, to: fifo, on: stage)
            try await daemon.logged("\"on air\"", "source=raw-0")
            try await sink.waitForNumbers(45, of: "one")
            // First the encoder fails, at any place in a frame.
            var failed: Set<Int32> = []
            for (signal, cause) in [(SIGKILL, "crash"), (SIGSTOP, "stall"), (SIGKILL, "crash")] {
                let position = daemon.position
                // The encoder before may not have exited yet.
                let encoder = try #require(daemon.children("-f ivf").first { !failed.contains($0.pid) }).pid
                failed.insert(encoder)
                kill(encoder, signal)
                try await daemon.logged("handed over", "source=raw-0", "cause=\(cause)", from: position)
                try await sink.waitForMoreFrames(20, of: "one")
            }
            let whole = try await sink.reading(of: "one").frames.compactMap(\.number)
            #expect(zip(whole, whole.dropFirst()).allSatisfy { $1 == $0 + 1 }, "\(whole)")
            // Then the writer fails, after some bytes of one more frame.
            let position = daemon.position
            first.send(SIGKILL)
            await stage.end(first)
            let torn = try #require(FileHandle(forWritingAtPath: fifo))
            try await onOwnThread { try torn.write(contentsOf: Data(repeating: 200, count: 100_001)) }
            try torn.close()
            try await daemon.logged("in the middle of one", from: position)
            try await daemon.logged("\"on air\"", "source=slate", from: position)
            let second = try await write(file, to: fifo, on: stage)
            try await daemon.logged("\"on air\"", "source=raw-0", from: position)
            // The encoders may still hold frames of the slate.
            try await sink.waitForMoreNumbers(45, of: "one")
            // The service ends before the writer: the slate must not go on air.
            try await daemon.terminate()
            await stage.end(second)
            #expect(try await sink.wasPublishedOnceInOrder("one"))
            // A frame that begins in the wrong place has no readable number.
            let reading = try await sink.reading(of: "one")
            let numbers = reading.frames.compactMap(\.number)
            #expect(numbers.count > 100, "\(numbers.count) of \(reading.frames.count)")
            #expect(reading.frames.suffix(30).allSatisfy { $0.number != nil })
        }
    }

    @Test("a slow writer's frames are shown on arrival, and a pause keeps the encoder")
    func slow() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let fifo = stage.folder.path("frames")
            let daemon = try await service(stage, fifo, sink)
            try await eventually("the FIFO") { FileManager.default.fileExists(atPath: fifo) }
            let file = try await stage.file("numbers.ts") { $0.duration = .seconds(60) }
            let writer = try await write(file, to: fifo, on: stage, pace: ["-readrate", "0.2"])
            try await daemon.logged("\"on air\"", "source=raw-0")
            let encoder = try #require(daemon.children("-f ivf").first).pid
            try await sink.waitForFrames(30, of: "one")
            writer.send(SIGSTOP)
            // If the writer was late, the slate may have been on air before the writer was stopped.
            try await stage.expect("the source without frames", of: daemon) {
                $0.source("raw-0")?.state == "stalled"
            }
            #expect(!daemon.lines("silent: no frame").isEmpty)
            try await eventually("the slate on air") {
                daemon.lines("\"on air\"").last?.contains("source=slate") == true
            }
            let position = daemon.position
            writer.send(SIGCONT)
            try await daemon.logged("\"on air\"", "source=raw-0", from: position)
            try await stage.expect("the source live", of: daemon) { $0.source("raw-0")?.state == "live" }
            #expect(
                daemon.children("-f ivf").map(\.pid) == [encoder] && daemon.lines("handed over", "source=raw-0").isEmpty
            )
            try await daemon.terminate()
            #expect(try await sink.wasPublishedOnceInOrder("one"))
        }
    }

    @Test("the library's example writes frames that go on air")
    func library() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let fifo = stage.folder.path("frames")
            // The writer may start before the FIFO exists.
            let example = URL(fileURLWithPath: Daemon.path).deletingLastPathComponent().path + "/ColourFrames"
            let writer = try await stage.program(example, [fifo])
            let daemon = try await service(stage, fifo, sink)
            try await daemon.logged("\"on air\"", "source=raw-0")
            try await sink.waitForFrames(30, of: "one")
            #expect(writer.isRunning)
            try await daemon.terminate()
        }
    }

    @Test("a program that reopens the FIFO in a loop fills no log and blocks no writer")
    func restless() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let file = try await stage.file("numbers.ts") { $0.duration = .seconds(60) }
            let fifo = stage.folder.path("frames")
            let daemon = try await service(stage, fifo, sink)
            try await eventually("the FIFO") { FileManager.default.fileExists(atPath: fifo) }
            // Every third opening writes a byte, which leaves an incomplete frame.
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
            let logged = daemon.program.errors.lines.filter { $0.text.contains("a program writes frames") }
            // The log has five lines per minute, and a slow machine takes more than a minute.
            let first = try #require(logged.first)
            let last = try #require(logged.last)
            let most = 5 * (1 + Int((last.time - first.time) / Duration.seconds(60)))
            #expect(logged.count <= most && lines.count < 60, "\(lines.count): \(lines.suffix(20))")
            await stage.end(writer)
            try await daemon.terminate()
        }
    }
}
