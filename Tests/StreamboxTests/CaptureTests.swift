import Foundation
import LabKit
import TestSupport
import Testing

/// Capture cards that are plugged in, unplugged, frozen and swapped, with the real V4L2 of FFmpeg.
@Suite(.serialized, .tags(.ffmpeg)) struct CaptureTests: OnHardware {
    @Test("a card goes on air when plugged in, also again in another port")
    func plugging() async throws {
        try await withLab { stage, lab in
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.daemon(lab, stage.card("serial: SN0001", to: sink.url("one")))
            try await stage.expect("the slate, and the card absent", of: daemon) {
                $0.source("capture-0")?.state == "absent" && $0.source("slate")?.isOnAir == true
                    && $0.hasProblem("source-absent", "no card with the serial SN0001 is there; none is plugged in")
            }
            let first = LabCamera()
            try await lab.plug(first)
            try await daemon.logged("\"on air\"", "source=capture-0")
            try await stage.expect("the card live", of: daemon) {
                $0.source("capture-0")?.state == "live" && $0.source("capture-0")?.isOnAir == true
            }
            try await sink.waitForMoreFrames(60, of: "one")
            var position = daemon.position
            try await lab.unplug(first)
            try await daemon.logged("\"on air\"", "source=slate", from: position)
            // The sentence stays after the reader has ended.
            try await eventually("the reader's end") { daemon.children("v4l2").isEmpty }
            try await stage.expect("the card absent", of: daemon) {
                $0.source("capture-0")?.state == "absent"
                    && $0.hasProblem("source-absent", "no card with the serial SN0001 is there; none is plugged in")
            }
            position = daemon.position
            try await lab.plug(LabCamera(port: "1-4", number: 3))
            try await daemon.logged("\"on air\"", "source=capture-0", from: position)
            try await eventually("its reader") { daemon.children("/dev/video3").count == 1 }
            try await sink.waitForMoreFrames(30, of: "one")
            try await daemon.terminate()
            #expect(try await sink.wasPublishedOnceInOrder("one"))
            #expect(try await MediaProbe.read(.url(sink.recording(of: "one"))).backwards.isEmpty)
        }
    }

    @Test("a card that freezes silently is reopened, and the slate is on air meanwhile")
    func freezing() async throws {
        try await withLab { stage, lab in
            let camera = LabCamera()
            try await lab.plug(camera)
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.daemon(lab, stage.card("any: true", to: sink.url("one")))
            try await daemon.logged("\"on air\"", "source=capture-0")
            try await sink.waitForFrames(45, of: "one")
            let position = daemon.position
            try await lab.freeze(camera)
            try await daemon.logged("silent: no frame", from: position)
            try await daemon.logged("\"on air\"", "source=slate", from: position)
            try await lab.freeze(camera, false)
            try await daemon.logged("\"on air\"", "source=capture-0", from: position)
            try await daemon.terminate()
            #expect(try await sink.wasPublishedOnceInOrder("one"))
        }
    }

    /// A fault of the encoder that encodes a card's frames.
    enum Fault: String, CaseIterable { case error, hang, unplugged, killed }

    @Test("a failing encoder of a card loses no frame, and the GPU is used again later", arguments: Fault.allCases)
    func encoders(fault: Fault) async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            try await lab.plug(LabCamera())
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.daemon(lab, stage.card("any: true", to: sink.url("one"), slate: "600s"))
            try await daemon.logged("\"on air\"", "source=capture-0")
            let slates = daemon.lines("\"on air\"", "source=slate").count
            // The encoder before the GPU has ended then.
            try await eventually("the GPU alone encodes") {
                daemon.encodesFrames("h264_vaapi") && !daemon.encodesFrames("libx264")
            }
            try await sink.waitForMoreFrames(45, of: "one")
            let reader = try #require(daemon.children("v4l2").first).pid
            var position = daemon.position
            switch fault {
            case .error: try lab.fail(.endPicture, .operationFailed)
            case .hang: try lab.fail(.endPicture, .hang)
            case .unplugged: try await lab.unplug(.intel)
            case .killed: kill(try #require(daemon.children("-f ivf").first).pid, SIGKILL)
            }
            try await daemon.logged("handed over", "source=capture-0", from: position)
            if fault != .killed {
                #expect(daemon.encodesFrames("libx264"))
                try await sink.waitForMoreFrames(15, of: "one")
                position = daemon.position
                if fault == .unplugged { try await lab.plug(.intel) } else { try lab.heal() }
                try await daemon.logged(
                    "handed over", "source=capture-0", "cause=fail-back", from: position, within: .seconds(60))
                #expect(daemon.encodesFrames("h264_vaapi"))
            }
            try await sink.waitForMoreFrames(30, of: "one")
            #expect(daemon.children("v4l2").map(\.pid) == [reader], "the card stays open")
            #expect(daemon.lines("are lost").isEmpty && daemon.lines("silent: no frame").isEmpty)
            #expect(daemon.lines("\"on air\"", "source=slate").count == slates)
            try await expectWhole(sink, "one", after: daemon)
        }
    }

    @Test("two cards without serials keep their ports when their numbers are swapped")
    func ports() async throws {
        try await withLab { stage, lab in
            let left = LabCamera(serial: nil, port: "1-2", number: 0)
            let right = LabCamera(serial: nil, port: "1-3", number: 1)
            try await lab.plug(left)
            try await lab.plug(right)
            let channels =
                """
                  - name: left
                    sources: [ { capture: { path: "\(left.path)" } } ]
                    groups: [ { name: l, video: copy, audio: copy } ]
                  - name: right
                    sources: [ { capture: { path: "pci-0000:00:14.0-usb-0:3" } } ]
                    groups: [ { name: r, video: copy, audio: copy } ]
                """
            let daemon = try await stage.daemon(lab, channels)
            try await daemon.logged("\"on air\"", "channel=left", "source=capture-0")
            try await daemon.logged("\"on air\"", "channel=right", "source=capture-0")
            try await lab.unplug(left)
            try await lab.unplug(right)
            try await stage.expect("both absent", of: daemon) {
                $0.channels.allSatisfy { $0.sources[0].state == "absent" }
            }
            let position = daemon.position
            var (newLeft, newRight) = (left, right)
            (newLeft.number, newRight.number) = (5, 4)
            try await lab.plug(newRight)
            try await lab.plug(newLeft)
            try await daemon.logged("\"on air\"", "channel=left", "source=capture-0", from: position)
            try await daemon.logged("\"on air\"", "channel=right", "source=capture-0", from: position)
            try await eventually("the readers of both") {
                let commands = daemon.children("v4l2").map(\.command)
                return ["/dev/video5", "/dev/video4"].allSatisfy { node in commands.contains { $0.contains(node) } }
            }
            try await daemon.terminate()
        }
    }

    @Test("a card that stays silent when reopened goes on air after a USB port reset")
    func reset() async throws {
        try await withLab { stage, lab in
            let camera = LabCamera()
            try await lab.plug(camera)
            let sink = try await stage.nginx(record: true)
            // The slate waits long: `after` does not limit how long a card may be frozen.
            let daemon = try await stage.daemon(lab, stage.card("any: true", to: sink.url("one"), slate: "600s"))
            try await daemon.logged("\"on air\"", "source=capture-0")
            let (position, slates) = (daemon.position, daemon.lines("\"on air\"", "source=slate").count)
            try await lab.freeze(camera)
            try await daemon.logged("silent: no frame", from: position)
            try await eventually("the problem in words") {
                // A reset may have repaired the card before the problem is seen.
                try await lab.freeze(camera)
                return try await stage.status(of: daemon).hasProblem("source-failed", "delivers no frames")
            }
            try await daemon.logged("its USB port was reset", "usb=\(camera.usbNode)", from: position)
            try await daemon.logged("delivers", "source=capture-0", from: position, within: .seconds(60))
            try await stage.expect("no problem any more", of: daemon, within: .seconds(60)) {
                $0.problems.isEmpty && $0.source("capture-0")?.state == "live"
            }
            try await daemon.terminate()
            #expect(daemon.lines("\"on air\"", "source=slate").count == slates)
        }
    }

    @Test("a card that another program uses is reported, and goes on air once free")
    func busy() async throws {
        try await withLab { stage, lab in
            let camera = LabCamera()
            try await lab.plug(camera)
            try await lab.occupy(camera)
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.daemon(lab, stage.card("any: true", to: sink.url("one")))
            try await stage.expect("the other program", of: daemon) {
                $0.hasProblem("source-failed", "another program")
            }
            try await daemon.logged("\"on air\"", "source=slate")
            try await lab.occupy(camera, false)
            try await daemon.logged("\"on air\"", "source=capture-0")
            try await stage.expect("no problem any more", of: daemon) { $0.problems.isEmpty }
            try await daemon.terminate()
        }
    }

    @Test("a card without permission names the group to join, and is used once permitted")
    func permission() async throws {
        try await withLab { stage, lab in
            let camera = LabCamera()
            try await lab.plug(camera)
            try await lab.restrict(camera.node, to: "video")
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.daemon(
                lab, stage.card("any: true", to: sink.url("one")), boundByPermissions: true)
            try await stage.expect("the group", of: daemon) {
                $0.hasProblem("source-failed", "/dev/video0: this user may not open it; add it to the group video")
            }
            try await lab.restrict(camera.node, to: "root")
            try await daemon.logged("\"on air\"", "source=capture-0")
            try await stage.expect("no problem any more", of: daemon) { $0.problems.isEmpty }
            try await daemon.terminate()
        }
    }

    @Test("a card whose driver hangs is reported and hides no other card")
    func hung() async throws {
        try await withLab { stage, lab in
            let hung = LabCamera(serial: "SN0002", port: "1-3", number: 1)
            let good = LabCamera()
            let late = LabCamera(serial: "SN0003", port: "1-4", number: 2)
            try await lab.plugHung(hung)
            try await lab.plug(good)
            let channels = [1, 2, 3].map { number in
                """
                  - name: of-\(number)
                    sources: [ { capture: { serial: SN000\(number) } } ]
                    groups: [ { name: g-\(number), video: copy, audio: copy } ]
                """
            }.joined(separator: "\n")
            let daemon = try await stage.daemon(lab, channels)
            try await daemon.logged("\"on air\"", "channel=of-1", "source=capture-0")
            try await stage.expect("the card that hangs, in words", of: daemon) {
                $0.hasProblem("source-failed", "/dev/video1 does not answer: its driver hangs; pull the card")
            }
            try await daemon.logged("a capture card cannot be used", "serial=SN0002")
            try await lab.plug(late)
            try await daemon.logged("\"on air\"", "channel=of-3", "source=capture-0")
            #expect(
                daemon.lines("a capture card cannot be used").count == 1 && daemon.lines("udev does not answer").isEmpty
            )
            let probe = try await stage.command(["probe", "--no-trial"], environment: lab.environment).text
            for words in ["/dev/video0", "/dev/video2", "! /dev/video1 does not answer"] {
                #expect(probe.contains(words), "\(probe)")
            }
            let position = daemon.position
            try await lab.unplugHung(hung)
            var again = hung
            again.number = 3
            try await lab.plug(again)
            try await daemon.logged("\"on air\"", "channel=of-2", "source=capture-0", from: position)
            #expect(daemon.lines("\"off air\"", "channel=of-1", "source=capture-0").isEmpty)
            try await daemon.terminate()
        }
    }

    @Test("another device in place of the card is reported, also when it changes")
    func others() async throws {
        try await withLab { stage, lab in
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.daemon(lab, stage.card("serial: SN0002", to: sink.url("one")))
            try await stage.expect("no card", of: daemon) {
                $0.hasProblem("source-absent", "no card with the serial SN0002 is there; none is plugged in")
            }
            let other = LabCamera()
            try await lab.plug(other)
            try await stage.expect("the other card", of: daemon) {
                $0.hasProblem("source-absent", "plugged in: Cam Link 4K at \(other.path) (serial SN0001)")
            }
            try await lab.unplug(other)
            try await stage.expect("no card again", of: daemon) { $0.hasProblem("source-absent", "none is plugged in") }
            try await daemon.terminate()
        }
    }

    @Test("a card that is plugged and unplugged five times in a second ends on air once")
    func burst() async throws {
        try await withLab { stage, lab in
            let camera = LabCamera()
            try await lab.plug(camera)
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.daemon(lab, stage.card("serial: SN0001", to: sink.url("one")))
            try await daemon.logged("\"on air\"", "source=capture-0")
            try await sink.waitForFrames(30, of: "one")
            for _ in 1...5 {
                try await lab.unplug(camera)
                try await lab.plug(camera)
            }
            let position = daemon.position
            func isOnAir(_ status: StatusReport) -> Bool {
                status.source("capture-0")?.state == "live" && status.source("capture-0")?.isOnAir == true
            }
            // On a busy machine the limit for a reader's first frame grows, up to half a minute.
            try await stage.expect("the card live", of: daemon, within: .seconds(120), isOnAir)
            try await sink.waitForMoreFrames(60, of: "one")
            // A busy service may have noticed the unplugging only now.
            try await stage.expect("the card live in the end", of: daemon, isOnAir)
            try await eventually("one reader") { daemon.children("v4l2").count == 1 }
            #expect(daemon.lines("outlived").isEmpty && position > 0)
            try await daemon.terminate()
            #expect(try await sink.wasPublishedOnceInOrder("one"))
        }
    }
}
