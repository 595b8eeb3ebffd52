import Foundation
import TestSupport
import Testing

/// The commands that an operator sends to the running service.
@Suite(.serialized, .tags(.ffmpeg)) struct OperatorTests {
    /// The slate waits so long that it is not on air before a test picture that starts late: the frame times of the two
    /// need not be on one grid.
    private func box(_ targets: String) -> String {
        """
          - name: main
            sources: [ { test: { size: 320x180, rate: 30 } } ]
            slate: { after: 60s }
            groups:
              - { name: hd, video: { bitrate: 500k }, targets: [ \(targets) ] }
              - { name: raw, video: copy, audio: copy, tap: true }
        """
    }

    private func ask(_ stage: Stage, _ daemon: Daemon, _ arguments: String...) async throws -> TestProcess.Completed {
        try await stage.command(arguments + ["--config", daemon.config])
    }

    @Test("a requested encoder takes over; an unusable one is rejected with the list")
    func handover() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.streambox(box("{ name: a, url: \"\(sink.url("one"))\" }"))
            try await sink.waitForFrames(40, of: "one")
            let encoder = try #require(daemon.children("pipe:0").first { $0.command.contains("libx264") }).pid
            for wrong in ["h264_nvenc", "h264_videotoolbox", "libx265", "nonsense", "h264_v4l2m2m"] {
                let refused = try await ask(stage, daemon, "handover", "hd", "--encoder", wrong)
                #expect(refused.ending == .exited(1), "\(wrong): \(refused.text)")
                #expect(refused.errors.contains("usable here: libx264"), "\(wrong): \(refused.errors)")
            }
            let unknown = try await ask(stage, daemon, "handover", "hx")
            #expect(unknown.ending == .exited(2) && unknown.errors.contains("there are: hd, raw"), "\(unknown.errors)")
            let passed = try await ask(stage, daemon, "handover", "raw")
            #expect(
                passed.ending == .exited(1) && passed.errors.contains("passes its channel through"), "\(passed.errors)")
            #expect(daemon.children("pipe:0").contains { $0.pid == encoder })
            for arguments in [["hd"], ["hd", "--encoder", "libx264"]] {
                // An encoder that got no CPU time for two seconds counts as hung, and is being replaced.
                let done = try await eventually("the group to be live") {
                    let done = try await stage.command(["handover"] + arguments + ["--config", daemon.config])
                    return done.errors.contains("is not live") ? nil : done
                }
                #expect(done.ending == .exited(0) && done.text.contains("now encoded by libx264"), "\(done.errors)")
            }
            #expect(!daemon.children("pipe:0").contains { $0.pid == encoder })
            let group = try #require(try await stage.status(of: daemon).group("hd"))
            #expect(group.handovers["operator"] == 2 && group.lostFrames == 0 && group.encoder == "libx264", "\(group)")
            try await sink.waitForMoreFrames(30, of: "one")
            try await daemon.terminate()
            #expect(try await sink.wasPublishedOnceInOrder("one"))
            let probe = try await MediaProbe.read(.url(sink.recording(of: "one")))
            #expect(probe.backwards.isEmpty)
            let times = probe.packets(of: probe.video).compactMap(\.pts)
            #expect(zip(times, times.dropFirst()).allSatisfy { (33...34).contains($1 - $0) })
        }
    }

    @Test("groups and targets stop and start alone, and stay stopped over a restart")
    func wanted() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: false)
            let targets = "{ name: a, url: \"\(sink.url("one"))\" }, { name: b, url: \"\(sink.url("two"))\" }"
            let daemon = try await stage.streambox(box(targets))
            try await eventually("both targets") {
                let status = try await stage.status(of: daemon)
                return status.target("a")?.state == "live" && status.target("b")?.state == "live"
            }
            #expect(try await ask(stage, daemon, "target", "stop", "b").ending == .exited(0))
            try await eventually("one publisher to end") { try sink.publishes(of: "two").allSatisfy(\.hasEnded) }
            #expect(try await stage.status(of: daemon).target("b")?.state == "stopped")
            #expect(try sink.publishes(of: "one").allSatisfy { !$0.hasEnded })
            #expect(try await ask(stage, daemon, "target", "stop", "c").ending == .exited(2))
            try await daemon.terminate()

            let again = try await stage.streambox(box(targets))
            try await eventually("the target that is wanted") {
                try await stage.status(of: again).target("a")?.state == "live"
            }
            #expect(try await stage.status(of: again).target("b")?.state == "stopped")
            #expect(try await ask(stage, again, "target", "start", "b").ending == .exited(0))
            try await eventually("the other one") { try await stage.status(of: again).target("b")?.state == "live" }
            #expect(try await ask(stage, again, "group", "stop", "hd").ending == .exited(0))
            try await eventually("the group's processes to end") { again.children("pipe:0").isEmpty }
            #expect(try await stage.status(of: again).group("hd")?.state == "stopped")
            #expect(try await ask(stage, again, "group", "start", "hd").ending == .exited(0))
            try await eventually("the group to be live again") {
                let status = try await stage.status(of: again)
                return status.group("hd")?.state == "live" && status.target("a")?.state == "live"
            }
            // Frames of the time when the group was stopped are not lost.
            #expect(try await stage.status(of: again).group("hd")?.lostFrames == 0)
            try await again.terminate()
        }
    }

    @Test("a target with a wrong key and an unreachable one each name their fix")
    func refused() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: false)
            try sink.refuse("wrong")
            let targets = """
                { name: key, url: "\(sink.url("wrong"))" }, { name: nobody, url: "rtmp://127.0.0.1:9/live/x" },
                  { name: good, url: "\(sink.url("one"))" }
                """
            let daemon = try await stage.streambox(box(targets))
            // One status for all: targets that are down are retried all the time.
            let problems = try await stage.expect("the targets' states", of: daemon) { status in
                ["key", "nobody", "good"].map { status.target($0)?.state } == ["refused", "waiting", "live"]
            }.problems
            #expect(problems.first { $0.subject == "target key" }?.sentence.contains("key") == true, "\(problems)")
            #expect(
                problems.first { $0.subject == "target nobody" }?.problem == "target-down"
                    || problems.allSatisfy { $0.subject != "target nobody" })
            try sink.allow("wrong")
            try await eventually("the key to be right", within: .seconds(60)) {
                try await stage.status(of: daemon).target("key")?.state == "live"
            }
            #expect(try sink.publishes(of: "one").count == 1)
            try await daemon.terminate()
        }
    }

    @Test("the metrics file matches what a sink sees, and is removed at the end")
    func metrics() async throws {
        try await withStage { stage in
            let file = stage.folder.path("box.prom")
            let daemon = try await stage.streambox(
                box("{ name: rec, record: { folder: \(stage.folder.path("rec")), segment: 10m } }"),
                more: "status: { file: \(file), every: 500ms }\n")
            try await eventually("a group that is live") {
                ((try? String(contentsOfFile: file, encoding: .utf8)) ?? "").contains(
                    "streambox_group_state{channel=\"main\",group=\"hd\",state=\"live\"} 1")
            }
            #expect(stage.folder.names(in: ".").filter { $0.hasSuffix(".prom") } == ["box.prom"])
            #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o644)
            try await daemon.terminate()
            #expect(!FileManager.default.fileExists(atPath: file))
        }
    }

    @Test("without a service a command names the place where it looked")
    func nobody() async throws {
        try await withStage { stage in
            let config = try stage.configuration(box("{ name: a, url: \"srt://127.0.0.1:9\" }"))
            for command in [["status"], ["reload"], ["handover", "hd"], ["group", "stop", "hd"]] {
                let done = try await stage.command(command + ["--config", config])
                #expect(done.ending == .exited(1) && done.errors.contains("control.sock"), "\(command): \(done.errors)")
            }
        }
    }
}
