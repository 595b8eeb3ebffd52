import Foundation
import TestSupport
import Testing

/// The log of the running service.
@Suite(.serialized, .tags(.ffmpeg)) struct LogTests {
    @Test("a log reader that is stuck delays no stream, handover or exit")
    func stuckReader() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let fifo = stage.folder.path("log")
            try #require(mkfifo(fifo, 0o600) == 0)
            // Open for reading and writing, so that opening never blocks and the pipe never ends. Full before the
            // start.
            let pipe = open(fifo, O_RDWR | O_NONBLOCK | O_CLOEXEC)
            defer { close(pipe) }
            let filling = [UInt8](repeating: UInt8(ascii: "."), count: 4096)
            while write(pipe, filling, filling.count) > 0 {}

            let port = try FreePort.tcp()
            let config = try stage.configuration(
                """
                  - name: main
                    sources: [ { rtmp: { listen: "127.0.0.1:\(port)" } } ]
                    slate: { after: 60s }
                    groups:
                      - name: hd
                        video: { encoder: libx264, bitrate: 500k }
                        targets: [ { name: t, url: "\(sink.url("kept"))" } ]
                """,
                more: "status: { file: \(stage.folder.path("box.prom")), every: 500ms }\n")
            let service = try await stage.program(
                "sh", ["-c", "exec \"$0\" run --config \"$1\" --log-level trace 2>>\"$2\"", Daemon.path, config, fifo])
            try await eventually("the source to listen") { FreePort.isListening(tcp: port) }
            // The slate has arrived: an encoder runs before the source's first frame.
            try await sink.waitForFrames(1, of: "kept")
            let publisher = try await stage.publish(.small, to: "rtmp://127.0.0.1:\(port)/live/x")
            try await sink.waitForNumbers(40, of: "kept")
            let daemon = stage.daemon(service, config)
            // Each handover logs several lines.
            for _ in 0..<3 {
                // Found by its bitrate: libx264 also encodes the slate.
                let encoder = try #require(daemon.children("-b:v 500000").first)
                kill(encoder.pid, SIGKILL)
                try await eventually("another encoder") {
                    daemon.children("-b:v 500000").contains { $0.pid != encoder.pid }
                }
            }
            let before = try stage.folder.text("box.prom")
            try await eventually("the metrics to be written on") { try stage.folder.text("box.prom") != before }
            #expect(try await stage.command(["status", "--config", config]).ending == .exited(0))
            try await sink.waitForMoreNumbers(60, of: "kept")
            await stage.end(publisher)
            // No line has been read until here.
            service.send(SIGTERM)
            #expect(try await service.wait(.seconds(11)) == .exited(0))

            let verdict = Verdict(try await sink.reading(of: "kept"))
            #expect(verdict.isWhole && verdict.first == 0, "\(verdict)")
            #expect(try await sink.wasPublishedOnceInOrder("kept"))
        }
    }

    @Test("in systemd's journal each line begins with its priority")
    func journal() async throws {
        try await withStage { stage in
            let config = try stage.configuration(
                """
                  - name: main
                    sources: [ { test: { size: 320x180, rate: 30 } } ]
                    groups:
                      - { name: hd, video: copy, audio: copy,
                          targets: [ { name: t, url: "rtmp://127.0.0.1:\(try FreePort.tcp())/live/x" } ] }
                """)
            let log = try stage.folder.write("journal", "")
            let script = """
                exec 2>>"$2"
                export JOURNAL_STREAM=$(stat -Lc %d:%i /proc/self/fd/2)
                exec "$0" run --config "$1" --log-level debug
                """
            let service = try await stage.program("sh", ["-c", script, Daemon.path, config, log])
            func lines() throws -> [Substring] { try stage.folder.text("journal").split(separator: "\n") }
            try await eventually("a target that is down") {
                try lines().contains { $0.contains("process ended") && $0.contains("target=t") }
            }
            service.send(SIGTERM)
            #expect(try await service.wait(.seconds(10)) == .exited(0))
            let priorities = ["debug": 7, "info": 6, "notice": 5, "warning": 4, "error": 3]
            for line in try lines() {
                let parts = try #require(line.firstMatch(of: /^<(\d)>time=\S+ level=(\w+) msg=/), "\(line)")
                #expect(Int(parts.1) == priorities[String(parts.2)], "\(line)")
            }
            #expect(
                try lines().contains { $0.hasPrefix("<4>") && $0.contains("process ended") && $0.contains(" last=") })
            #expect(try lines().last?.contains("level=notice msg=stopped") == true)

            let mistaken = try await stage.program(
                "sh",
                [
                    "-c", script, Daemon.path, try stage.folder.write("bad.yaml", "channels: 3\n"),
                    try stage.folder.write("bad", ""),
                ])
            #expect(try await mistaken.wait() == .exited(2))
            #expect(try stage.folder.text("bad").split(separator: "\n").allSatisfy { $0.hasPrefix("<3>") })
        }
    }
}
