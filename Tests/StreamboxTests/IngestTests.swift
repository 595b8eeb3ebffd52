import Foundation
import TestSupport
import Testing

/// The publishers that an RTMP source admits and rejects.
@Suite(.serialized, .tags(.ffmpeg)) struct IngestTests {
    private struct Rig {
        var port: Int
        var sink: NginxRTMP
        var daemon: Daemon
        var keyFile: String

        func url(_ key: String = "the-right-key", app: String = "live") -> String {
            "rtmp://127.0.0.1:\(port)/\(app)/\(key)"
        }
    }

    /// Starts a channel with one RTMP source and a group that copies its stream.
    private func rig(_ stage: Stage, sources: String = "", more: String = "") async throws -> Rig {
        let sink = try await stage.nginx(record: true)
        let port = try FreePort.tcp()
        let keyFile = try stage.folder.write("key", "the-right-key\n", mode: 0o600)
        let daemon = try await stage.streambox(
            """
              - name: main
                tap: true
                # Longer than a publisher can be late on a busy machine.
                slate: { after: 60s }
                sources: [ { rtmp: { listen: "127.0.0.1:\(port)", app: live, key: { file: \(keyFile) } } }\(sources) ]
                groups: [ { name: raw, video: copy, audio: copy, targets: [ { name: a, url: "\(sink.url("one"))" } ] } ]
            """, more: "status: { file: \(stage.folder.path("box.prom")), every: 500ms }\n" + more)
        try await daemon.logged("msg=listening", "source=rtmp-0")
        // The slate has arrived: the target is connected before the source delivers.
        try await sink.waitForFrames(1, of: "one")
        return Rig(port: port, sink: sink, daemon: daemon, keyFile: keyFile)
    }

    /// Reads the metric of refusals, by reason.
    private func refusals(_ stage: Stage) -> [String: Int] {
        let text = (try? stage.folder.text("box.prom")) ?? ""
        var found: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            if let match = line.firstMatch(
                of: /^streambox_ingest_refusals_total{channel="main",source="rtmp-0",reason="([a-z]+)"} (\d+)$/)
            {
                found[String(match.1)] = Int(match.2)
            }
        }
        return found
    }

    @Test("a wrong application or key is rejected, counted, and logged without the key")
    func refused() async throws {
        try await withStage { stage in
            let rig = try await rig(stage)
            let tap = try await stage.tap("main", of: rig.daemon)
            let before = try await eventually("the slate") { tap.output.total > 20_000 ? tap.output.total : nil }
            #expect(before > 0)
            for (url, word) in [
                (rig.url("a-wrong-key"), "stream key"), (rig.url("the-right-ke"), "stream key"),
                (rig.url(app: "other"), "no such application"),
            ] {
                let stranger = try await stage.publish(.small(seconds: 20), to: url)
                #expect(try await stranger.wait(.seconds(30)) != .exited(0))
                #expect(stranger.errors.text.contains(word), "\(stranger.errors.text)")
            }
            try await eventually("the log") { rig.daemon.lines("msg=\"publisher rejected", "source=rtmp-0").count >= 3 }
            #expect(rig.daemon.lines("msg=\"publisher rejected", "source=rtmp-0").count == 3)
            #expect(rig.daemon.lines("reason=key", "address=127.0.0.1").count == 2)
            #expect(rig.daemon.lines("a-wrong-key").isEmpty && rig.daemon.lines("the-right-ke").isEmpty)
            try await eventually("the metric", within: .seconds(10)) {
                refusals(stage)["key"] == 2 && refusals(stage)["application"] == 1
            }
            // Nothing has reached the channel.
            #expect(rig.daemon.lines("on air", "source=rtmp-0").isEmpty)
            let good = try await stage.publish(.small, to: rig.url())
            try await rig.daemon.logged("on air", "source=rtmp-0")
            #expect(!rig.daemon.children("pipe:0").contains { $0.command.contains("the-right-key") })
            await stage.end(good)
            try await rig.daemon.terminate()
        }
    }

    @Test("a publisher's stream with B-frames arrives whole without a relay process")
    func whole() async throws {
        try await withStage { stage in
            let rig = try await rig(stage)
            let publisher = try await stage.publish(.small(seconds: 12) { $0.bFrames = 2 }, to: rig.url())
            try await rig.daemon.logged("on air", "source=rtmp-0")
            // The only process is the target's publisher.
            #expect(rig.daemon.children("pipe:0").count == 1)
            #expect(try await publisher.wait(.seconds(60)) == .exited(0))
            try await rig.daemon.logged("the publisher left")
            try await rig.daemon.logged("msg=ended", "source=rtmp-0")
            try await rig.daemon.terminate()
            let reading = try await rig.sink.reading(of: "one")
            let verdict = Verdict(reading)
            print("with B-frames: \(verdict)")
            // Up to the last frame: a stop sends everything that was received.
            #expect(verdict.isWhole && verdict.first == 0 && verdict.last == 359, "\(verdict)")
            #expect(reading.complaints.isEmpty, "\(reading.complaints)")
            #expect((verdict.worstAudioOffset ?? 1) < 0.06, "\(verdict.audioOffsets)")
            #expect(try await MediaProbe.read(.url(rig.sink.recording(of: "one"))).backwards.isEmpty)
        }
    }

    @Test("a publisher that is killed and returns is on air before the slate")
    func killed() async throws {
        try await withStage { stage in
            let rig = try await rig(stage)
            let first = try await stage.publish(.small { $0.gop = 15 }, to: rig.url())
            try await rig.daemon.logged("on air", "source=rtmp-0")
            try await Task.sleep(for: .seconds(1))
            await stage.end(first)
            let position = rig.daemon.position
            let source = NumberedSource.small { ($0.gop, $0.firstNumber) = (15, 5000) }
            let second = try await stage.publish(source, to: rig.url())
            let came = try await rig.daemon.logged("publisher connected", from: position)
            let onAir = try await rig.daemon.logged("on air", "source=rtmp-0", from: position)
            print("on air again after \(onAir.time - came.time)")
            #expect(rig.daemon.lines("on air", "source=slate").count == 1)
            // The second publisher is admitted because the first one has disconnected, not because it was silent.
            let left = try await rig.daemon.logged("the publisher left")
            #expect(left.index < came.index)
            #expect(rig.daemon.lines("takes its place").isEmpty && rig.daemon.lines("publisher rejected").isEmpty)
            try await rig.sink.waitForMoreFrames(15, of: "one")
            await stage.end(second)
            try await rig.daemon.terminate()
            #expect(try await rig.sink.reading(of: "one").numbers.contains(5000))
        }
    }

    @Test("a second publisher is rejected while the first delivers, and replaces it later")
    func takeover() async throws {
        try await withStage { stage in
            let rig = try await rig(stage)
            let first = try await stage.publish(.small, to: rig.url())
            try await rig.daemon.logged("on air", "source=rtmp-0")
            let second = try await stage.publish(.small(seconds: 20), to: rig.url())
            #expect(try await second.wait(.seconds(30)) != .exited(0))
            #expect(second.errors.text.contains("another publisher is active"))
            #expect(first.isRunning && rig.daemon.lines("msg=ended", "source=rtmp-0").isEmpty)
            let stopped = ContinuousClock.now
            first.send(SIGSTOP)
            let third = try await stage.publish(.small { $0.firstNumber = 5000 }, to: rig.url())
            let line = try await rig.daemon.logged("another one with the right key takes its place")
            print("taken over after \(line.time - stopped)")
            #expect(line.time - stopped > .milliseconds(1900))
            try await eventually("the third publisher's frames", within: .seconds(30), every: .milliseconds(300)) {
                try await rig.sink.reading(of: "one").numbers.contains { $0 > 5030 }
            }
            first.send(SIGCONT)
            #expect(try await first.wait(.seconds(30)) != .exited(0))
            var position = rig.daemon.position
            await stage.end(third)
            try await rig.daemon.logged("the publisher left", from: position)
            // The port stays open between publishers, and the next one is admitted at once.
            #expect(FreePort.isListening(tcp: rig.port))
            position = rig.daemon.position
            let fourth = try await stage.publish(.small, to: rig.url())
            try await rig.daemon.logged("on air", "source=rtmp-0", from: position)
            await stage.end(fourth)
            try await rig.daemon.terminate()
        }
    }

    @Test("a publisher without video is reported, and the next one takes its place")
    func withoutVideo() async throws {
        try await withStage { stage in
            let rig = try await rig(stage)
            // One audio frame per second, as small as possible.
            let silent = try RTMPStranger.leave(RTMPStranger.asking(for: "the-right-key"), at: rig.port)
            defer { close(silent) }
            // On a thread of its own: with two seconds between two frames the publisher would be replaced as silent.
            let trickle = Thread {
                _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, -10)
                let audio = RTMPStranger.message(6, [0xAF, 1, 0x21, 0x10, 0x04, 0x60, 0x8C, 0x1C], kind: 8)
                while !Thread.current.isCancelled {
                    _ = audio.withUnsafeBytes { send(silent, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                    Thread.sleep(forTimeInterval: 1)
                }
            }
            trickle.start()
            defer { trickle.cancel() }
            try await rig.daemon.logged("publisher connected", "source=rtmp-0")
            let early = try await stage.publish(.small(seconds: 20), to: rig.url())
            #expect(try await early.wait(.seconds(30)) != .exited(0))
            try await rig.daemon.logged("level=warning", "sends no video", "source=rtmp-0")
            try await stage.expect("the note", of: rig.daemon) { status in
                status.source("rtmp-0")?.notes?.contains { $0.hasPrefix("no video arrives; set the encoder") } == true
            }
            let good = try await stage.publish(.small, to: rig.url())
            try await rig.daemon.logged("on air", "source=rtmp-0")
            await stage.end(good)
            try await rig.daemon.terminate()
        }
    }

    @Test("half-open connections and endless wrong keys do not disturb a publisher")
    func flood() async throws {
        try await withStage { stage in
            let rig = try await rig(stage)
            let publisher = try await stage.publish(.small(seconds: 16), to: rig.url())
            try await rig.daemon.logged("on air", "source=rtmp-0")
            let before = try rig.daemon.residentMemory()
            let began = ContinuousClock.now
            var halfOpen: [Int32] = []
            for number in 0..<200 {
                let connection = try connect(port: rig.port)
                // Every other connection begins the handshake.
                if number % 2 == 0 { _ = send(connection, [3, 0, 0, 0], 4, Int32(MSG_NOSIGNAL)) }
                halfOpen.append(connection)
            }
            let stranger = RTMPStranger.asking(for: "not-the-key")
            for _ in 0..<800 { _ = try RTMPStranger.ask(rig.port, stranger, patience: .milliseconds(5)) }
            #expect(try await publisher.wait(.seconds(60)) == .exited(0))
            // The half-open connections are closed once their time for a request is over.
            try await eventually("the metric", within: .seconds(20)) { refusals(stage).values.reduce(0, +) >= 1000 }
            for connection in halfOpen { close(connection) }
            let after = try rig.daemon.residentMemory()
            print("resident before \(before >> 10) KB, after \(after >> 10) KB; \(refusals(stage))")
            #expect(Limit.isInstrumented || after - before < 40 << 20)
            // The log is bounded, and the metric is complete.
            let logged = rig.daemon.lines("msg=\"publisher rejected").count
            // The log has a few lines per minute.
            let minutes = Int((ContinuousClock.now - began).inSeconds / 60)
            #expect(logged <= 12 + 5 * minutes)
            // A publisher with the right key is admitted afterwards.
            let position = rig.daemon.position
            let good = try await stage.publish(.small { $0.firstNumber = 9000 }, to: rig.url())
            try await rig.daemon.logged("on air", "source=rtmp-0", from: position)
            await stage.end(good)
            try await rig.daemon.terminate()
            let verdict = Verdict(try await rig.sink.reading(of: "one"))
            print("flooded: \(verdict)")
            // An encoder that a busy machine starts late begins with the second keyframe.
            #expect(
                verdict.lost.allSatisfy { $0.upperBound >= 480 } && verdict.duplicated.isEmpty
                    && [0, 30].contains(verdict.first),
                "\(verdict); \(rig.daemon.lines("source=rtmp-0").filter { !$0.contains("publisher rejected") })")
        }
    }

    @Test("reconnects in a loop with the right key fill no log and block no publisher")
    func loop() async throws {
        try await withStage { stage in
            let rig = try await rig(stage)
            let began = ContinuousClock.now
            let bytes = RTMPStranger.asking(for: "the-right-key")
            for _ in 0..<300 { _ = try? RTMPStranger.ask(rig.port, bytes, patience: .milliseconds(20)) }
            let good = try await stage.publish(.small, to: rig.url())
            try await rig.daemon.logged("on air", "source=rtmp-0")
            // The log has five lines at once, and then one every two seconds.
            let most = 7 + Int((ContinuousClock.now - began).components.seconds) / 2
            let came = rig.daemon.lines("msg=\"publisher connected", "source=rtmp-0").count
            #expect(came >= 5 && came <= most)
            #expect(rig.daemon.lines("source=rtmp-0").count <= 10 + 10 * most)
            await stage.end(good)
            try await rig.daemon.terminate()
        }
    }

    @Test("a reload applies a new key to publishers, and an unreadable key changes nothing")
    func keyChanges() async throws {
        try await withStage { stage in
            let rig = try await rig(stage)
            let publisher = try await stage.publish(.small, to: rig.url())
            try await rig.daemon.logged("on air", "source=rtmp-0")
            var position = rig.daemon.position
            rig.daemon.program.send(SIGHUP)
            try await rig.daemon.logged("msg=reloaded", from: position)
            chmod(rig.keyFile, 0o644)
            position = rig.daemon.position
            rig.daemon.program.send(SIGHUP)
            try await rig.daemon.logged(
                "can be read by users other than its owner", "stays in use", from: position)
            #expect(publisher.isRunning)
            try stage.folder.write("key", "another-key", mode: 0o600)
            chmod(rig.keyFile, 0o600)
            position = rig.daemon.position
            rig.daemon.program.send(SIGHUP)
            try await rig.daemon.logged("the key has changed", from: position)
            #expect(try await publisher.wait(.seconds(30)) != .exited(0))
            let next = try await stage.publish(.small, to: rig.url("another-key"))
            try await rig.daemon.logged("on air", "source=rtmp-0", from: position)
            await stage.end(next)
            try await rig.daemon.terminate()
        }
    }

    @Test("an unreadable key keeps the port closed, and the reason is reported")
    func noKey() async throws {
        try await withStage { stage in
            let port = try FreePort.tcp()
            let daemon = try await stage.streambox(
                """
                  - name: main
                    tap: true
                    sources: [ { rtmp: { listen: "127.0.0.1:\(port)", key: { file: \(stage.folder.path("none")) } } },
                      { test: { size: 320x180 } } ]
                """)
            try await daemon.logged("secret file", "none", "source=rtmp-0")
            #expect(!FreePort.isListening(tcp: port))
            try await eventually("the status to say so", within: .seconds(20)) {
                let status = try await stage.command(["status", "--config", daemon.config])
                let text = String(decoding: status.output, as: UTF8.self)
                return text.contains("failed") && text.contains("the secret file")
            }
            try stage.folder.write("none", "late-key", mode: 0o600)
            try await daemon.logged("msg=listening", "source=rtmp-0")
            try await daemon.terminate()
        }
    }

    @Test("HEVC by RTMP goes on air")
    func hevc() async throws {
        try await withStage { stage in
            // FFmpeg sends HEVC by RTMP since 6.1, which has Enhanced RTMP.
            guard try await InstalledFFmpeg.release() >= (6, 1) else { return }
            let sink = try await stage.nginx(record: true)
            let port = try FreePort.tcp()
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { rtmp: { listen: "127.0.0.1:\(port)", app: live } } ]
                    # Longer than a publisher can be late on a busy machine.
                    slate: { after: 60s }
                    groups:
                      - { name: hd, video: { bitrate: 800k }, targets: [ { name: a, url: "\(sink.url("one"))" } ] }
                """)
            try await daemon.logged("msg=listening", "source=rtmp-0")
            let source = NumberedSource.small { ($0.codec, $0.gop) = (.hevc, 15) }
            let publisher = try await stage.publish(source, to: "rtmp://127.0.0.1:\(port)/live/x")
            try await sink.waitForNumbers(60, of: "one")
            try await publisher.interrupt()
            try await daemon.terminate()
            // The frames of the slate before and after it have no numbers.
            let numbers = try await sink.reading(of: "one").numbers
            #expect(numbers.count >= 30 && zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 + 1 })
        }
    }

    @Test("video in an unsupported codec is rejected by name and counted")
    func foreignVideo() async throws {
        try await withStage { stage in
            let rig = try await rig(stage)
            let video: [UInt8] = [0x12, 0, 0, 0x84]
            let bytes = RTMPStranger.publishing(video, times: 3, key: "the-right-key")
            // The answer comes once the channel has read the stream.
            let port = rig.port
            let answer = try await onOwnThread {
                try RTMPStranger.ask(port, bytes, patience: Limit.seconds(120))
            }
            #expect(String(decoding: answer, as: UTF8.self).contains("NetStream.Publish.Rejected"))
            let why = "its video is Sorenson H.263, which cannot be used; set the encoder to H.264 or HEVC"
            try await rig.daemon.logged(why)
            // The note stays until another publisher comes.
            try await stage.expect("the note", of: rig.daemon) {
                $0.source("rtmp-0")?.notes == ["the last publisher was rejected: \(why)"]
            }
            try await eventually("the metric", within: .seconds(10)) { refusals(stage)["codec"] == 1 }
            try await rig.daemon.terminate()
        }
    }

    @Test(
        "the RTMP clients of GStreamer, librtmp and nginx-rtmp are admitted",
        arguments: ["rtmp2sink", "rtmpsink", "push"])
    func otherClients(_ client: String) async throws {
        try await withStage { stage in
            let rig = try await rig(stage)
            let wrong = try await start(client, stage, rig.url("wrong"))
            try await rig.daemon.logged("publisher rejected", "wrong stream key")
            await stage.end(wrong)
            let right = try await start(client, stage, rig.url())
            try await rig.daemon.logged("on air", "source=rtmp-0")
            try await eventually("its frames", within: .seconds(40), every: .milliseconds(300)) {
                (try? await rig.sink.reading(of: "one"))?.numbers.count ?? 0 > 60
            }
            await stage.end(right)
            try await rig.daemon.logged("the publisher left")
            try await rig.daemon.terminate()
            let verdict = Verdict(try await rig.sink.reading(of: "one"))
            print("\(client): \(verdict)")
            #expect(verdict.lost.isEmpty && verdict.duplicated.isEmpty, "\(verdict)")
        }
    }

    /// Starts a client other than FFmpeg that publishes a numbered stream.
    private func start(_ client: String, _ stage: Stage, _ url: String) async throws -> TestProcess {
        if client == "push" {
            let port = try FreePort.tcp()
            let name = url.split(separator: "/").last.map(String.init) ?? ""
            let folder = try stage.folder.makeFolder("push-\(port)")
            try stage.folder.write(
                "push-\(port)/nginx.conf",
                """
                daemon off; master_process off; pid \(folder)/pid; error_log \(folder)/error.log;
                load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
                events { worker_connections 64; }
                rtmp {
                  access_log off;
                  server {
                    listen 127.0.0.1:\(port);
                    application in {
                      live on;
                      push \(url.replacing("/\(name)", with: "")) playPath=\(name);
                      push_reconnect 1s;
                    }
                  }
                }
                """)
            let nginx = try await stage.program("nginx", ["-p", folder, "-c", "\(folder)/nginx.conf"])
            try await eventually("nginx to listen") { FreePort.isListening(tcp: port) }
            _ = try await stage.publish(.small, to: "rtmp://127.0.0.1:\(port)/in/x")
            return nginx
        }
        let file = stage.folder.path("gst.flv")
        if !FileManager.default.fileExists(atPath: file) {
            try await NumberedSource.small(seconds: 8) { $0.bitrate = 400 }.write(to: file)
        }
        let sink = client == "rtmp2sink" ? ["rtmp2sink", "location=\(url)"] : ["rtmpsink", "location=\(url) live=1"]
        return try await stage.program(
            "gst-launch-1.0",
            ["-q", "filesrc", "location=\(file)", "!", "flvdemux", "name=d"]
                + ["flvmux", "name=m", "streamable=true", "!"] + sink + ["sync=true"]
                + ["d.video", "!", "queue", "!", "h264parse", "!", "m."]
                + ["d.audio", "!", "queue", "!", "aacparse", "!", "m."])
    }
}
