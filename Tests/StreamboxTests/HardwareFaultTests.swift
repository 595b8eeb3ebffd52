import Foundation
import LabKit
import TestSupport
import Testing

/// Faults of hardware, at the start and while it encodes: a target loses nothing.
@Suite(.serialized, .tags(.ffmpeg)) struct HardwareFaultTests: OnHardware {
    @Test("a GPU that fails for three groups counts once, and all return within seconds")
    func failsForAll() async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            let sink = try await stage.nginx(record: true)
            let names = ["a", "b", "c"]
            let groups = names.map { group($0, sink.url($0)) }.joined(separator: ", ")
            let daemon = try await stage.streambox(box(groups), environment: lab.environment)
            try await stage.expect("the GPU in use", of: daemon) {
                $0.groups.allSatisfy { $0.use == Self.onIntel && $0.state == "live" }
            }
            for name in names { try await sink.waitForFrames(15, of: name) }
            try lab.fail(.endPicture, .operationFailed)
            try await stage.expect("software in its place", of: daemon) {
                $0.groups.allSatisfy { $0.use == "libx264" && $0.state == "degraded" }
            }
            try lab.heal()
            // Each retry that fails because the machine is busy makes the pause before the next one longer.
            try await stage.expect("the GPU again", of: daemon, within: .seconds(180)) {
                $0.groups.allSatisfy { $0.use == Self.onIntel && $0.state == "live" && $0.lostFrames == 0 }
            }
            try await expectWhole(sink, "a", "b", "c", after: daemon)
        }
    }

    @Test("when a GPU's scaler fails, the CPU scales and the GPU still encodes")
    func scalerFails() async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.streambox(
                box(group("hd", sink.url("hd"), ", size: 160x90")), environment: lab.environment)
            try await stage.expectLive(with: Self.onIntel, of: daemon)
            #expect(daemon.children("pipe:0").contains { $0.command.contains("scale_vaapi") })
            try await sink.waitForFrames(30, of: "hd")
            try lab.fail(.scale, .operationFailed)
            let status = try await stage.expect("the GPU again", of: daemon) {
                $0.groups[0].use == Self.onIntel && $0.groups[0].state == "live"
                    && $0.groups[0].handovers["gpu-error"] == 1
            }
            #expect(
                status.groups[0].exits == [.init(encoder: "h264_vaapi", cause: "gpu-error", count: 1)]
                    && status.groups[0].lostFrames == 0)
            #expect(!daemon.children("pipe:0").contains { $0.command.contains("scale_vaapi") })
            try await sink.waitForMoreFrames(15, of: "hd")
            try await expectWhole(sink, "hd", after: daemon)
        }
    }

    @Test("a takeover encoder that fails after the old one was cut off costs no frame")
    func failsLate() async throws {
        try await withStage { stage in
            // The next encoder waits until it is far too late to take over, even on a busy machine, and exits.
            let fault = stage.folder.path("fault")
            let ffmpeg = try await stage.ffmpegWrapper(
                """
                case "$*" in *pipe:0*libx264*)
                    if rm \(fault) 2>/dev/null; then
                        sleep 3
                        echo "OpenEncodeSessionEx failed: out of memory (10)" >&2
                        exit 1
                    fi ;;
                esac
                exec "$real" "$@"
                """)
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.streambox(box(group("hd", sink.url("hd"))), more: "ffmpeg: \(ffmpeg)\n")
            try await stage.expect("the group live", of: daemon) { $0.groups[0].state == "live" }
            try await sink.waitForFrames(15, of: "hd")
            for round in 1...2 {
                let position = daemon.position
                _ = try stage.folder.write("fault", "")
                let handover = try await stage.command(["handover", "hd", "--config", daemon.config])
                #expect(handover.ending == .exited(1))
                try await daemon.logged("the next encoder did not take over", from: position)
                try await stage.expect("another encoder in its place", of: daemon) {
                    $0.groups[0].state == "live" && $0.groups[0].handovers["exit"] == round
                        && $0.groups[0].lostFrames == 0
                }
            }
            try await expectWhole(sink, "hd", after: daemon)
        }
    }

    @Test("a takeover encoder of raw frames that fails after the cut costs no frame")
    func failsLateForFrames() async throws {
        try await withLab { stage, lab in
            try lab.fail(.start, .sleep(milliseconds: 500))
            let sink = try await stage.nginx(record: true)
            // The file lasts as long as the rest of the test may take.
            let file = try await stage.file("numbers.ts") { $0.duration = Limit.seconds(90) }
            let fifo = stage.folder.path("frames")
            let daemon = try await stage.daemon(
                lab,
                """
                  - name: main
                    sources: [ { raw: { path: \(fifo), size: 320x180, rate: 30, pixels: bgra } } ]
                    slate: { after: 60s }
                    groups:
                      - name: hd
                        video: { encoder: libx264, bitrate: 1M, keyframe: 1s }
                        targets: [ { name: a, url: "\(sink.url("one"))" } ]
                """)
            try await eventually("the FIFO") { FileManager.default.fileExists(atPath: fifo) }
            let writer = try await stage.program(
                "ffmpeg",
                [
                    "-v", "error", "-nostdin", "-y", "-re", "-i", file, "-map", "0:v", "-f", "rawvideo", "-pix_fmt",
                    "bgra", fifo,
                ])
            // Plugged in only now: a GPU that passes its trial before the first frame has no encoder to take over from.
            try await daemon.logged("\"on air\"", "source=raw-0")
            try await lab.plug(.intel)
            try await daemon.logged("passed its trial", Self.onIntel)
            // The next encoder is starting now. It opens the GPU at its first frame, which takes a while and fails.
            try lab.fail(.createConfig, .sleep(milliseconds: 300))
            try lab.fail(.createContext, .busy)
            let position = daemon.position
            try await daemon.logged("the next encoder did not take over", "source=raw-0")
            try lab.heal()
            try await daemon.logged("handed over", "source=raw-0", Self.onIntel, from: position)
            try await sink.waitForMoreFrames(20, of: "one")
            // On a busy machine frames of the slate, without numbers, come first.
            let numbers = try await sink.reading(of: "one").frames.map(\.number).drop { $0 == nil }
            #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 != nil && $1 == $0! + 1 }, "\(numbers)")
            await stage.end(writer)
            try await daemon.terminate()
        }
    }

    @Test("a GPU slower than real time is replaced by software without a lost frame")
    func slow() async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.streambox(box(group("hd", sink.url("hd"))), environment: lab.environment)
            try await stage.expectLive(with: Self.onIntel, of: daemon)
            try await sink.waitForFrames(15, of: "hd")
            // The GPU encodes half as many frames per second as the source delivers.
            try lab.fail(.endPicture, .sleep(milliseconds: 66))
            let fallen = try await stage.expectSoftware(in: daemon)
            #expect(
                fallen.groups[0].why.contains("is slower than real time") && fallen.gpu(.intel)?.state == "ready",
                "\(fallen)")
            #expect(fallen.groups[0].handovers["stall"] == 1, "\(fallen)")
            try lab.heal()
            try await stage.expect("the GPU again", of: daemon, within: .seconds(60)) {
                $0.groups[0].use == Self.onIntel && $0.groups[0].state == "live" && $0.groups[0].lostFrames == 0
            }
            try await expectWhole(sink, "hd", after: daemon)
        }
    }

    @Test("a video device whose driver hangs blocks no GPU")
    func videoHangs() async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            try await lab.load("encoder.umockdev")
            try await lab.tell("video", "/dev/video11", "hung")
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.streambox(box(group("hd", sink.url("hd"))), environment: lab.environment)
            try await stage.expectLive(with: Self.onIntel, of: daemon)
            try await sink.waitForFrames(15, of: "hd")
            try await lab.unplug(.intel)
            try await stage.expect("software in its place", of: daemon) {
                $0.groups[0].use == "libx264" && $0.groups[0].state == "degraded" && $0.gpu(.intel)?.state == "gone"
            }
            try await lab.plug(.intel)
            try await stage.expect("the GPU again", of: daemon, within: .seconds(60)) {
                $0.groups[0].use == Self.onIntel && $0.groups[0].state == "live" && $0.groups[0].lostFrames == 0
            }
            try await expectWhole(sink, "hd", after: daemon)
        }
    }

    @Test("a GPU without permission names the group to join, and is used once permitted")
    func permission() async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            try await lab.restrict(.intel, to: "video")
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.daemon(lab, box(group("hd", sink.url("hd"))), boundByPermissions: true)
            try await daemon.logged("msg=started", "source=")
            let refused = try await stage.expectSoftware(in: daemon)
            let sentence = "/dev/dri/renderD128: this user may not open it; add it to the group video"
            #expect(
                refused.problems.contains { $0.problem == "gpu-permission" && $0.sentence == sentence },
                "\(refused.problems)")
            #expect(refused.groups[0].why.contains(sentence) && refused.groups[0].exits.isEmpty)
            try await sink.waitForFrames(15, of: "hd")
            try await lab.permit(.intel)
            let status = try await stage.expectLive(with: Self.onIntel, of: daemon)
            #expect(status.problems.isEmpty && status.groups[0].lostFrames == 0)
            // Once the permission is gone, no new encoder starts on the GPU.
            try await lab.restrict(.intel, to: "video")
            _ = try await stage.command(["handover", "hd", "--config", daemon.config])
            let again = try await stage.expect("software again", of: daemon) {
                $0.groups[0].use == "libx264" && $0.groups[0].state == "degraded"
                    && $0.problems.contains { $0.problem == "gpu-permission" }
            }
            #expect(again.groups[0].lostFrames == 0)
            try await sink.waitForMoreFrames(15, of: "hd")
            try await expectWhole(sink, "hd", after: daemon)
        }
    }

    @Test("a removed driver is reported with its package, and used again once back")
    func driverMissing() async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            let drivers = try stage.folder.makeFolder("drivers")
            let library = "\(drivers)/lab_drv_video.so"
            let original = try #require(lab.environment["LIBVA_DRIVERS_PATH"] ?? nil) + "/lab_drv_video.so"
            try FileManager.default.copyItem(atPath: original, toPath: library)
            let sink = try await stage.nginx(record: true)
            let environment = lab.environment.merging(["LIBVA_DRIVERS_PATH": drivers]) { $1 }
            let daemon = try await stage.streambox(box(group("hd", sink.url("hd"))), environment: environment)
            try await stage.expectLive(with: Self.onIntel, of: daemon)
            try await sink.waitForFrames(15, of: "hd")
            try FileManager.default.removeItem(atPath: library)
            // The running encoder continues. The next process finds no driver.
            _ = try await stage.command(["handover", "hd", "--config", daemon.config])
            let fallen = try await stage.expectSoftware(in: daemon)
            #expect(
                fallen.groups[0].why.contains("install intel-media-va-driver")
                    && fallen.gpu(.intel)?.state == "quarantined", "\(fallen)")
            try FileManager.default.copyItem(atPath: original, toPath: library)
            let status = try await stage.expectLive(with: Self.onIntel, of: daemon, within: .seconds(60))
            #expect(status.problems.isEmpty && status.groups[0].lostFrames == 0)
            try await expectWhole(sink, "hd", after: daemon)
        }
    }

    @Test("an encoder that a reload overloads is replaced, and stays usable for less")
    func tooLarge() async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            try lab.limit("width", 400)
            let sink = try await stage.nginx(record: true)
            let channels = { (bitrate: Int, profile: String) in
                """
                  - name: main
                    sources: [ { test: { size: 320x180, rate: 30 } } ]
                    groups:
                      - name: hd
                        video: { bitrate: \(bitrate)k, keyframe: 1s, profile: \(profile) }
                        targets: [ { name: t, url: "\(sink.url("hd"))" } ]
                """
            }
            let daemon = try await stage.streambox(channels(400, "high"), environment: lab.environment)
            try await stage.expectLive(with: Self.onIntel, of: daemon)
            try await sink.waitForFrames(15, of: "hd")
            // The service trusts an encoder that worked with more until it refuses.
            try lab.heal()
            try lab.limit("width", 64)
            _ = try stage.configuration(channels(500, "main"))
            daemon.program.send(SIGHUP)
            let fallen = try await stage.expectSoftware(in: daemon)
            #expect(
                fallen.groups[0].why.contains("cannot encode frames of this size")
                    && fallen.gpu(.intel)?.state == "ready", "\(fallen)")
            try lab.heal()
            _ = try stage.configuration(channels(300, "main"))
            daemon.program.send(SIGHUP)
            let status = try await stage.expectLive(with: Self.onIntel, of: daemon)
            #expect(status.groups[0].lostFrames == 0)
            try await expectWhole(sink, "hd", after: daemon)
        }
    }

    @Test("an NVIDIA GPU without DRM nodes is lost when pulled, and used once back")
    func pulledNVIDIA() async throws {
        try await withLab { stage, lab in
            try await lab.plug(.nvidia)
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.streambox(box(group("hd", sink.url("hd"))), environment: lab.nvidiaEnvironment)
            try await stage.expectLive(with: Self.onNVIDIA, of: daemon)
            try await sink.waitForFrames(15, of: "hd")
            try lab.limitNVIDIA("devices", 0)
            try await lab.unplug(.nvidia)
            let gone = try await stage.expectSoftware(in: daemon)
            #expect(gone.gpus.map(\.state) == ["gone"] && gone.groups[0].handovers["gpu-lost"] == 1, "\(gone)")
            #expect(gone.problems.contains { $0.problem == "gpu-gone" })
            try lab.heal()
            try await lab.plug(.nvidia)
            let status = try await stage.expectLive(with: Self.onNVIDIA, of: daemon)
            #expect(status.gpus.map(\.state) == ["ready"] && status.groups[0].lostFrames == 0, "\(status)")
            try await expectWhole(sink, "hd", after: daemon)
        }
    }
}
