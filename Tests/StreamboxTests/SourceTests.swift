import Foundation
import TestSupport
import Testing

/// The sources of a channel, and which of several is on air.
@Suite(.serialized, .tags(.ffmpeg)) struct SourceTests {
    /// A channel `main` with a tap, one source, and a group that copies.
    private func channel(_ source: String, slate: String = "1s") -> String {
        """
          - name: main
            tap: true
            sources: [ { \(source) } ]
            slate: { after: \(slate) }
            groups: [ { name: raw, video: copy, audio: copy } ]
        """
    }

    /// Waits until a tap has so many frames with a number. Frames of the slate have none.
    private func waitForNumbers(_ count: Int, at tap: TestProcess) async throws {
        try await eventually("\(count) numbered frames at the tap", every: .milliseconds(300)) {
            (try? await FrameReader.read(.bytes(tap.output.bytes)))?.numbers.count ?? 0 > count
        }
    }

    @Test("a publisher replaces the test picture on air and hands back in one stream")
    func priorities() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let port = try FreePort.tcp()
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources:
                      - rtmp: { listen: "127.0.0.1:\(port)", app: live }
                      - test: { size: 320x180, rate: 30 }
                    # A publisher that is late on a busy machine stays on air.
                    slate: { after: 20s }
                    groups:
                      - name: hd
                        video: { size: 320x180, bitrate: 600k, rate: 30 }
                        targets: [ { name: a, url: "\(sink.url("one"))" } ]
                """)
            try await sink.waitForFrames(40, of: "one")
            // Long enough that the test picture stops meanwhile.
            let publisher = try await stage.publish(
                .small(seconds: 8) {
                    $0.width = 640
                    $0.height = 360
                }, to: "rtmp://127.0.0.1:\(port)/live/x")
            try await daemon.logged("msg=\"on air\"", "source=rtmp-0")
            let position = daemon.position
            #expect(try await publisher.wait(.seconds(60)) == .exited(0))
            try await daemon.logged("msg=\"on air\"", "source=test-1", from: position)
            try await sink.waitForMoreFrames(40, of: "one")
            try await daemon.terminate()

            #expect(try await sink.wasPublishedOnceInOrder("one"))
            let reading = try await sink.reading(of: "one")
            #expect(reading.complaints.isEmpty, "\(reading.complaints)")
            let verdict = Verdict(reading)
            #expect(verdict.isWhole && verdict.first == 0 && verdict.received >= 235, "\(verdict)")
            let isNumbered = reading.frames.map { $0.number != nil }
            let up = try #require(isNumbered.firstIndex(of: true))
            let down = try #require(isNumbered.lastIndex(of: true))
            #expect(up >= 30 && down < isNumbered.count - 20)
            #expect(isNumbered[up...down].allSatisfy { $0 })
            let probe = try await MediaProbe.read(.url(sink.recording(of: "one")))
            #expect(probe.backwards.isEmpty)
        }
    }

    @Test("a publisher with B-frames goes on air without a lost frame in any group")
    func bFrames() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let port = try FreePort.tcp()
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources:
                      - rtmp: { listen: "127.0.0.1:\(port)", app: live }
                      - test: { size: 320x180, rate: 30 }
                    slate: { after: 60s }
                    groups:
                      - name: hd
                        video: { encoder: libx264, size: 320x180, bitrate: 600k, rate: 30 }
                        targets: [ { name: a, url: "\(sink.url("hd"))" } ]
                      - name: own
                        video: { encoder: libx264, bitrate: 600k }
                        targets: [ { name: b, url: "\(sink.url("own"))" } ]
                      - { name: raw, video: copy, audio: copy, targets: [ { name: c, url: "\(sink.url("raw"))" } ] }
                """)
            let names = ["hd", "own", "raw"]
            for name in names { try await sink.waitForFrames(40, of: name) }
            let publisher = try await stage.publish(
                .small(seconds: 120) { $0.bFrames = 2 }, to: "rtmp://127.0.0.1:\(port)/live/x")
            try await daemon.logged("msg=\"on air\"", "source=rtmp-0")
            for name in names {
                try await sink.waitForMoreFrames(60, of: name)
            }
            try await stage.expect("no frame lost", of: daemon) { $0.groups.allSatisfy { $0.lostFrames == 0 } }
            // The service ends before the publisher: no other source must go on air.
            try await daemon.terminate()
            await stage.end(publisher)
            for name in names {
                let probe = try await MediaProbe.read(.url(sink.recording(of: name)))
                let video = try #require(probe.video)
                // The B-frames before the last frame may have been missing when the service ended.
                let shown = probe.packets(of: video).compactMap(\.pts).sorted().dropLast(3)
                let gaps = zip(shown, shown.dropFirst()).map { Double($1 - $0) * video.tick }
                #expect(
                    probe.backwards.isEmpty && gaps.allSatisfy { $0 > 0 && $0 <= 0.05 },
                    "\(name): \(gaps.filter { $0 > 0.05 })")
            }
        }
    }

    @Test("an SRT listener admits only the right passphrase")
    func passphrase() async throws {
        try await withStage { stage in
            let port = try FreePort.udp()
            let secret = try stage.folder.write("secret", "correct horse battery\n", mode: 0o600)
            let daemon = try await stage.streambox(
                channel("srt: { listen: \"127.0.0.1:\(port)\", passphrase: { file: \(secret) } }"))
            let tap = try await stage.tap("main", of: daemon)
            try await eventually("the source to listen") { FreePort.isBound(udp: port) }
            for wrong in ["wrong horse battery", nil] {
                let caller = try await stage.srtCaller(.small(seconds: 20), port: port, passphrase: wrong)
                #expect(try await caller.program.wait(.seconds(30)) != .exited(0))
            }
            #expect(daemon.lines("on air", "source=srt-0").isEmpty, "\(daemon.lines("channel=main"))")
            try await eventually("a log line for each") {
                daemon.lines("level=warning", "rejected: wrong SRT passphrase, or none", "source=srt-0").count == 2
            }
            // libsrt rejected the callers: the relay is the same, and the port was never closed.
            #expect(daemon.lines("msg=started", "source=srt-0").count == 1 && FreePort.isBound(udp: port))
            let caller = try await stage.srtCaller(.small, port: port, passphrase: "correct horse battery")
            try await daemon.logged("msg=\"on air\"", "source=srt-0")
            try await waitForNumbers(45, at: tap)
            await stage.end(caller.program)
            try await daemon.logged("msg=ended", "source=srt-0")
            try await daemon.terminate()
            try await tap.wait()
            // The rejected callers sent the same numbers: no number is there twice, so nothing of theirs is there.
            let verdict = Verdict(try await FrameReader.read(.bytes(tap.output.bytes)))
            #expect(verdict.received > 30 && verdict.duplicated.isEmpty && verdict.backwards.isEmpty, "\(verdict)")
        }
    }

    @Test("an SRT caller without video is disconnected, and the next one is admitted")
    func withoutVideo() async throws {
        try await withStage { stage in
            let port = try FreePort.udp()
            let daemon = try await stage.streambox(channel("srt: { listen: \"127.0.0.1:\(port)\" }"))
            try await eventually("the source to listen") { FreePort.isBound(udp: port) }
            // This caller wants to receive, and stays connected.
            let silent = try await stage.program(
                "ffmpeg", ["-v", "error", "-nostdin", "-i", "srt://127.0.0.1:\(port)?mode=caller", "-f", "null", "-"])
            try await daemon.logged("the SRT caller sends no video", "source=srt-0")
            await stage.end(silent)
            let position = daemon.position
            try await eventually("the source to listen") { FreePort.isBound(udp: port) }
            // The port may still belong to the previous relay, which does not answer.
            let calling = keepCalling(stage, port, .small(seconds: 600))
            defer { calling.cancel() }
            try await daemon.logged("on air", "source=srt-0", from: position)
            calling.cancel()
            await calling.value
            try await daemon.terminate()
        }
    }

    @Test(
        "an SRT caller with another or no stream id is rejected before it is on air",
        arguments: [nil, "correct horse battery"])
    func streamID(passphrase: String?) async throws {
        try await withStage { stage in
            let port = try FreePort.udp()
            let secret = try stage.folder.write("secret", passphrase ?? "-", mode: 0o600)
            let id = try stage.folder.write("id", "#!::r=cam,u=right\n", mode: 0o600)
            let secrets =
                passphrase == nil
                ? "streamid: \"#!::r=cam,u=right\"" : "streamid: { file: \(id) }, passphrase: { file: \(secret) }"
            let daemon = try await stage.streambox(
                channel("srt: { listen: \"127.0.0.1:\(port)\", \(secrets) }", slate: "20s"),
                more: "status: { file: \(stage.folder.path("box.prom")), every: 500ms }\n")
            let tap = try await stage.tap("main", of: daemon)
            // The last one tries to forge a log line.
            let wrongIDs = [
                "#!::r=cam,u=wrong", nil, "#!::r=cam,u=righ",
                "x\n[srt @ 0x1] [verbose] accept streamid [u=wrong], length 7\n[error] u=wrong",
            ]
            for (number, wrong) in wrongIDs.enumerated() {
                try await eventually("the source to listen") { FreePort.isBound(udp: port) }
                let caller = try await stage.srtCaller(
                    .small(seconds: 20), port: port, passphrase: passphrase, streamID: wrong)
                try await eventually("a refusal") { daemon.lines("wrong SRT stream id, or none").count == number + 1 }
                #expect(try await caller.program.wait(.seconds(30)) != .exited(0))
            }
            #expect(
                daemon.lines("msg=delivers", "source=srt-0").isEmpty && daemon.lines("on air", "source=srt-0").isEmpty)
            try await eventually("the metric", within: .seconds(10)) {
                (try? stage.folder.text("box.prom"))?.contains(
                    #"streambox_ingest_refusals_total{channel="main",source="srt-0",reason="streamid"} 4"#) == true
            }
            try await eventually("the source to listen") { FreePort.isBound(udp: port) }
            let caller = try await stage.srtCaller(
                .small, port: port, passphrase: passphrase, streamID: "#!::r=cam,u=right")
            try await daemon.logged("on air", "source=srt-0")
            try await eventually("a stream", within: .seconds(20), every: .milliseconds(300)) {
                Verdict(try await FrameReader.read(.bytes(tap.output.bytes))).last ?? 0 > 30
            }
            for secret in ["u=right", "u=wrong", "accept streamid"] {
                #expect(daemon.lines(secret).isEmpty, "\(daemon.lines(secret))")
            }
            await stage.end(caller.program)
            try await daemon.terminate()
            try await tap.wait()
            let verdict = Verdict(try await FrameReader.read(.bytes(tap.output.bytes)))
            // The frames that were held back during the check of the stream id are there.
            #expect(verdict.first == 0 && verdict.isWhole, "\(verdict)")
        }
    }

    @Test("a camera called by SRT gets what it asks for, and no argument list has it")
    func pulledBySRT() async throws {
        try await withStage { stage in
            let port = try FreePort.udp()
            let (passphrase, id) = ("correct horse battery", "#!::r=hall,u=box")
            // The camera waits for a caller with the passphrase, and logs the stream id.
            var arguments = NumberedSource.small(seconds: 600) { $0.realtime = true }.arguments(
                to: .url("srt://127.0.0.1:\(port)?mode=listener&transtype=live&pkt_size=1316&passphrase=\(passphrase)"))
            arguments[try #require(arguments.firstIndex(of: "-loglevel")) + 1] = "verbose"
            let camera = try await stage.program("ffmpeg", arguments)
            try await eventually("the camera to listen") { FreePort.isBound(udp: port) }
            let secret = try stage.folder.write("secret", passphrase + "\n", mode: 0o600)
            let name = try stage.folder.write("id", id, mode: 0o600)
            let secrets = "passphrase: { file: \(secret) }, streamid: { file: \(name) }"
            let daemon = try await stage.streambox(
                channel("pull: { url: \"srt://127.0.0.1:\(port)\", \(secrets) }"))
            try await daemon.logged("on air", "source=pull-0")
            try await camera.errors.first(containing: "accept streamid [\(id)]")
            #expect(!daemon.children("pipe:1").contains { [passphrase, id].contains(where: "\($0)".contains) })
            for secret in [passphrase, id] { #expect(daemon.lines(secret).isEmpty) }
            await stage.end(camera)
            try await daemon.terminate()
        }
    }

    /// Calls an SRT source again and again, as an encoder in the field does, until it is cancelled.
    private func keepCalling(_ stage: Stage, _ port: Int, _ source: NumberedSource) -> Task<Void, Never> {
        Task {
            while !Task.isCancelled {
                guard let caller = try? await stage.srtCaller(source, port: port) else { return }
                while caller.program.isRunning, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(50)) }
                await stage.end(caller.program)
            }
        }
    }

    @Test("HEVC by SRT is encoded, and audio that a feed cannot carry becomes AAC")
    func foreignCodecs() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let srt = try FreePort.udp()
            let udp = try FreePort.udp()
            let file = try await stage.file("ac3.ts") { $0.audio = .ac3 }
            let daemon = try await stage.streambox(
                """
                  - name: one
                    sources: [ { srt: { listen: "127.0.0.1:\(srt)" } } ]
                    groups:
                      - name: one
                        video: { bitrate: 400k, size: 320x180 }
                        targets: [ { name: one, url: "\(sink.url("hevc"))" } ]
                  - name: two
                    sources: [ { pull: { url: "udp://127.0.0.1:\(udp)" } } ]
                    groups:
                      - { name: two, video: copy, audio: copy, targets: [ { name: two, url: "\(sink.url("mp2"))" } ] }
                  - name: three
                    sources: [ { file: { path: \(file), loop: true } } ]
                    groups:
                      - name: three
                        video: copy
                        audio: copy
                        targets: [ { name: three, url: "\(sink.url("ac3"))" } ]
                """)
            let hevc = NumberedSource.small(seconds: 600) {
                $0.codec = .hevc
                $0.audio = .mp2
                $0.rate = 15
                $0.gop = 15
            }
            _ = try await stage.publish(
                .small(seconds: 600) { $0.audio = .mp2 },
                to: .init(format: "mpegts", target: "udp://127.0.0.1:\(udp)?pkt_size=1316"))
            try await eventually("the source to listen") { FreePort.isBound(udp: srt) }
            let calling = keepCalling(stage, srt, hevc)
            defer { calling.cancel() }
            for source in ["srt-0", "pull-0", "file-0"] { try await daemon.logged("on air", "source=\(source)") }
            // The encoders may still hold frames of the slate.
            for name in ["hevc", "mp2", "ac3"] { try await sink.waitForNumbers(60, of: name) }
            calling.cancel()
            await calling.value
            try await daemon.terminate()
            for name in ["hevc", "mp2", "ac3"] {
                let files = sink.recordings(of: name)
                let probe = try await MediaProbe.read(.url(files[files.count - 1]))
                #expect(probe.video?.codec == "h264" && probe.audio?.codec == "aac", "\(name)")
                let reading = try await FrameReader.read(.url(files[files.count - 1]))
                let (frames, beeps) = (reading.frames, reading.beeps)
                #expect(
                    reading.numbers.count > 30 && !beeps.isEmpty,
                    "\(name): \(frames.count) frames of widths \(Set(frames.map(\.width))), \(beeps.count) beeps")
            }
            #expect(!daemon.lines("cannot be carried", "source=srt-0").isEmpty)
        }
    }

    @Test("a stream is pulled from an RTMP server")
    func pull() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let origin = try await stage.nginx()
            let publisher = try await stage.publish(.small, to: origin.url("cam"))
            try await origin.waitForPublishes(of: "cam")
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { pull: { url: "\(origin.url("cam"))" } } ]
                    groups:
                      - { name: raw, video: copy, audio: copy, targets: [ { name: a, url: "\(sink.url("pulled"))" } ] }
                """)
            try await sink.waitForNumbers(60, of: "pulled")
            // The server is killed and restarted: the source reconnects by itself.
            await origin.kill()
            let position = daemon.position
            try await origin.restart()
            await stage.end(publisher)
            let second = try await stage.publish(.small(seconds: 600) { $0.firstNumber = 9000 }, to: origin.url("cam"))
            try await daemon.logged("msg=delivers", from: position, within: .seconds(60))
            // The source replaces the slate with its next keyframe.
            try await sink.waitForMoreNumbers(30, of: "pulled")
            try await daemon.terminate()
            await stage.end(second)
            #expect(try await sink.wasPublishedOnceInOrder("pulled"))
            let reading = try await sink.reading(of: "pulled")
            #expect(
                Verdict(reading).backwards.isEmpty && reading.numbers.contains { $0 >= 9000 }
                    && reading.numbers.contains { $0 < 9000 })
            #expect(reading.complaints.isEmpty, "\(reading.complaints)")
        }
    }

    @Test(
        "an RTSP camera with UDP alone is on air by UDP, however it refuses TCP",
        arguments: UDPCamera.Refusal.allCases)
    func cameraByUDP(refusal: UDPCamera.Refusal) async throws {
        try await withStage { stage in
            let camera = try await UDPCamera(refusal: refusal)
            let daemon = try await stage.streambox(channel("pull: { url: \"\(camera.url)\" }"))
            try await daemon.logged("msg=\"on air\"", "source=pull-0")
            let tap = try await stage.tap("main", of: daemon)
            try await waitForNumbers(30, at: tap)
            try await daemon.terminate()
            let asked = camera.transports
            #expect(asked.first?.hasPrefix("RTP/AVP/TCP") == true, "\(asked)")
            #expect(asked.last?.hasPrefix("RTP/AVP/UDP") == true, "\(asked)")
        }
    }

    @Test("a camera that disconnects repeatedly is a problem, also while live")
    func cutOffCamera() async throws {
        try await withStage { stage in
            let camera = try await UDPCamera(lasting: .seconds(4))
            let daemon = try await stage.streambox(channel("pull: { url: \"\(camera.url)\", transport: udp }"))
            try await stage.expect("the problem while it is live", of: daemon, within: .seconds(60)) {
                $0.source("pull-0")?.state == "live" && $0.hasProblem("source-failed", "it does not last")
            }
            try await daemon.terminate()
        }
    }

    @Test("an RTSP camera that refuses transport: tcp is not tried by UDP")
    func cameraByTCPAlone() async throws {
        try await withStage { stage in
            let camera = try await UDPCamera()
            let daemon = try await stage.streambox(channel("pull: { url: \"\(camera.url)\", transport: tcp }"))
            // The rest of that line differs between versions of FFmpeg: a space, no space, or parentheses.
            let line = try await daemon.logged(
                "level=warning", "msg=\"process ended\"", "source=pull-0", "method SETUP failed: 461")
            #expect(line.text.contains("Unsupported Transport"), "\(line.text)")
            // `status` has it too, once the camera has failed again.
            try await stage.expect("the trouble", of: daemon) {
                $0.source("pull-0")?.trouble?.contains("does not support that transport") == true
            }
            try await daemon.terminate()
            let asked = camera.transports
            #expect(asked.count > 1 && asked.allSatisfy { $0.hasPrefix("RTP/AVP/TCP") }, "\(asked)")
            #expect(daemon.lines("on air", "source=pull-0").isEmpty)
        }
    }

    @Test("garbage at the ports stops no channel, and a good publisher is admitted later")
    func garbage() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let rtmp = try FreePort.tcp()
            let srt = try FreePort.udp()
            let other = try FreePort.tcp()
            let daemon = try await stage.streambox(
                """
                  - name: attacked
                    sources:
                      - rtmp: { listen: "127.0.0.1:\(rtmp)", app: live }
                      - srt: { listen: "127.0.0.1:\(srt)" }
                    groups:
                      - name: attacked
                        video: copy
                        audio: copy
                        targets: [ { name: attacked, url: "\(sink.url("attacked"))" } ]
                  - name: other
                    sources: [ { rtmp: { listen: "127.0.0.1:\(other)", app: live } } ]
                    slate: { after: 20s }
                    groups:
                      - name: other
                        video: copy
                        audio: copy
                        targets: [ { name: other, url: "\(sink.url("other"))" } ]
                """)
            try await eventually("the source to listen") { FreePort.isListening(tcp: other) }
            // The slate has arrived: the target is connected before the source delivers.
            try await sink.waitForFrames(1, of: "other")
            let steady = try await stage.publish(.small, to: "rtmp://127.0.0.1:\(other)/live/x")
            _ = try await stage.file("x.flv") { $0.duration = .seconds(1) }
            let handshake: [UInt8] = [3] + (0..<1536).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            var random = SeededRandom()
            let noise = (0..<200_000).map { _ in UInt8.random(in: 0...255, using: &random) }
            let attacks: [[UInt8]] = [
                noise, Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8), handshake, Array(handshake[..<700]),
                handshake + noise, Array(try stage.folder.read("x.flv").prefix(5000)), [],
            ]
            for attack in attacks {
                try Attack.tcp(rtmp, attack)
                try Attack.udp(srt, attack)
            }
            #expect(daemon.program.isRunning)
            // By SRT, then by RTMP, which has priority.
            let caller = try await stage.srtCaller(.small, port: srt)
            try await daemon.logged("on air", "source=srt-1")
            try await eventually("the RTMP source to listen", within: .seconds(40)) { FreePort.isListening(tcp: rtmp) }
            let good = try await stage.publish(
                .small(seconds: 600) { $0.firstNumber = 50_000 }, to: "rtmp://127.0.0.1:\(rtmp)/live/x")
            try await daemon.logged("on air", "source=rtmp-0", "channel=attacked")
            try await eventually("its frames", within: .seconds(20), every: .milliseconds(300)) {
                (try? await sink.reading(of: "attacked"))?.numbers.contains { $0 > 50_010 } == true
            }
            for program in [steady, caller.program, good] { await stage.end(program) }
            try await daemon.terminate()
            #expect(try await sink.wasPublishedOnceInOrder("other"))
            let verdict = Verdict(try await sink.reading(of: "other"))
            #expect(verdict.isWhole && verdict.first == 0, "\(verdict)")
        }
    }
}

/// Sends bytes that are no stream to a port.
enum Attack {
    static func tcp(_ port: Int, _ bytes: [UInt8]) throws {
        let connection = try connect(port: port)
        defer { close(connection) }
        var limit = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            // The service may close the connection.
            guard count > 0 else { return }
            sent += count
        }
    }

    static func udp(_ port: Int, _ bytes: [UInt8]) throws {
        let end = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(end) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        for start in stride(from: 0, to: min(bytes.count, 20_000), by: 1316) {
            let piece = Array(bytes[start..<min(bytes.count, start + 1316)])
            _ = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(end, piece, piece.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
    }
}
