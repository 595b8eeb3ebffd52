import Foundation
import TestSupport
import Testing

/// The commands of the program, and starts that fail.
@Suite(.tags(.ffmpeg)) struct CommandLineTests {
    private func channel(_ stage: Stage, source: String = "{ test: {} }", target: String? = nil) -> String {
        let target = target ?? "{ name: t, record: { folder: \(stage.folder.path("rec")) } }"
        return """
              - name: main
                sources: [ \(source) ]
                groups: [ { name: hd, video: { bitrate: 1M }, targets: [ \(target) ] } ]
            """
    }

    /// Expects one sentence on standard error, in one line, and nothing on standard output.
    private func expectFailure(
        _ done: TestProcess.Completed, status: Int32, _ parts: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(done.ending == .exited(status), "\(done.errors)", sourceLocation: sourceLocation)
        #expect(done.text.isEmpty, sourceLocation: sourceLocation)
        let lines = done.errors.split(separator: "\n").filter { !$0.hasPrefix("time=") }
        #expect(lines.count == 1, "\(done.errors)", sourceLocation: sourceLocation)
        for part in parts { #expect(done.errors.contains(part), "\(done.errors)", sourceLocation: sourceLocation) }
    }

    @Test("--version and --help of every command print to standard output and succeed")
    func help() async throws {
        try await withStage { stage in
            let version = try await stage.command(["--version"])
            #expect(version.ending == .exited(0) && version.text.hasPrefix("streambox ") && version.errors.isEmpty)
            for command in [[], ["run"], ["check"], ["plan"], ["tap"]] {
                let help = try await stage.command(command + ["--help"])
                #expect(help.ending == .exited(0) && help.text.contains("USAGE:") && help.errors.isEmpty, "\(command)")
            }
        }
    }

    @Test(
        "without /proc, --version fails with one sentence and status 1",
        .enabled(if: geteuid() == 0 && !Limit.isInstrumented, "only root may unmount; sanitizers need /proc themselves")
    )
    func noProc() async throws {
        let script = "umount -l /proc && exec \"$0\" --version"
        let done = try await TestProcess.run("unshare", ["--mount", "sh", "-c", script, Daemon.path])
        expectFailure(done, status: 1, "/proc is not mounted", "mount -t proc")
    }

    @Test(
        "a usage mistake ends with status 2",
        arguments: [["dance"], ["check"], ["plan", "a", "b"], ["run", "--loud"], ["run", "--log-level", "shouting"]])
    func usage(arguments: [String]) async throws {
        try await withStage { stage in
            let done = try await stage.command(arguments)
            #expect(done.ending == .exited(2) && done.text.isEmpty && !done.errors.isEmpty)
        }
    }

    @Test("check prints its reading of the configuration and starts nothing")
    func check() async throws {
        try await withStage { stage in
            let config = try stage.configuration(channel(stage))
            let done = try await stage.command(["check", config])
            #expect(done.ending == .exited(0) && done.errors.isEmpty)
            for word in ["main", "test picture", "hd", "h264", "1M", "rec"] {
                #expect(done.text.contains(word), "\(word)")
            }
            #expect(stage.folder.names() == ["box.yaml"])
        }
    }

    @Test(
        "every command reports all mistakes of a file at once, with their places",
        arguments: ["check", "plan", "run"])
    func mistakes(command: String) async throws {
        try await withStage { stage in
            let config = try stage.folder.write(
                "bad.yaml",
                """
                channels:
                  - name: main
                    sources: [ { test: { rat: 30 } } ]
                    groups:
                      - name: hd
                        video: { bitrate: 6 apples }
                """)
            let done = try await stage.command(command == "run" ? ["run", "--config", config] : [command, config])
            #expect(done.ending == .exited(2) && done.text.isEmpty)
            #expect(done.errors.contains("bad.yaml:3:26") && done.errors.contains("rate"), "\(done.errors)")
            #expect(done.errors.contains("bad.yaml:6:") && done.errors.contains("6 apples"), "\(done.errors)")
        }
    }

    @Test("a missing configuration file is reported")
    func missingFile() async throws {
        try await withStage { stage in
            let path = stage.folder.path("none.yaml")
            for arguments in [["check", path], ["run", "--config", path]] {
                expectFailure(try await stage.command(arguments), status: 2, path)
            }
            expectFailure(try await stage.command(["run"], environment: ["STREAMBOX_CONFIG": path]), status: 2, path)
        }
    }

    @Test("plan prints the command lines as text and as JSON")
    func plan() async throws {
        try await withStage { stage in
            let config = try stage.configuration(channel(stage))
            let text = try await stage.command(["plan", config])
            #expect(text.ending == .exited(0) && text.text.contains("testsrc2") && text.text.contains("libx264"))
            let json = try await stage.command(["plan", "--json", config])
            let object = try #require(try JSONSerialization.jsonObject(with: Data(json.output)) as? [String: Any])
            let processes = try #require(object["processes"] as? [[String: Any]])
            #expect(processes.map { "\($0["role"]!) \($0["name"]!)" } == ["relay test-0", "encoder hd", "publisher t"])
            #expect(processes.allSatisfy { ($0["arguments"] as? [String])?.first?.hasSuffix("/ffmpeg") == true })
            #expect(stage.folder.names() == ["box.yaml"])
        }
    }

    @Test("without a usable FFmpeg nothing starts")
    func noFFmpeg() async throws {
        try await withStage { stage in
            let config = try stage.configuration(channel(stage))
            let empty = try stage.folder.makeFolder("empty")
            for arguments in [["run", "--config", config], ["plan", config]] {
                expectFailure(
                    try await stage.command(arguments, environment: ["PATH": empty]), status: 2, "no ffmpeg",
                    "apt install ffmpeg")
            }
            let old = try stage.folder.write(
                "old", "#!/bin/sh\necho 'ffmpeg version 4.4.2 Copyright (c) 2000-2021 the FFmpeg developers'\n",
                mode: 0o755)
            let other = try stage.folder.write("other", "#!/bin/sh\necho hello\n", mode: 0o755)
            let text = try stage.folder.write("text", "hello")
            for (path, words) in [
                (old, "4.4.2"), (other, "is not FFmpeg"), (text, "not a program"),
                (stage.folder.path("none"), "does not exist"),
            ] {
                let config = try stage.configuration(channel(stage), name: "ffmpeg", more: "ffmpeg: \(path)\n")
                expectFailure(try await stage.command(["run", "--config", config]), status: 2, path, words)
            }
            #expect(!stage.folder.names().contains("rec"))
        }
    }

    @Test("a TCP or UDP port in use is reported before anything starts")
    func portInUse() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx()
            let rtmp = try stage.configuration(
                channel(stage, source: "{ rtmp: { listen: \"127.0.0.1:\(sink.port)\" } }"))
            expectFailure(
                try await stage.command(["run", "--config", rtmp]), status: 1, "rtmp-0", "127.0.0.1:\(sink.port)",
                "another program uses that port")
            let peer = try await stage.srtListener()
            let srt = try stage.configuration(
                channel(stage, source: "{ srt: { listen: \"127.0.0.1:\(peer.port)\" } }"), name: "srt")
            expectFailure(
                try await stage.command(["run", "--config", srt]), status: 1, "srt-0", "another program uses that port")
        }
    }

    @Test("an unusable runtime folder is reported before anything starts")
    func folders() async throws {
        try await withStage { stage in
            let file = try stage.folder.write("file", "")
            let runtime = try stage.folder.write("runtime.yaml", "runtime: \(file)\nchannels:\n\(channel(stage))\n")
            expectFailure(try await stage.command(["run", "--config", runtime]), status: 1, file)
            #expect(stage.folder.names(in: "run-box") == [])
        }
    }

    @Test("tap lists the taps, sends a stream, and explains a wrong name")
    func tap() async throws {
        try await withStage { stage in
            let none = try stage.configuration(
                "  - { name: main, sources: [ { test: {} } ], groups: [ { name: hd } ] }", name: "none")
            expectFailure(
                try await stage.command(["tap", "main", "--config", none]), status: 1, "no tap named main",
                "no service with a tap runs here")
            let daemon = try await stage.streambox(
                """
                  - name: main
                    tap: true
                    sources: [ { test: { size: 320x180 } } ]
                    groups: [ { name: hd, video: { bitrate: 400k, size: 160x90 }, tap: true } ]
                """)
            let list = try await stage.command(["tap", "--config", daemon.config])
            let lines = list.text.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
            #expect(lines.map { $0[0] } == ["main", "hd"] && lines.allSatisfy { $0[1].hasPrefix("tcp://127.0.0.1:") })
            expectFailure(
                try await stage.command(["tap", "nobody", "--config", daemon.config]), status: 1, "no tap named nobody",
                "main, hd")
            for (name, width) in [("main", 320), ("hd", 160)] {
                let tap = try await stage.tap(name, of: daemon)
                try await eventually("a stream", within: .seconds(20)) { tap.output.total > 60_000 }
                await stage.end(tap)
                let probe = try await MediaProbe.read(.bytes(tap.output.bytes))
                #expect(probe.video?.width == width && probe.packets(of: probe.video).first?.isKey == true)
            }
            // A player opens the port of the tap.
            let reading = try await FrameReader.read(.url(lines[1][1]), atMost: .seconds(1))
            #expect(reading.frames.count > 10 && reading.frames[0].width == 160)
            try await daemon.terminate()
            #expect(stage.folder.names(in: "run-box") == [])
        }
    }
}
