import Foundation
import LabKit
import TestSupport
import Testing

/// GPU encoders in the running service: chosen, lost and used again, while a target loses nothing.
@Suite(.serialized, .tags(.ffmpeg)) struct HardwareTests: OnHardware {
    @Test("a group moves to the GPU after its trial, and the next start begins there")
    func onAirFirst() async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            let sink = try await stage.nginx(record: true)
            let channels = box(group("hd", sink.url("hd"), ", size: 160x90"))
            let daemon = try await stage.streambox(channels, environment: lab.environment)
            try await stage.expectLive(with: Self.onIntel, of: daemon)
            // The GPU scales the frames.
            #expect(daemon.children("pipe:0").contains { $0.command.contains("scale_vaapi=w=160:h=90") })
            try await sink.waitForFrames(60, of: "hd")
            try await expectWhole(sink, "hd", after: daemon)
            let memory = try String(contentsOfFile: stage.folder.path("state-box/encoders.json"), encoding: .utf8)
            #expect(memory == #"{"hd":"h264_vaapi@0000:00:02.0"}"#)
            let next = try await stage.streambox(
                box(group("hd", sink.url("again"), ", size: 160x90")), environment: lab.environment)
            let status = try await stage.expect("the group live", of: next) {
                $0.groups[0].state == "live" && $0.groups[0].use == Self.onIntel
            }
            // A start waits for the trial only briefly: on a busy machine software encodes first.
            let began = try await next.logged("msg=starting")
            let passed = try await next.logged("passed its trial", Self.onIntel)
            let took = try Daemon.time(of: passed.text).timeIntervalSince(Daemon.time(of: began.text))
            #expect(
                status.groups[0].handovers.isEmpty || took > 0.5,
                "\(status.groups[0].handovers), though the trial passed after \(took) s")
            try await next.terminate()
        }
    }

    @Test("a source of another size gets a new scaling GPU encoder, and no frame is lost")
    func scalesAnotherSize() async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
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
                        video: { bitrate: 600k, size: 160x90, rate: 25 }
                        targets: [ { name: a, url: "\(sink.url("hd"))" } ]
                """, environment: lab.environment)
            try await stage.expectLive(with: Self.onIntel, of: daemon)
            #expect(
                daemon.children("pipe:0").contains {
                    $0.command.contains("scale=320:180") && $0.command.contains("scale_vaapi=w=160:h=90")
                })
            var source = NumberedSource.small
            (source.width, source.height) = (640, 360)
            let publisher = try await stage.publish(source, to: "rtmp://127.0.0.1:\(port)/live/x")
            try await stage.expect("an encoder for the new size", of: daemon) {
                $0.groups[0].handovers["refresh"] == 1 && $0.groups[0].state == "live"
            }
            try await eventually("that encoder alone") {
                daemon.children("pipe:0").filter { $0.command.contains("h264_vaapi") }.map {
                    $0.command.contains("scale=640:360") && $0.command.contains("scale_vaapi=w=160:h=90")
                } == [true]
            }
            try await stage.expect("no frame lost", of: daemon) {
                $0.groups[0].lostFrames == 0 && $0.groups[0].exits.isEmpty
            }
            try await daemon.terminate()
            await stage.end(publisher)
        }
    }

    @Test("a GPU keeps the configured bitrate at any announced frame rate", arguments: [(15, 1000), (4, 100)])
    func announcedRate(rate: Int, announced: Int) async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            let port = try FreePort.udp()
            let bitrate = 40_000 * rate
            let daemon = try await stage.streambox(
                """
                  - name: main
                    slate: { after: 60s }
                    sources: [ { srt: { listen: "127.0.0.1:\(port)" } } ]
                    groups: [ { name: hd, video: { bitrate: \(bitrate / 1000)k }, tap: true } ]
                """, environment: lab.environment)
            let tap = try await stage.tap("hd", of: daemon)
            try await eventually("the source to listen") { FreePort.isBound(udp: port) }
            var source = NumberedSource.small
            (source.rate, source.gop, source.picture, source.announcedRate) = (rate, rate, .busy, announced)
            let publisher = try await stage.srtCaller(source, port: port).program
            try await stage.expect("the GPU in use", of: daemon) { status in
                status.group("hd")?.use == Self.onIntel && status.group("hd")?.state == "live"
            }
            // The first encoder that knows the rate takes over, from software or from another GPU encoder.
            try await eventually("an encoder that knows the rate, alone") {
                daemon.children("pipe:0").map(\.command).filter { $0.contains("h264_vaapi") }
                    .map { $0.contains("fps=\(rate),") || $0.contains("-r \(rate) ") } == [true]
            }
            let frames = { try await MediaProbe.read(.bytes(tap.output.bytes), options: ["-f", "mpegts"]) }
            let before = try await frames()
            let known = before.packets(of: before.video).count
            try await eventually("seven seconds more", within: .seconds(40), every: .milliseconds(500)) {
                let probe = try await frames()
                return probe.packets(of: probe.video).count >= known + 7 * rate
            }
            let probe = try await frames()
            let perSecond = try #require(probe.videoBitrate(ofLast: 5 * rate))
            #expect((Double(bitrate) * 0.6...Double(bitrate) * 1.4).contains(perSecond), "\(perSecond)")
            await stage.end(publisher)
            try await daemon.terminate()
            try await tap.wait()
        }
    }

    @Test("a GPU that hangs at every start does not keep the box off air")
    func deadAtStart() async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            try lab.fail(.start, .hang)
            _ = try stage.folder.makeFolder("state-box")
            _ = try stage.folder.write("state-box/encoders.json", #"{"hd":"h264_vaapi@0000:00:02.0"}"#)
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.streambox(box(group("hd", sink.url("hd"))), environment: lab.environment)
            try await sink.waitForFrames(30, of: "hd")
            let status = try await stage.expect("the group degraded", of: daemon) { $0.groups[0].state == "degraded" }
            #expect(
                status.groups[0].use == "libx264" && status.groups[0].why.contains("hangs")
                    && status.groups[0].handovers.isEmpty)
            #expect(status.groups[0].exits.isEmpty)
            try await expectWhole(sink, "hd", after: daemon)
        }
    }

    @Test(
        "a GPU that fails while encoding costs no frame, and is used again later",
        arguments: [
            (Lab.Call.endPicture, Lab.Fault.busy, "gpu-error"), (.endPicture, .operationFailed, "gpu-error"),
            (.endPicture, .encodingError, "gpu-error"),
            (.syncBuffer, .operationFailed, "gpu-error"), (.mapBuffer, .operationFailed, "gpu-error"),
            (.endPicture, .hang, "stall"),
        ])
    func faults(call: Lab.Call, fault: Lab.Fault, cause: String) async throws {
        try await withGroupOnIntel { stage, lab, sink, daemon in
            try await sink.waitForFrames(30, of: "hd")
            try lab.fail(call, fault)
            let fallen = try await stage.expectSoftware(in: daemon)
            #expect(fallen.groups[0].handovers[cause] == 1 && fallen.gpu(.intel)?.state == "quarantined", "\(fallen)")
            #expect(
                fallen.problems.contains { $0.problem == "gpu-quarantined" }
                    && fallen.problems.contains { $0.problem == "group-degraded" })
            try lab.heal()
            let back = try await stage.expectLive(with: Self.onIntel, of: daemon)
            #expect(
                back.gpu(.intel)?.state == "ready" && back.groups[0].lostFrames == 0 && back.problems.isEmpty,
                "\(back.problems)")
            try await sink.waitForMoreFrames(30, of: "hd")
        }
    }

    @Test("a driver that crashes is retried once, then the next encoder takes over")
    func crash() async throws {
        try await withGroupOnIntel { stage, lab, sink, daemon in
            try lab.fail(.endPicture, .crash, after: 20)
            let fallen = try await stage.expectSoftware(in: daemon)
            #expect(
                fallen.groups[0].exits == [.init(encoder: "h264_vaapi", cause: "crash", count: 2)],
                "\(fallen.groups[0])")
            try await sink.waitForMoreFrames(15, of: "hd")
        }
    }

    @Test("one of two shared GPUs is pulled, and returns under other numbers")
    func pulled() async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            try await lab.plug(.amd)
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.streambox(
                box(group("a", sink.url("a")), group("b", sink.url("b"))), environment: lab.environment)
            try await stage.expect("a GPU for each group", of: daemon) {
                Set($0.groups.map(\.use)) == [Self.onIntel, Self.onAMD] && $0.groups.allSatisfy { $0.state == "live" }
            }
            try await sink.waitForFrames(30, of: "a")
            try await lab.unplug(.intel)
            let alone = try await stage.expect("one GPU for both", of: daemon) {
                $0.groups.allSatisfy { $0.use == Self.onAMD && $0.state == "live" } && $0.gpu(.intel)?.state == "gone"
            }
            #expect(
                alone.groups.compactMap { $0.handovers["gpu-lost"] } == [1]
                    && alone.problems.map(\.problem) == ["gpu-gone"], "\(alone)")
            try await lab.plug(.intel.renumbered(131))
            let both = try await stage.expect("both GPUs again", of: daemon) {
                Set($0.groups.map(\.use)) == [Self.onIntel, Self.onAMD] && $0.gpu(.intel)?.state == "ready"
            }
            #expect(both.gpu(.intel)?.node == "/dev/dri/renderD131" && both.groups.allSatisfy { $0.lostFrames == 0 })
            #expect(daemon.children("pipe:0").contains { $0.command.contains("/dev/dri/renderD131") })
            try await sink.waitForMoreFrames(30, of: "a")
            try await expectWhole(sink, "a", "b", after: daemon)
        }
    }

    @Test("a group uses only the GPU that it names, and plan and status say why")
    func pinned() async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            try await lab.plug(.amd)
            let sink = try await stage.nginx(record: true)
            let channels = box(
                group("a", sink.url("a")), group("b", sink.url("b"), ", encoder: \"\(Self.onAMD)\""),
                group("c", sink.url("c"), ", encoder: [h264_nvenc, libx264]"))
            let plan = try await stage.command(
                ["plan", try stage.configuration(channels, name: "planned")], environment: lab.environment
            ).text
            let reasons = [
                "a": "\(Self.onIntel): the best that works here", "b": "\(Self.onAMD): asked for",
                "c": """
                libx264: the first asked for that works here (h264_nvenc: no such device here; it needs an \
                NVIDIA GPU
                """,
            ]
            for reason in reasons.values { #expect(plan.contains(reason), "\(plan)") }
            let daemon = try await stage.streambox(channels, environment: lab.environment)
            let status = try await stage.expect("a GPU for each group that may have one", of: daemon) {
                $0.groups.map(\.use) == [Self.onIntel, Self.onAMD, "libx264"]
                    && $0.groups.map(\.state) == ["live", "live", "degraded"]
            }
            for group in status.groups { #expect(group.why.hasPrefix(reasons[group.name] ?? "nothing"), "\(group)") }
            for name in ["a", "b"] { try await sink.waitForFrames(15, of: name) }
            try await lab.unplug(.amd)
            let alone = try await stage.expect("software for the group whose GPU is gone", of: daemon) {
                $0.groups.map(\.use) == [Self.onIntel, "libx264", "libx264"] && $0.groups[1].state == "degraded"
                    // The driver may report an error before udev reports that the GPU is gone.
                    && $0.groups[1].why.contains("its GPU is gone")
            }
            #expect(alone.groups[0].handovers["gpu-lost"] == nil, "\(alone)")
            try await lab.plug(.amd)
            try await stage.expect("its GPU again", of: daemon) {
                $0.groups[1].use == Self.onAMD && $0.groups.allSatisfy { $0.lostFrames == 0 }
            }
            try await expectWhole(sink, "a", "b", "c", after: daemon)
        }
    }

    @Test("a GPU that the kernel has declared dead is left before it fails")
    func wedged() async throws {
        try await withGroupOnIntel { stage, lab, sink, daemon in
            try await sink.waitForFrames(30, of: "hd")
            // New encoders fail to start on the GPU. The running one may continue for a while.
            try lab.fail(.start, .operationFailed)
            try await lab.wedge(.intel)
            let fallen = try await stage.expectSoftware(in: daemon)
            #expect(fallen.groups[0].handovers["gpu-error"] == 1 && fallen.gpu(.intel)?.state == "quarantined")
            try await sink.waitForMoreFrames(15, of: "hd")
        }
    }

    @Test("a GPU that its driver has reset stays in use")
    func reset() async throws {
        try await withGroupOnIntel { stage, lab, sink, daemon in
            try await lab.wedge(.intel, recovery: "none")
            try await daemon.logged("the kernel has reset a GPU")
            let status = try await stage.status(of: daemon)
            #expect(
                status.groups[0].use == Self.onIntel && status.gpu(.intel)?.state == "ready" && status.problems.isEmpty,
                "\(status)")
        }
    }

    @Test("two of three groups get a session, and the third uses software until one is free")
    func sessions() async throws {
        try await withLab { stage, lab in
            try await lab.plug(.nvidia)
            try lab.limitNVIDIA("sessions", 2)
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.streambox(
                box(group("a", sink.url("a")), group("b", sink.url("b")), group("c", sink.url("c"))),
                environment: lab.nvidiaEnvironment)
            try await stage.expect("two sessions in use", of: daemon) {
                $0.groups.map(\.use).sorted() == [Self.onNVIDIA, Self.onNVIDIA, "libx264"]
                    && $0.groups.filter { $0.state == "live" }.count == 2
                    && $0.groups.contains { $0.state == "degraded" && $0.why.contains("session") }
            }
            try await sink.waitForFrames(30, of: "c")
            try lab.limitNVIDIA("sessions", 3)
            try lab.heal()
            try await stage.expect("three sessions in use", of: daemon, within: .seconds(90)) {
                $0.groups.allSatisfy { $0.use == Self.onNVIDIA && $0.state == "live" && $0.lostFrames == 0 }
            }
            try await expectWhole(sink, "a", "b", "c", after: daemon)
        }
    }

    @Test(
        "an NVIDIA GPU that fails while encoding costs no frame",
        arguments: [
            (Lab.NVIDIACall.encodePicture, Lab.Fault.code(20), "gpu-error"), (.lockBitstream, .code(20), "gpu-error"),
            (.cuCtxPushCurrent, .code(719), "gpu-error"), (.encodePicture, .hang, "stall"),
        ])
    func nvidiaFaults(call: Lab.NVIDIACall, fault: Lab.Fault, cause: String) async throws {
        try await withLab { stage, lab in
            try await lab.plug(.nvidia)
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.streambox(box(group("hd", sink.url("hd"))), environment: lab.nvidiaEnvironment)
            try await stage.expectLive(with: Self.onNVIDIA, of: daemon)
            try await sink.waitForFrames(30, of: "hd")
            try lab.fail(call, fault)
            let fallen = try await stage.expectSoftware(in: daemon)
            #expect(fallen.groups[0].handovers[cause] == 1 && fallen.gpu(.nvidia)?.state == "quarantined", "\(fallen)")
            try lab.heal()
            try await stage.expectLive(with: Self.onNVIDIA, of: daemon)
            try await sink.waitForMoreFrames(15, of: "hd")
            try await expectWhole(sink, "hd", after: daemon)
        }
    }

    @Test("a missing encoder is reported with a fix, and software is used where allowed")
    func notThere() async throws {
        try await withLab { stage, lab in
            let sink = try await stage.nginx(record: true)
            let channels = box(group("hd", sink.url("hd"), ", encoder: h264_vaapi"))
            let checked = try await stage.command(
                ["check", try stage.configuration(channels, name: "checked")], environment: lab.environment)
            #expect(
                checked.ending == .exited(0) && checked.text.contains("h264_vaapi")
                    && checked.text.contains("intel-media-va-driver"), "\(checked.text)")
            let daemon = try await stage.streambox(channels, environment: lab.environment)
            let status = try await stage.expectSoftware(in: daemon)
            #expect(
                status.problems.contains { $0.problem == "group-degraded" && $0.sentence.contains("mesa-va-drivers") },
                "\(status.problems)")
            try await sink.waitForFrames(15, of: "hd")
            try await daemon.terminate()
            let none = try await stage.streambox(
                channels, name: "none", more: "encoders: { order: [vaapi] }\n", environment: lab.environment)
            let refused = try await stage.expect("a group without an encoder", of: none) {
                $0.problems.contains { $0.problem == "no-encoder" }
            }
            #expect(refused.groups[0].state == "stalled" && refused.groups[0].encoder == "none")
            // A GPU is used as soon as there is one.
            try await lab.plug(.intel)
            try await stage.expectLive(with: Self.onIntel, of: none)
            try await none.terminate()
        }
    }
}
