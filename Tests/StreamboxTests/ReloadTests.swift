import Foundation
import TestSupport
import Testing

/// Reloads of the configuration: which processes continue, start and end.
@Suite(.serialized, .tags(.ffmpeg)) struct ReloadTests {
    private struct Setup {
        var rtmp: Int
        var groups: String

        var yaml: String {
            """
              - name: main
                sources: [ { rtmp: { listen: "127.0.0.1:\(rtmp)", app: live } } ]
                # A publisher that is late on a busy machine stays on air.
                slate: { after: 20s }
                groups:
            \(groups)
            """
        }
    }

    /// The processes that carry streams, without those that check FFmpeg or render a slate.
    private func carriers(_ daemon: Daemon) -> Set<Int32> {
        Set((daemon.children("pipe:0") + daemon.children("pipe:1")).map(\.pid))
    }

    private func reload(_ daemon: Daemon, _ stage: Stage, _ box: Setup) throws {
        _ = try stage.configuration(box.yaml)
        daemon.program.send(SIGHUP)
    }

    @Test("of several reloads within a second the last one runs, and no frame is lost")
    func quickReloads() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let groups = { (bitrate: Int) in
                """
                      - name: hd
                        video: { bitrate: \(bitrate)k, rate: 30 }
                        targets: [ { name: a, url: "\(sink.url("one"))" } ]
                """
            }
            var bitrate = 600
            var box = Setup(rtmp: try FreePort.tcp(), groups: groups(bitrate))
            let daemon = try await stage.streambox(box.yaml)
            try await eventually("the source to listen") { FreePort.isListening(tcp: box.rtmp) }
            // The slate has arrived: an encoder runs before the source's first frame.
            try await sink.waitForFrames(1, of: "one")
            let publisher = try await stage.publish(.small, to: "rtmp://127.0.0.1:\(box.rtmp)/live/x")
            try await sink.waitForNumbers(40, of: "one")
            for count in [2, 5, 6] {
                for _ in 0..<count {
                    bitrate += 1
                    box.groups = groups(bitrate)
                    _ = try stage.configuration(box.yaml)
                    let reload = try await stage.command(["reload", "--config", daemon.config])
                    #expect(reload.ending == .exited(0))
                }
                try await eventually("the last configuration's encoder alone") {
                    let encoders = daemon.children("pipe:0").filter { $0.command.contains("libx264") }
                    return encoders.count == 1 && encoders[0].command.contains("-b:v \(bitrate)000")
                }
                try await sink.waitForMoreFrames(20, of: "one")
            }
            await stage.end(publisher)
            try await daemon.logged("msg=ended", "source=rtmp-0")
            try await daemon.terminate()
            #expect(try await sink.wasPublishedOnceInOrder("one"))
            let verdict = Verdict(try await sink.reading(of: "one"))
            #expect(verdict.isWhole && verdict.first == 0, "\(verdict)")
        }
    }

    @Test("of thirty reloads without a pause the last configuration runs")
    func reloadsAtTheSameTime() async throws {
        try await withStage { stage in
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { test: { size: 320x180, rate: 30 } } ]
                    groups: [ { name: hd, tap: true, video: { encoder: libx264, bitrate: 600k, rate: 30 } } ]
                """)
            try await eventually("the encoder") { daemon.children("-b:v 600000").count == 1 }
            let first = try stage.folder.text("box.yaml")
            try await withThrowingTaskGroup(of: TestProcess.Completed.self) { commands in
                for count in 1...30 {
                    // A rename: a reader gets the whole of one file or of another.
                    let text = first.replacing("bitrate: 600k", with: "bitrate: \(600 + count)k")
                    let next = try stage.folder.write("next.yaml", text, mode: 0o600)
                    guard rename(next, daemon.config) == 0 else { throw Failed("cannot replace \(daemon.config)") }
                    if count.isMultiple(of: 2) {
                        daemon.program.send(SIGHUP)
                    } else {
                        commands.addTask { try await stage.command(["reload", "--config", daemon.config]) }
                    }
                }
                for try await command in commands {
                    #expect(command.ending == .exited(0), "\(command.errors)")
                    #expect(!command.errors.contains("under way"), "\(command.errors)")
                }
            }
            try await eventually("the last configuration's encoder alone") {
                let encoders = daemon.children("pipe:0").filter { $0.command.contains("libx264") }
                return encoders.count == 1 && encoders[0].command.contains("-b:v 630000")
            }
            // A further reload finds that the newest file is already applied.
            let last = try await stage.command(["reload", "--config", daemon.config])
            #expect(last.text.contains("nothing differs"), "\(last.text) \(last.errors)")
            try await daemon.terminate()
        }
    }

    @Test("a group that is encoded differently is handed over without a lost frame")
    func handover() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let groups = { (bitrate: Int, size: String) in
                """
                      - name: hd
                        video: { bitrate: \(bitrate)k, rate: 30\(size) }
                        targets: [ { name: a, url: "\(sink.url("one"))" } ]
                      - name: low
                        video: { bitrate: 200k, size: 160x90, rate: 30 }
                        targets: [ { name: b, url: "\(sink.url("two"))" } ]
                """
            }
            var box = Setup(rtmp: try FreePort.tcp(), groups: groups(600, ""))
            let daemon = try await stage.streambox(box.yaml)
            try await eventually("the source to listen") { FreePort.isListening(tcp: box.rtmp) }
            // The slate has arrived: encoders run before the source's first frame.
            for name in ["one", "two"] { try await sink.waitForFrames(1, of: name) }
            let publisher = try await stage.publish(.small, to: "rtmp://127.0.0.1:\(box.rtmp)/live/x")
            // The slate and the source differ in size: the encoder for the source is the one to be replaced.
            try await sink.waitForNumbers(40, of: "one")
            try await sink.waitForMoreFrames(40, of: "two")
            let before = carriers(daemon)
            let encoder = try #require(daemon.children("600000").first).pid
            // Before this time the source replaced the slate, whose audio ends between two frames.
            var begins: [String: Double] = [:]
            for name in ["one", "two"] { begins[name] = try await sink.reading(of: name).frames.last?.time }
            for (bitrate, size) in [(800, ""), (500, ", size: 480x270"), (700, ", size: 480x270")] {
                let position = daemon.position
                box.groups = groups(bitrate, size)
                try reload(daemon, stage, box)
                try await daemon.logged("handed over", "group=hd", "cause=config", from: position)
                #expect(daemon.lines("handed over", "group=low").isEmpty)
                try await sink.waitForMoreFrames(40, of: "one")
            }
            // Only the encoder has been replaced.
            let after = carriers(daemon)
            #expect(before.subtracting(after) == [encoder])
            #expect(after.subtracting(before).count == 1)
            await stage.end(publisher)
            try await daemon.logged("msg=ended", "source=rtmp-0")
            try await daemon.terminate()
            for name in ["one", "two"] {
                #expect(try await sink.wasPublishedOnceInOrder(name))
                let reading = try await sink.reading(of: name)
                let verdict = Verdict(reading)
                print("reloaded three times, \(name): \(verdict)")
                #expect(reading.complaints.isEmpty, "\(reading.complaints)")
                // The numbers of 160x90 cannot be read.
                if name == "one" {
                    #expect(verdict.isWhole && verdict.first == 0, "\(verdict)")
                    #expect((verdict.worstAudioOffset ?? 1) < 0.06, "\(verdict)")
                }
                let probe = try await MediaProbe.read(.url(sink.recording(of: name)))
                #expect(probe.backwards.isEmpty)
                // FLV has milliseconds.
                let begin = Int64((begins[name] ?? 0) * 1000)
                let audio = probe.packets(of: probe.audio).compactMap(\.pts).filter { $0 >= begin }
                let steps = Set(zip(audio, audio.dropFirst()).map { $1 - $0 })
                #expect(steps.isSubset(of: [20, 21, 22, 23]), "\(steps)")
            }
        }
    }

    @Test("targets and groups come and go alone, and a changed target reconnects")
    func comingAndGoing() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: false)
            let one = "{ name: a, url: \"\(sink.url("one"))\" }"
            let two = "{ name: b, url: \"\(sink.url("two"))\" }"
            let moved = "{ name: b, url: \"\(sink.url("three"))\" }"
            let group = { (targets: [String]) in
                """
                      - name: hd
                        video: { bitrate: 500k, size: 320x180, rate: 30 }
                        targets: [ \(targets.joined(separator: ", ")) ]

                """
            }
            let other = """
                      - name: extra
                        video: { bitrate: 300k, size: 160x90, rate: 30 }
                        tap: true
                        targets: [ { name: c, url: "\(sink.url("four"))" } ]

                """
            var box = Setup(rtmp: try FreePort.tcp(), groups: group([one]))
            let channel = { (box: Setup) in
                box.yaml.replacingOccurrences(
                    of: "sources: [", with: "sources: [ { test: { size: 320x180, rate: 30 } },")
            }
            let daemon = try await stage.streambox(channel(box))
            try await daemon.logged("msg=live", "target=a")
            let first = carriers(daemon)
            func reload(to groups: String) async throws -> Int {
                let position = daemon.position
                box.groups = groups
                _ = try stage.configuration(channel(box))
                daemon.program.send(SIGHUP)
                try await daemon.logged("msg=reloaded", from: position)
                return position
            }
            var position = try await reload(to: group([one, two]) + other)
            try await daemon.logged("msg=live", "target=b", from: position)
            try await daemon.logged("msg=live", "target=c", from: position)
            #expect(carriers(daemon).isSuperset(of: first))
            let tap = try await stage.tap("extra", of: daemon)
            try await eventually("the new group's tap") { tap.output.total > 10_000 }
            position = try await reload(to: group([one, moved]) + other)
            try await daemon.logged("msg=live", "target=b", from: position)
            try await eventually("the stream at its new place") {
                try sink.publishes(of: "three").contains(where: \.isAccepted)
            }
            position = try await reload(to: group([one]))
            try await eventually("the removed processes to end") { carriers(daemon) == first }
            // The same configuration again changes nothing.
            position = try await reload(to: group([one]))
            #expect(carriers(daemon) == first)
            #expect(try sink.publishes(of: "one").count == 1)
            try await daemon.terminate()
        }
    }

    @Test("a file with a mistake changes nothing, and the mistake is reported by line")
    func mistake() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: false)
            let box = Setup(
                rtmp: try FreePort.tcp(),
                groups: """
                          - name: hd
                            video: { size: 320x180, rate: 30 }
                            targets: [ { name: a, url: "\(sink.url("one"))" } ]
                    """)
            let yaml = box.yaml.replacingOccurrences(
                of: "sources: [", with: "sources: [ { test: { size: 320x180, rate: 30 } },")
            let daemon = try await stage.streambox(yaml)
            try await daemon.logged("msg=live", "target=a")
            let before = carriers(daemon)
            _ = try stage.configuration(
                yaml.replacing("size: 320x180, rate: 30 }\n", with: "size: 320x18, rate: 30 }\n")
                    .replacing("targets:", with: "target:"))
            var position = daemon.position
            daemon.program.send(SIGHUP)
            try await daemon.logged("not reloaded", "box.yaml:", "targets", from: position)
            // A port of another program changes nothing either.
            _ = try stage.configuration(yaml.replacingOccurrences(of: "\(box.rtmp)", with: "\(sink.httpPort)"))
            position = daemon.position
            daemon.program.send(SIGHUP)
            try await daemon.logged("not reloaded", "another program uses that port", from: position)
            #expect(carriers(daemon) == before)
            try await daemon.terminate()
        }
    }
}
