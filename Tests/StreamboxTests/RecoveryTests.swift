import Foundation
import TestSupport
import Testing

/// Encoders that crash, hang or are too slow, and how the service itself ends.
@Suite(.serialized, .tags(.ffmpeg)) struct RecoveryTests {
    /// A channel with an RTMP source, and one group that sends to the stream `one` of the sink.
    private func channel(_ rtmp: Int, _ sink: NginxRTMP, slate: String = "20s", video: String) -> String {
        """
          - name: main
            sources: [ { rtmp: { listen: "127.0.0.1:\(rtmp)", app: live } } ]
            slate: { after: \(slate) }
            groups:
              - name: hd
                video: { \(video) }
                targets: [ { name: a, url: "\(sink.url("one"))" } ]
        """
    }

    @Test("an encoder that is killed or hangs is replaced without a lost or repeated frame")
    func encoderLost() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let port = try FreePort.tcp()
            let daemon = try await stage.streambox(
                channel(port, sink, slate: "60s", video: "bitrate: 600k, rate: 30"))
            try await eventually("the source to listen") { FreePort.isListening(tcp: port) }
            // The slate has arrived: an encoder runs before the source's first frame.
            try await sink.waitForFrames(1, of: "one")
            let publisher = try await stage.publish(.small, to: "rtmp://127.0.0.1:\(port)/live/x")
            try await sink.waitForNumbers(40, of: "one")
            // Before this time the source replaced the slate, whose audio ends between two frames. FLV has
            // milliseconds.
            let begin = try await sink.reading(of: "one").frames.last.map { Int64($0.time * 1000) } ?? 0
            var random = SeededRandom()
            print("encoders are lost at random moments; \(random.hint)")
            for signal in [SIGKILL, SIGSEGV, SIGSTOP, SIGKILL] {
                // An encoder that was replaced may not have exited yet.
                let encoder = try await eventually("one encoder") { () -> Leftovers.Process? in
                    let encoders = daemon.children("pipe:0").filter { $0.command.contains("libx264") }
                    return encoders.count == 1 ? encoders[0] : nil
                }
                let position = daemon.position
                kill(encoder.pid, signal)
                try await daemon.logged("msg=live", "group=hd", "video=", from: position)
                try await sink.waitForMoreFrames(40 + Int.random(in: 0..<30, using: &random), of: "one")
            }
            await stage.end(publisher)
            try await daemon.logged("msg=ended", "source=rtmp-0")
            try await daemon.terminate()
            #expect(try await sink.wasPublishedOnceInOrder("one"))
            let reading = try await sink.reading(of: "one")
            let verdict = Verdict(reading)
            print("four encoders lost: \(verdict)")
            #expect(verdict.isWhole && verdict.first == 0, "\(verdict)")
            #expect((verdict.worstAudioOffset ?? 1) < 0.06, "\(verdict)")
            #expect(reading.complaints.isEmpty, "\(reading.complaints)")
            let probe = try await MediaProbe.read(.url(sink.recording(of: "one")))
            #expect(probe.backwards.isEmpty)
            let audio = probe.packets(of: probe.audio).compactMap(\.pts).filter { $0 >= begin }
            let steps = Set(zip(audio, audio.dropFirst()).map { $1 - $0 })
            #expect(steps.isSubset(of: [20, 21, 22, 23]), "\(steps)")
        }
    }

    @Test("an encoder that is too slow is replaced by a faster one without a lost frame")
    func encoderTooSlow() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let port = try FreePort.tcp()
            let slow = try await stage.slowFFmpeg(rate: 0.5, when: #"" $* " == *" veryfast "*"#)
            let daemon = try await stage.streambox(
                channel(port, sink, video: "bitrate: 600k, size: 320x180, rate: 30"), more: "ffmpeg: \(slow)\n")
            try await eventually("the source to listen") { FreePort.isListening(tcp: port) }
            let publisher = try await stage.publish(.small, to: "rtmp://127.0.0.1:\(port)/live/x")
            try await daemon.logged("handed over", "cause=slow", within: .seconds(60))
            try await sink.waitForNumbers(360, of: "one")
            await stage.end(publisher)
            try await daemon.logged("msg=ended", "source=rtmp-0")
            try await daemon.terminate()
            let verdict = Verdict(try await sink.reading(of: "one"))
            print("an encoder that was too slow: \(verdict)")
            #expect(verdict.isWhole, "\(verdict)")
        }
    }

    @Test("a lowered preset is raised again when there is room, without a lost frame")
    func presetGoesBackUp() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let port = try FreePort.tcp()
            let mark = try stage.folder.write("slow", "")
            // The usual preset is slow while the file exists, as on a busy machine.
            let slow = try await stage.slowFFmpeg(rate: 0.5, when: #"" $* " == *" veryfast "* && -e '\#(mark)'"#)
            // The service reads idle CPUs here, however busy the machine of the test is.
            let times = stage.folder.path("times")
            let clock = Thread {
                var idle = 0
                while !Thread.current.isCancelled {
                    idle += 100_000
                    try? Data("cpu  1 0 1 \(idle) 0 0 0 0 0 0\n".utf8).write(to: URL(filePath: times), options: .atomic)
                    Thread.sleep(forTimeInterval: 0.2)
                }
            }
            clock.start()
            defer { clock.cancel() }
            let daemon = try await stage.streambox(
                channel(port, sink, video: "bitrate: 600k, size: 320x180, rate: 30"), more: "ffmpeg: \(slow)\n",
                options: ["--preset-pause", "4", "--processor-times", times])
            try await eventually("the source to listen") { FreePort.isListening(tcp: port) }
            let publisher = try await stage.publish(.small, to: "rtmp://127.0.0.1:\(port)/live/x")
            try await daemon.logged("handed over", "cause=slow", within: .seconds(60))
            let position = daemon.position
            try FileManager.default.removeItem(atPath: mark)
            try await daemon.logged("handed over", "cause=room", from: position, within: .seconds(120))
            try await sink.waitForMoreFrames(60, of: "one")
            await stage.end(publisher)
            try await daemon.logged("msg=ended", "source=rtmp-0")
            try await daemon.terminate()
            let verdict = Verdict(try await sink.reading(of: "one"))
            #expect(verdict.isWhole, "\(verdict)")
        }
    }

    /// A channel that listens by RTMP and SRT, has a test picture, records, and sends to nginx.
    private func everything(_ stage: Stage, _ sink: NginxRTMP, rtmp: Int, srt: Int) -> String {
        """
          - name: main
            tap: true
            sources:
              - rtmp: { listen: "127.0.0.1:\(rtmp)", app: live }
              - srt: { listen: "127.0.0.1:\(srt)" }
              - test: { size: 320x180, rate: 30 }
            groups:
              - name: hd
                video: { bitrate: 500k, keyframe: 1s, rate: 30 }
                targets:
                  - { name: platform, url: "\(sink.url)", key: { env: KEY } }
                  - { name: dead, url: "rtmp://127.0.0.1:9/live", key: { env: KEY } }
                  - { name: archive, record: { folder: \(stage.folder.path("rec")), segment: 2s } }
        """
    }

    private func expectPlayable(_ stage: Stage, atLeast count: Int, sourceLocation: SourceLocation = #_sourceLocation)
        async throws
    {
        let files = stage.folder.names(in: "rec")
        #expect(files.count >= count, sourceLocation: sourceLocation)
        for file in files {
            // A file that was cut off early may have video only.
            let done = try await TestProcess.run(
                "ffmpeg",
                [
                    "-v", "error", "-nostdin", "-i", stage.folder.path("rec/\(file)"), "-map", "0:v", "-c:v",
                    "rawvideo", "-f", "framecrc", "-",
                ])
            #expect(
                done.ending == .exited(0) && done.errors.isEmpty, "\(file): \(done.errors)",
                sourceLocation: sourceLocation)
            #expect(
                done.text.split(separator: "\n").contains { !$0.hasPrefix("#") }, "\(file)",
                sourceLocation: sourceLocation)
        }
    }

    @Test("SIGTERM and SIGINT close connections, finish recordings and leave nothing", arguments: [SIGTERM, SIGINT])
    func terminated(signal: Int32) async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let (rtmp, srt) = (try FreePort.tcp(), try FreePort.udp())
            let daemon = try await stage.streambox(
                everything(stage, sink, rtmp: rtmp, srt: srt), environment: ["KEY": "one"])
            try await sink.waitForFrames(60, of: "one")
            try await daemon.logged("msg=live", "target=archive")
            daemon.program.send(signal)
            #expect(try await daemon.program.wait(.seconds(10)) == .exited(0))
            #expect(!stage.leftovers.contains { $0.command.contains("ffmpeg") })
            #expect(try await sink.wasPublishedOnceInOrder("one"))
            #expect(stage.folder.names(in: "run-box") == [])
            #expect(!FreePort.isListening(tcp: rtmp) && !FreePort.isBound(udp: srt))
            try await expectPlayable(stage, atLeast: 1)
            #expect(try await sink.reading(of: "one").complaints.isEmpty)
            #expect(daemon.program.errors.lines.last?.text.contains("msg=stopped") == true)
        }
    }

    @Test("SIGTERM ends a service at once while its sources and targets are waiting")
    func terminatedWhileWaiting() async throws {
        try await withStage { stage in
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources:
                      - rtmp: { listen: "127.0.0.1:\(try FreePort.tcp())" }
                      - srt: { listen: "127.0.0.1:\(try FreePort.udp())" }
                      - pull: { url: "rtmp://127.0.0.1:9/live/x" }
                    groups: [ { name: hd, video: { bitrate: 1M }, targets: [ { name: a, url: "srt://127.0.0.1:9" } ] } ]
                """)
            try await daemon.logged("msg=\"process ended\"", "source=pull-2")
            try await daemon.terminate()
            #expect(stage.leftovers.isEmpty)
        }
    }

    @Test("a stop logs nothing but its own lines, with and without status clients")
    func quiet() async throws {
        try await withStage { stage in
            for round in 0..<20 {
                let http = try FreePort.tcp()
                // SWIFTNIO_STRICT ends the program when a task runs on an event loop that has shut down.
                let daemon = try await stage.streambox(
                    """
                      - name: main
                        sources: [ { rtmp: { listen: "127.0.0.1:\(try FreePort.tcp())" } } ]
                        groups: [ { name: raw, video: copy, audio: copy, tap: true } ]
                    """,
                    more: "status: { listen: \(http) }\n", environment: ["SWIFTNIO_STRICT": "1"])
                try await eventually("the status server to listen") { FreePort.isListening(tcp: http) }
                let clients = try await RawClient.connected(to: http, count: round % 2 == 0 ? 0 : 12)
                for (index, client) in clients.enumerated() where index > 2 {
                    client.get(["/metrics", "/api/events", "/readyz"][index % 3])
                }
                try await daemon.terminate()
                let strange = daemon.program.errors.lines.map(\.text).filter { !$0.hasPrefix("time=") }
                #expect(strange == [], "stop \(round)")
            }
        }
    }

    @Test("after SIGKILL no child remains, recordings play, and the next start works")
    func killed() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let (rtmp, srt) = (try FreePort.tcp(), try FreePort.udp())
            let channels = everything(stage, sink, rtmp: rtmp, srt: srt)
            let daemon = try await stage.streambox(channels, environment: ["KEY": "one"])
            try await sink.waitForFrames(60, of: "one")
            try await eventually("the RTMP source to listen") {
                FreePort.isListening(tcp: rtmp) && FreePort.isBound(udp: srt)
            }
            // In the middle of a segment (about 125 kB): a segment that was just opened has no frame yet.
            func isHalfFull() throws -> Bool {
                guard let newest = stage.folder.names(in: "rec").last else { return false }
                let path = stage.folder.path("rec/\(newest)")
                let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
                return (20_000...70_000).contains(size)
            }
            try await eventually("a segment to be half full", every: .milliseconds(5)) {
                guard try isHalfFull() else { return false }
                // While the service is stopped no other segment begins, however late SIGKILL comes.
                daemon.program.send(SIGSTOP)
                if try isHalfFull() { return true }
                daemon.program.send(SIGCONT)
                return false
            }
            kill(daemon.program.pid, SIGKILL)
            try await eventually("the end of every child") {
                !stage.leftovers.contains { $0.command.contains("ffmpeg") && !$0.isZombie }
            }
            // The kernel may remove a process a moment before its sockets.
            try await eventually("the ports to be free") {
                !FreePort.isListening(tcp: rtmp) && !FreePort.isBound(udp: srt)
            }
            try await expectPlayable(stage, atLeast: 1)

            let next = try await stage.streambox(channels, environment: ["KEY": "one"])
            try await sink.waitForPublishes(2, of: "one", within: .seconds(30)) { $0.isAccepted }
            try await eventually("the RTMP source to listen") {
                FreePort.isListening(tcp: rtmp) && FreePort.isBound(udp: srt)
            }
            try await next.logged("msg=live", "target=archive")
            try await next.terminate()
            #expect(stage.folder.names(in: "run-box") == [], "the secrets of the first run are gone too")
            try await expectPlayable(stage, atLeast: 2)
        }
    }

    @Test("a secret is in no argument list, log line, plan or summary")
    func secrets() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let peer = try await stage.srtListener(passphrase: "hush-passphrase")
            let (rtmp, srt) = (try FreePort.tcp(), try FreePort.udp())
            let file = try stage.folder.write("ingest", "hush-ingest-word\n", mode: 0o600)
            let channels = """
                  - name: main
                    sources:
                      - rtmp: { listen: "127.0.0.1:\(rtmp)", key: { env: INGEST } }
                      - srt: { listen: "127.0.0.1:\(srt)", passphrase: { file: \(file) } }
                      - pull: { url: "rtsp://viewer:hush-password@127.0.0.1:9/cam" }
                      - test: { size: 320x180, rate: 30 }
                    groups:
                      - name: hd
                        video: { bitrate: 500k }
                        targets:
                          - { name: platform, url: "\(sink.url)", key: { env: KEY } }
                          - { name: literal, url: "\(sink.url)", key: hush-literal }
                          - { name: inline, url: "\(sink.url("hush-inline"))" }
                          - { name: refused, url: "\(sink.url)", key: { env: REFUSED } }
                          - { name: studio, url: "\(peer.url)", passphrase: { env: PASS } }
                """
            try sink.refuse("hush-refused")
            let environment = [
                "INGEST": "hush-ingest", "KEY": "hush-key", "PASS": "hush-passphrase", "REFUSED": "hush-refused",
            ]
            let daemon = try await stage.streambox(channels, environment: environment)
            var seen = Set<String>()
            func look() {
                for child in Leftovers.descendants(of: daemon.program.pid) { seen.insert(child.command) }
            }
            for name in ["hush-key", "hush-literal", "hush-inline"] {
                try await eventually("\(name) to be published", within: .seconds(40), every: .milliseconds(5)) {
                    look()
                    return try !sink.publishes(of: name).isEmpty
                }
            }
            try await daemon.logged("target=refused", "process ended")
            try await daemon.logged("source=pull-2", "process ended")
            try await daemon.logged("target=studio", "msg=live")
            look()
            // No file has a secret. A slate that is being rendered is there for a moment.
            for name in stage.folder.names(in: "run-box") {
                let bytes = FileManager.default.contents(atPath: stage.folder.path("run-box/\(name)")) ?? Data()
                #expect(bytes.range(of: Data("hush-".utf8)) == nil, "\(name)")
            }
            let plan = try await stage.command(["plan", daemon.config], environment: environment)
            let json = try await stage.command(["plan", "--json", daemon.config], environment: environment)
            let check = try await stage.command(["check", daemon.config], environment: environment)
            try await daemon.terminate()
            #expect(plan.ending == .exited(0) && json.ending == .exited(0) && check.ending == .exited(0))
            #expect(seen.filter { $0.contains("ffmpeg") }.count >= 6)
            for (name, text) in [
                ("arguments", seen.joined(separator: "\n")), ("log", daemon.program.errors.text),
                ("output", daemon.program.output.text),
                ("plan", plan.text + plan.errors), ("json", json.text), ("check", check.text),
            ] {
                #expect(
                    !text.contains("hush-"), "\(name): \(text.split(separator: "\n").filter { $0.contains("hush-") })")
            }
            #expect(stage.folder.names(in: "run-box") == [])
        }
    }
}
