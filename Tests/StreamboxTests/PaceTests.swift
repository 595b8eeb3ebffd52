import Foundation
import TestSupport
import Testing

/// Sources that deliver faster than real time.
@Suite(.serialized, .tags(.ffmpeg)) struct PaceTests {
    private func groups(_ sink: NginxRTMP) -> String {
        """
            slate: { after: 10s }
            groups:
              - name: hd
                video: { encoder: libx264, bitrate: 600k, size: 320x180, rate: 30 }
                targets: [ { name: a, url: "\(sink.url("hd"))" } ]
              - { name: raw, video: copy, audio: copy, targets: [ { name: b, url: "\(sink.url("raw"))" } ] }
        """
    }

    /// The seconds from one log line to another, by the service's clock.
    private func seconds(from begin: Transcript.Line, to end: Transcript.Line) throws -> Double {
        try Daemon.time(of: end.text).timeIntervalSince(Daemon.time(of: begin.text))
    }

    /// Expects every frame of the first run of the file, in order.
    private func expectWhole(_ sink: NginxRTMP, _ name: String, frames: Int) async throws {
        let numbers = Array(try await sink.reading(of: name).numbers.prefix(frames))
        let gap = numbers.indices.first { Int(numbers[$0]) != $0 }
        #expect(numbers.count == frames && gap == nil, "\(name): \(numbers.count) frames, a gap at \(gap ?? frames)")
    }

    @Test("a file pulled by HTTP is on air whole in real time, and status and log say so")
    func pulledFile() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let server = try FileServer(stage)
            _ = try await stage.file("show.ts") { $0.duration = .seconds(20) }
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { pull: { url: "\(server.url("show.ts"))" } } ]
                \(groups(sink))
                """)
            // The targets are connected before the file arrives.
            for name in ["hd", "raw"] { try await sink.waitForFrames(30, of: name) }
            try await server.start()
            let begin = try await daemon.logged("msg=\"on air\"", "source=pull-0")
            try await stage.expect("the note", of: daemon) { status in
                status.source("pull-0")?.notes?.contains { $0.contains("faster than real time") } == true
            }
            let end = try await daemon.logged("msg=ended", "source=pull-0", from: begin.index, within: .seconds(60))
            // The service may read up to four seconds ahead.
            #expect(try seconds(from: begin, to: end) >= 15)
            // The file is pulled again, and that is not reported again.
            try await daemon.logged("faster than real time", "level=debug", "source=pull-0", within: .seconds(60))
            #expect(daemon.lines("faster than real time", "level=notice", "source=pull-0").count == 1)
            #expect(daemon.lines("silent: no frame arrives").isEmpty)
            // The end of a file is no failure.
            #expect(try await !stage.status(of: daemon).hasProblem("source-failed"))
            let status = try await stage.expect("no frame lost", of: daemon) { $0.group("hd")?.lostFrames == 0 }
            // No encoder was replaced as stalled.
            #expect(status.group("hd")?.handovers["stall"] ?? 0 == 0)
            // At a stop the encoder's last frames may come too late.
            for name in ["hd", "raw"] { try await sink.waitForNumbers(600, of: name) }
            try await daemon.terminate()
            for name in ["hd", "raw"] { try await expectWhole(sink, name, frames: 600) }
        }
    }

    @Test("a file published at five times its speed is on air whole in real time")
    func fastPublisher() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let port = try FreePort.tcp()
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { rtmp: { listen: "127.0.0.1:\(port)", app: live } } ]
                \(groups(sink))
                """)
            for name in ["hd", "raw"] { try await sink.waitForFrames(30, of: name) }
            let file = try await stage.file("show.flv") { $0.duration = .seconds(15) }
            let arguments = ["-v", "error", "-nostdin", "-readrate", "5", "-i", file, "-c", "copy", "-f", "flv"]
            let publisher = try await stage.program("ffmpeg", arguments + ["rtmp://127.0.0.1:\(port)/live/x"])
            let begin = try await daemon.logged("msg=\"on air\"", "source=rtmp-0")
            try await daemon.logged("faster than real time", "level=warning", "source=rtmp-0")
            #expect(try await publisher.wait(.seconds(30)) == .exited(0))
            let end = try await daemon.logged("msg=ended", "source=rtmp-0", from: begin.index, within: .seconds(60))
            #expect(try seconds(from: begin, to: end) >= 10)
            // The note ends with the publisher.
            try await stage.expect("no note", of: daemon) { $0.source("rtmp-0")?.notes == nil }
            // The slate's frames push the last frames out of the encoder.
            for name in ["hd", "raw"] { try await sink.waitForNumbers(450, of: name, within: .seconds(60)) }
            try await daemon.terminate()
            for name in ["hd", "raw"] { try await expectWhole(sink, name, frames: 450) }
        }
    }
}
