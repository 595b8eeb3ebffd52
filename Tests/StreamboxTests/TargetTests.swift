import Foundation
import TestSupport
import Testing

/// Targets that are down, fail, hang and return, while the other targets continue.
@Suite(.serialized, .tags(.ffmpeg)) struct TargetTests {
    /// A channel with a test picture, and one group with this target.
    private static func channel(_ target: String) -> String {
        """
          - name: main
            sources: [ { test: { size: 320x180, rate: 30 } } ]
            groups:
              - name: hd
                video: { encoder: libx264, bitrate: 600k }
                targets: [ { \(target) } ]
        """
    }

    /// A stream with enough bytes to fill the kernel's buffers of a connection.
    private static let busy = NumberedSource.with {
        $0.picture = .busy
        $0.bitrate = 8000
        $0.duration = nil
        $0.width = 480
        $0.height = 270
    }

    @Test("a missing or blocked recording disk delays only its target")
    func recordingDisk() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            // A file is in the place of one folder. The other is on a read-only disk, also for root.
            let folder = try stage.folder.write("disk", "")
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { test: { size: 320x180, rate: 30 } } ]
                    groups:
                      - name: hd
                        video: { bitrate: 600k, size: 320x180, rate: 30 }
                        targets:
                          - { name: a, url: "\(sink.url("one"))" }
                          - { name: archive, record: { folder: "\(folder)/service" } }
                          - { name: copy, record: { folder: "/proc/self/fdinfo" } }
                """)
            try await sink.waitForFrames(60, of: "one")
            try await daemon.logged("cannot run", "target=archive")
            try await stage.expect("both problems", of: daemon) {
                $0.target("archive")?.trouble?.contains("cannot create the folder") == true
                    && $0.target("copy")?.trouble?.contains("cannot write to the folder") == true
            }
            unlink(folder)
            try await stage.expect("a recording", of: daemon) { $0.target("archive")?.state == "live" }
            try await eventually("a file") { stage.folder.names(in: "disk/service").contains { $0.hasSuffix(".ts") } }
            #expect(try await stage.status(of: daemon).target("a")?.connects == 1)
            try await daemon.terminate()
        }
    }

    @Test("a target that is down or dies costs the others nothing and recovers alone")
    func deadTargets() async throws {
        try await withStage { stage in
            let good = try await stage.nginx(record: true)
            let late = try await stage.nginx(record: true)
            let dying = try await stage.nginx(record: true)
            await late.kill()
            let port = try FreePort.tcp()
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { rtmp: { listen: "127.0.0.1:\(port)", app: live } } ]
                    # A publisher that is late on a busy machine stays on air.
                    slate: { after: 20s }
                    groups:
                      - name: raw
                        video: copy
                        audio: copy
                        targets:
                          - { name: late, url: "\(late.url("late"))" }
                          - { name: dying, url: "\(dying.url("dying"))" }
                          - { name: good, url: "\(good.url("good"))" }
                          - { name: archive, record: { folder: \(stage.folder.path("rec")) } }
                """)
            try await eventually("the source to listen") { FreePort.isListening(tcp: port) }
            // The slate has arrived: the targets are connected before the source delivers.
            try await good.waitForFrames(1, of: "good")
            try await daemon.logged("msg=live", "target=archive")
            let publisher = try await stage.publish(.small, to: "rtmp://127.0.0.1:\(port)/live/x")
            try await good.waitForNumbers(40, of: "good")
            try await dying.waitForNumbers(20, of: "dying")
            await dying.kill()
            try await daemon.logged("msg=\"process ended\"", "target=dying")
            try await daemon.logged("msg=\"process ended\"", "target=late")
            try await dying.restart()
            try await late.restart()
            try await late.waitForPublishes(of: "late", within: .seconds(60)) { $0.isAccepted }
            try await dying.waitForPublishes(2, of: "dying", within: .seconds(60)) { $0.isAccepted }
            try await good.waitForMoreNumbers(30, of: "good")
            try await late.waitForNumbers(1, of: "late")
            await stage.end(publisher)
            try await daemon.terminate()

            #expect(try await good.wasPublishedOnceInOrder("good"))
            let recordings = stage.folder.names(in: "rec")
            #expect(recordings.count == 1)
            for reading in [
                try await good.reading(of: "good"),
                try await FrameReader.read(.url(stage.folder.path("rec/\(recordings[0])"))),
            ] {
                let verdict = Verdict(reading)
                #expect(verdict.isWhole && verdict.first == 0, "\(verdict)")
                #expect(reading.complaints.isEmpty, "\(reading.complaints)")
            }
            let back = try await FrameReader.read(.url(try #require(late.recordings(of: "late").last)))
            #expect(back.frames.first?.isKey == true && Verdict(back).isWhole, "\(Verdict(back))")
        }
    }

    @Test("a target that hangs is reconnected, and the others lose nothing")
    func hungTarget() async throws {
        try await withStage { stage in
            let good = try await stage.nginx(record: true)
            let hung = try await stage.nginx()
            let port = try FreePort.tcp()
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { rtmp: { listen: "127.0.0.1:\(port)", app: live } } ]
                    slate: { after: 20s }
                    groups:
                      - name: raw
                        video: copy
                        audio: copy
                        targets:
                          - { name: hung, url: "\(hung.url("hung"))" }
                          - { name: good, url: "\(good.url("good"))" }
                """)
            try await eventually("the source to listen") { FreePort.isListening(tcp: port) }
            // The slate has arrived: the target is connected before the source delivers.
            try await good.waitForFrames(1, of: "good")
            let publisher = try await stage.publish(Self.busy, to: "rtmp://127.0.0.1:\(port)/live/x")
            try await hung.waitForPublishes(of: "hung")
            try await good.waitForNumbers(30, of: "good")
            hung.freeze()
            try await daemon.logged("target=hung", "target stalled, reconnecting", within: .seconds(60))
            try await daemon.logged("target=hung", "publisher changed state", "state=ending")
            hung.thaw()
            try await hung.waitForPublishes(2, of: "hung", within: .seconds(60)) { $0.isAccepted }
            try await good.waitForMoreNumbers(15, of: "good")
            await stage.end(publisher)
            try await daemon.terminate()
            #expect(try await good.wasPublishedOnceInOrder("good"))
            let verdict = Verdict(try await good.reading(of: "good"))
            #expect(verdict.isWhole && verdict.first == 0, "\(verdict)")
        }
    }

    @Test("a target behind a slow link is reported with the share that arrives")
    func slowLink() async throws {
        try await withStage { stage in
            let good = try await stage.nginx(record: true)
            let slow = try await stage.nginx()
            let link = try SlowLink(to: slow.port)
            defer { link.close() }
            let port = try FreePort.tcp()
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { rtmp: { listen: "127.0.0.1:\(port)", app: live } } ]
                    # A slow link carries the whole slate, so the source has to stay on air.
                    slate: { after: 20s }
                    groups:
                      - name: raw
                        video: copy
                        audio: copy
                        targets:
                          - { name: slow, url: "rtmp://127.0.0.1:\(link.port)/live/slow" }
                          - { name: good, url: "\(good.url("good"))" }
                """)
            try await eventually("the source to listen") { FreePort.isListening(tcp: port) }
            let publisher = try await stage.publish(Self.busy, to: "rtmp://127.0.0.1:\(port)/live/x")
            try await slow.waitForPublishes(of: "slow")
            try await good.waitForNumbers(30, of: "good")
            let before = try await stage.expect("the target live", of: daemon) { $0.target("slow")?.state == "live" }
            #expect(before.target("slow")?.share == nil)

            link.limit(to: 250_000)
            let starving = try await stage.expect("the problem", of: daemon, within: .seconds(120)) {
                $0.target("slow")?.state == "degraded" && $0.hasProblem("target-slow", "% of the stream reaches it")
            }
            #expect(starving.problems.first { $0.problem == "target-slow" }?.subject == "target slow")
            #expect((starving.target("slow")?.share ?? 1) < 0.99)
            #expect(starving.target("good")?.state == "live" && starving.target("good")?.share == nil)
            try await daemon.logged("level=error", "problem=target-slow", "subject=\"target slow\"")

            link.limit(to: nil)
            try await stage.expect("the problem to be over", of: daemon, within: .seconds(120)) {
                $0.target("slow")?.state == "live" && !$0.hasProblem("target-slow")
            }
            try await daemon.logged("the problem is over", "problem=target-slow", within: .seconds(90))
            #expect(daemon.lines("problem=target-slow", "level=error").count == 1)
            #expect(try await stage.status(of: daemon).target("slow")?.connects == 1)
            await stage.end(publisher)
            try await daemon.terminate()
        }
    }

    @Test("a target that answers late is waited for by one connection")
    func slowAnswer() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            // The kernel accepts connections for the server, which does not answer.
            sink.freeze()
            let daemon = try await stage.streambox(Self.channel("name: a, url: \"\(sink.url("one"))\""))
            try await daemon.logged("msg=started", "target=a")
            try await Task.sleep(for: .seconds(8))
            #expect(try await stage.status(of: daemon).target("a")?.state == "connecting")
            sink.thaw()
            try await stage.expect("the target live", of: daemon) {
                $0.target("a")?.state == "live" && $0.target("a")?.connects == 1
            }
            try await sink.waitForFrames(30, of: "one")
            #expect(daemon.lines("msg=started", "target=a").count == 1 && daemon.lines("target stalled").isEmpty)
            try await daemon.terminate()
            #expect(try await sink.wasPublishedOnceInOrder("one"))
        }
    }

    @Test("a target that is cut off repeatedly is a problem with its cause")
    func cutOff() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx()
            let daemon = try await stage.streambox(Self.channel("name: a, url: \"\(sink.url("one"))\""))
            for count in 1...3 {
                try await stage.expect("connection \(count)", of: daemon) {
                    $0.target("a")?.state == "live" && $0.target("a")?.connects == count
                }
                try await sink.dropPublisher("one")
            }
            try await stage.expect("the problem while it is live", of: daemon) {
                $0.target("a")?.state == "live" && $0.hasProblem("target-down", "3 times in a row")
                    && $0.hasProblem("target-down", "the peer closed the connection")
            }
            try await stage.expect("no problem once it has lasted", of: daemon, within: .seconds(60)) {
                $0.target("a")?.state == "live" && $0.problems.isEmpty
            }
            try await daemon.terminate()
        }
    }

    @Test("a recording on a full disk is a problem, leaves no empty file, and recovers")
    func fullDisk() async throws {
        try await withStage { stage in
            let folder = try stage.folder.makeFolder("small")
            let config = try stage.configuration(Self.channel("name: rec, record: { folder: \(folder)/rec }"))
            try await stage.rememberFirstStart("box")
            let disk = try await PrivateDisk(
                stage, size: "8m", at: folder, config: config, options: "--log-level debug")
            let daemon = disk.daemon
            try await stage.expect("the recording", of: daemon) { $0.target("rec")?.state == "live" }
            try await disk.run("dd if=/dev/zero of=fill bs=1k count=20000 2>/dev/null; [ -s fill ]")
            try await stage.expect("the problem", of: daemon) { $0.hasProblem("target-down", "the disk is full") }
            // Time for some further attempts.
            try await Task.sleep(for: .seconds(4))
            // The file that a running attempt has just created goes with the attempt.
            try await eventually("no empty file") { try await disk.run("find rec -size 0").isEmpty }
            #expect(daemon.lines("cannot run", "target=rec").count <= 1)
            try await disk.run("rm fill")
            try await stage.expect("the recording again", of: daemon, within: .seconds(60)) {
                $0.target("rec")?.state == "live" && !$0.hasProblem("target-down", "has no room")
            }
            try await daemon.terminate()
        }
    }

    /// Whether a test can mount a disk on this machine, and freeze it.
    private static let freezes =
        geteuid() == 0 && access("/dev/loop-control", W_OK) == 0
        && ["fsfreeze", "mkfs.ext4"].allSatisfy { access("/usr/sbin/\($0)", X_OK) == 0 }

    @Test(
        "a hung disk of recordings and state is a problem, and commands still work",
        .enabled(if: Self.freezes, "needs root, /dev/loop-control, fsfreeze and mkfs.ext4"))
    func frozenDisk() async throws {
        try await withStage { stage in
            let image = try stage.folder.write("disk.img", "")
            truncate(image, 64 << 20)
            let disk = try stage.folder.makeFolder("disk")
            _ = try await TestProcess.run("/usr/sbin/mkfs.ext4", ["-q", "-F", image]).success("mkfs.ext4")
            _ = try await TestProcess.run("mount", ["-o", "loop", image, disk]).success("mount")
            let result: Result<Void, any Error>
            do {
                try await Self.endWhileFrozen(stage, disk)
                result = .success(())
            } catch {
                result = .failure(error)
            }
            // In every case: processes that wait for the disk end only then.
            _ = try await TestProcess.run("/usr/sbin/fsfreeze", ["-u", disk])
            _ = try await TestProcess.run("umount", ["-l", disk]).success("umount")
            try result.get()
        }
    }

    private static func endWhileFrozen(_ stage: Stage, _ disk: String) async throws {
        let config = try stage.configuration(
            Self.channel("name: archive, record: { folder: \(disk)/box/recordings, segment: 2s }"))
        // As on a box, the recordings are in the state folder.
        let (usual, state) = (stage.folder.path("state-box"), "\(disk)/box")
        try await stage.rememberFirstStart("box")
        _ = try await TestProcess.run("cp", ["-a", usual, state]).success("cp")
        let text = try stage.folder.text("box.yaml").replacing("state: \(usual)", with: "state: \(state)")
        _ = try stage.folder.write("box.yaml", text, mode: 0o600)
        let daemon = try await stage.start(config)

        try await stage.expect("the recording", of: daemon) { $0.target("archive")?.state == "live" }
        try await eventually("the process that keeps the segments") { daemon.children("recording -- keep").count == 1 }
        _ = try await TestProcess.run("/usr/sbin/fsfreeze", ["-f", disk]).success("fsfreeze")
        let frozen = ContinuousClock.now
        // The target has the problem from this line on.
        let line = try await daemon.logged("the disk accepts no data", "target=archive", within: .seconds(60))
        #expect(line.time - frozen < Limit.seconds(30))
        try await stage.expect("the problem", of: daemon, within: .seconds(60)) {
            $0.hasProblem("target-down", "whose disk does not answer")
        }
        try await daemon.logged("left to the kernel", "target=archive", within: .seconds(60))

        let stop = try await stage.command(["target", "stop", "archive", "--config", config])
        #expect(stop.ending == .exited(0))
        #expect(stop.text.contains("cannot write \(state)/stopped.json, whose disk does not answer"), "\(stop.text)")
        #expect(try await stage.status(of: daemon).hasProblem("state-file", "whose disk does not answer"))
        // The next command does not wait for the first one.
        let start = try await stage.command(["target", "start", "archive", "--config", config])
        #expect(start.text.contains("whose disk does not answer"), "\(start.text)")
        try await daemon.terminate()
    }

    @Test("a target learns the frame rate that it is sent", arguments: [25, 50, 60])
    func announcedRate(rate: Int) async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let key = try stage.folder.write("key", "s3cretkey", mode: 0o600)
            let server = sink.url("x").dropLast(2)
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { test: { size: 320x180, rate: \(rate) } } ]
                    slate: { after: 60s }
                    groups:
                      - name: hd
                        video: { encoder: libx264, bitrate: 400k }
                        targets: [ { name: a, url: "\(server)", key: { file: \(key) } } ]
                      - { name: raw, video: copy, audio: copy, targets: [ { name: b, url: "\(server)/raw" } ] }
                """)
            for name in ["s3cretkey", "raw"] { try await sink.waitForFrames(rate, of: name) }
            // The server's statistics have the announced rates.
            let stat = try await sink.stat()
            let rates = stat.matches(of: /<frame_rate>([0-9.]+)<\/frame_rate>/).compactMap { Double($0.1) }
            #expect(rates == [Double(rate), Double(rate)], "\(stat)")
            try await daemon.terminate()
        }
    }

    @Test("a recording is cut into segments in a new folder, and kept in its limits")
    func recording() async throws {
        try await withStage { stage in
            let folder = stage.folder.path("a/b")
            try stage.folder.makeFolder("a/b")
            // Segments of earlier days, and a file of another recording. The files are sparse and take no space.
            for (name, size) in [
                ("show-20200101-000000.ts", 99_000_000), ("show-20200102-000000.ts", 90_000_000),
                ("other-20200101-000000.ts", 200_000_000),
            ] {
                try stage.folder.write("a/b/\(name)", "")
                truncate("\(folder)/\(name)", size)
            }
            for (index, name) in ["show-20200101-000000.ts", "show-20200102-000000.ts"].enumerated() {
                let time = timespec(tv_sec: 1_577_836_800 + 86_400 * index, tv_nsec: 0)
                utimensat(AT_FDCWD, "\(folder)/\(name)", [time, time], 0)
            }
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { test: { size: 320x180, rate: 30 } } ]
                    # The slate waits: before a late test picture it would shift the keyframes in a segment.
                    slate: { after: 60s }
                    groups:
                      - name: hd
                        video: { bitrate: 500k, keyframe: 1s, rate: 30 }
                        targets:
                          - { name: show, record: { folder: \(folder), segment: 1s, keep: 100M } }
                          - { name: fresh, record: { folder: \(stage.folder.path("c/d")), segment: 1s } }
                """)
            func segments() -> [String] {
                stage.folder.names(in: "a/b").filter { $0.hasPrefix("show-") && !$0.hasPrefix("show-2020") }
            }
            try await eventually("four segments", within: .seconds(40)) { segments().count >= 4 }
            try await eventually("three segments of the other target") { stage.folder.names(in: "c/d").count >= 3 }
            try await eventually("the oldest segment to be deleted") {
                !stage.folder.names(in: "a/b").contains("show-20200101-000000.ts")
            }
            #expect(daemon.children("recording -- keep \(folder) show 100000000").count == 1)
            try await daemon.terminate()
            #expect(stage.folder.names(in: "a/b").contains("show-20200102-000000.ts"))
            #expect(stage.folder.names(in: "a/b").contains("other-20200101-000000.ts"))
            for file in segments().dropLast() {
                let reading = try await FrameReader.read(.url("\(folder)/\(file)"))
                #expect(
                    reading.frames.count == 30 && reading.frames[0].isKey && reading.complaints.isEmpty,
                    "\(file): \(reading.frames.count) \(reading.complaints)")
            }
        }
    }
}
