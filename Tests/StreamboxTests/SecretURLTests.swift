import Foundation
import TestSupport
import Testing

/// Secrets of every kind in every place of a configuration, and every text that the service writes.
@Suite(.serialized, .tags(.ffmpeg)) struct SecretURLTests {
    /// The beginning of every secret of these tests.
    private static let mark = "s3cr"

    @Test("no secret is in any output or argument list, nor in a URL of one")
    func everywhere() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let peer = try await stage.srtListener(passphrase: "s3cr-peer-passphrase")
            let (http, down, file) = (try FreePort.tcp(), try FreePort.tcp(), stage.folder.path("streambox.prom"))
            func channels(_ more: String = "") -> String {
                """
                  - name: main
                    sources:
                      - pull:
                          url: "rtsp://s3cr-user:s3cr-p%40ss@127.0.0.1:\(down)/s3cr=first/s3cr-path?token=s3cr-rtsp"
                      - pull: { url: "http://127.0.0.1:\(sink.httpPort)/live/s3cr-folder/index.m3u8?sig=s3cr-http" }
                      - pull: { url: "rtmp://127.0.0.1:\(sink.port)/live/s3cr-pulled?auth=s3cr-rtmp" }
                      - pull: { url: "srt://127.0.0.1:\(down)?streamid=s3cr-id-in&passphrase=s3cr-pass-in-url" }
                      - test: { size: 320x180, rate: 30 }
                    groups:
                      - name: hd
                        video: { bitrate: 500k }
                        targets:
                          - { name: inline, url: "\(sink.url)/s3cr-inline?a=s3cr-query" }
                          - { name: query, url: "\(sink.url)?auth=s3cr-app", key: s3cr-with-app }
                          - { name: refused, url: "\(sink.url)", key: { env: REFUSED } }
                          - name: login
                            url: "rtmp://s3cr-name:s3cr-word@127.0.0.1:\(sink.port)/live"
                            key: s3cr-login
                          - { name: down, url: "rtmp://127.0.0.1:\(down)/live/s3cr-down", }
                          - { name: studio, url: "\(peer.url)?streamid=s3cr-id-out&passphrase=s3cr-peer-passphrase" }
                          - name: wrong
                            url: "\(peer.url)"
                            passphrase: s3cr-wrong-passphrase
                            streamid: s3cr-stream-id
                \(more)
                """
            }
            try sink.refuse("s3cr-refused")
            let environment = ["REFUSED": "s3cr-refused"]
            let more = "status: { file: \(file), every: 500ms, listen: \"127.0.0.1:\(http)\" }\n"
            let daemon = try await stage.streambox(
                channels(), more: more, options: ["--log-level", "trace"], environment: environment)
            let request = #"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"#
            let events = try await stage.program(
                "bash", ["-c", "exec 3<>/dev/tcp/127.0.0.1/\(http); printf '\(request)' >&3; exec cat <&3"])
            var arguments = Set<String>()
            func look() {
                // Two processes may have the same arguments.
                for child in Leftovers.descendants(of: daemon.program.pid) {
                    arguments.insert("\(child.pid) \(child.command)")
                }
            }
            try await eventually("the targets that can be reached", within: .seconds(60), every: .milliseconds(5)) {
                look()
                return try ["s3cr-inline", "s3cr-with-app"].allSatisfy { try !sink.publishes(of: $0).isEmpty }
            }
            for name in ["pull-0", "pull-1", "pull-2", "pull-3"] {
                try await daemon.logged("process ended", "source=\(name)", within: .seconds(60))
            }
            for name in ["refused", "down"] {
                try await daemon.logged("process ended", "target=\(name)", within: .seconds(60))
            }
            try await daemon.logged("cannot run", "target=login")
            try await eventually("the problems in the log", within: .seconds(60)) {
                look()
                return !daemon.lines("level=error", "problem=target-refused").isEmpty
            }
            // First a file with a mistake next to secrets, then a valid file with other secrets.
            _ = try stage.configuration(
                channels(
                    """
                              - { name: bad, url: "rtmp://s3cr-a:s3cr-b@:99999/live/s3cr-c", key: { fil: s3cr-d } }
                    """),
                more: more)
            let mistaken = try await stage.command(["reload", "--config", daemon.config])
            #expect(mistaken.ending == .exited(2))
            _ = try stage.configuration(
                channels("          - { name: late, url: \"rtmp://127.0.0.1:\(down)/live/s3cr-late\" }"), more: more)
            var replies = mistaken.text + mistaken.errors
            for words in [
                ["reload"], ["target", "stop", "down"], ["target", "stop", "nobody"],
                ["handover", "hd", "--encoder", "none"], ["status"], ["status", "--json"],
            ] {
                let done = try await stage.command(words + ["--config", daemon.config])
                replies += done.text + done.errors
            }
            try await daemon.logged("process ended", "target=late", within: .seconds(60))
            var pages = ""
            for path in ["/metrics", "/api/status", "/readyz", "/healthz"] {
                pages += try await HTTP.exchange(port: http, path).body
            }
            try await events.output.first(containing: "data:")
            let metrics = try stage.folder.text("streambox.prom")
            for name in stage.folder.names(in: "run-box") {
                let path = stage.folder.path("run-box/\(name)")
                let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
                if let text = try? String(contentsOfFile: path, encoding: .utf8), text.contains(Self.mark) {
                    #expect(mode == 0o600, "\(name)")
                }
            }
            let plan = try await stage.command(["plan", daemon.config], environment: environment)
            let json = try await stage.command(["plan", "--json", daemon.config], environment: environment)
            let check = try await stage.command(["check", daemon.config], environment: environment)
            #expect(plan.ending == .exited(0) && json.ending == .exited(0) && check.ending == .exited(0))
            await stage.end(events)
            try await daemon.terminate()

            #expect(arguments.filter { $0.contains("ffmpeg") }.count >= 8)
            for (name, text) in [
                ("arguments", arguments.joined(separator: "\n")), ("log", daemon.program.errors.text),
                ("output", daemon.program.output.text),
                ("plan", plan.text + plan.errors), ("plan --json", json.text + json.errors),
                ("check", check.text + check.errors),
                ("replies", replies), ("pages", pages), ("metrics", metrics), ("events", events.output.text),
            ] {
                #expect(!text.isEmpty, "\(name)")
                #expect(
                    !text.contains(Self.mark),
                    "\(name): \(text.split(separator: "\n").filter { $0.contains(Self.mark) })")
            }
        }
    }
}
