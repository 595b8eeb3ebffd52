import Foundation
import Lab
import TestSupport
import Testing

/// Capture cards that are plugged, pulled, frozen and swapped, with the real V4L2 of FFmpeg.
@Suite(.serialized) struct CaptureTests {
    private func box(_ source: String, _ url: String) -> String {
        """
          - name: main
            sources: [ { capture: { \(source) } } ]
            slate: { after: 1s }
            mezzanine: { bitrate: 1M }
            groups: [ { name: hd, video: { encoder: libx264, size: 320x180, rate: 30, bitrate: 400k, keyframe: 1s }, targets: [ { name: a, url: "\(url)" } ] } ]
        """
    }

    private struct Status: Decodable {
        struct Channel: Decodable { var sources: [Source] }
        struct Source: Decodable {
            var id: String
            var state: String
            var isOnAir: Bool
            var trouble: String?
        }
        struct Problem: Decodable {
            var problem: String
            var sentence: String
        }
        var channels: [Channel]
        var problems: [Problem]
        func source(_ id: String) -> Source? { channels.flatMap(\.sources).first { $0.id == id } }
    }

    private func expect(_ what: String, _ stage: Stage, _ daemon: Daemon, line: Int = #line, _ isSo: (Status) -> Bool) async throws {
        var last: Status?
        do {
            try await eventually(what, within: .seconds(40), every: .milliseconds(200), line: line) {
                let done = try await stage.command(["status", "--json", "--config", daemon.config])
                // The service may not be there yet.
                guard done.ending == .exited(0) else { return false }
                last = try JSONDecoder().decode(Status.self, from: Data(done.output))
                return last.map(isSo) ?? false
            }
        } catch {
            throw Failed("\(error); it is \(last.map { "\($0)" } ?? "nothing")")
        }
    }

    private func daemon(_ stage: Stage, _ lab: Lab, _ channels: String) async throws -> Daemon {
        let config = try stage.configuration(channels)
        let program = try await stage.program(Daemon.path, ["run", "--config", config, "--log-level", "debug"], environment: lab.environment)
        return Daemon(program: program, config: config, runtime: stage.folder.path("run-box"))
    }

    @Test("a card that is plugged in goes on air; pulled, the slate stands in; plugged into another port under another number, it is on air again")
    func plugging() async throws {
        try await withLab { stage, lab in
            let sink = try await stage.nginx(record: true)
            let daemon = try await daemon(stage, lab, box("serial: SN0001", sink.url("one")))
            try await expect("the slate, and the card absent", stage, daemon) {
                $0.source("capture-0")?.state == "absent" && $0.source("slate")?.isOnAir == true
                    && $0.problems.contains { $0.problem == "source-absent" && $0.sentence.contains("no card with the serial SN0001 is there; none is plugged in") }
            }
            let first = LabCamera()
            try await lab.plug(first)
            try await daemon.logged("\"on air\"", "source=capture-0")
            try await expect("the card live", stage, daemon) { $0.source("capture-0")?.state == "live" && $0.source("capture-0")?.isOnAir == true }
            try await sink.waitForFrames(60, of: "one")
            var position = daemon.position
            try await lab.unplug(first)
            try await daemon.logged("\"on air\"", "source=slate", from: position)
            try await expect("the card absent", stage, daemon) { $0.source("capture-0")?.state == "absent" }
            position = daemon.position
            try await lab.plug(LabCamera(port: "1-4", number: 3))
            try await daemon.logged("\"on air\"", "source=capture-0", from: position)
            #expect(daemon.children("/dev/video3").count == 1)
            let soFar = try await sink.reading(of: "one").frames.count
            try await sink.waitForFrames(soFar + 30, of: "one")
            try await daemon.terminate()
            #expect(try await sink.wasPublishedOnceInOrder("one"))
            #expect(try await MediaProbe.read(.url(sink.recordings(of: "one")[0])).backwards.isEmpty)
        }
    }

    @Test("a card that freezes without a word is opened anew, and the slate stands in meanwhile")
    func freezing() async throws {
        try await withLab { stage, lab in
            let camera = LabCamera()
            try await lab.plug(camera)
            let sink = try await stage.nginx(record: true)
            let daemon = try await daemon(stage, lab, box("any: true", sink.url("one")))
            try await daemon.logged("\"on air\"", "source=capture-0")
            try await sink.waitForFrames(45, of: "one")
            let position = daemon.position
            try await lab.freeze(camera)
            try await daemon.logged("silent: no picture", from: position)
            try await daemon.logged("\"on air\"", "source=slate", from: position)
            try await lab.freeze(camera, false)
            try await daemon.logged("\"on air\"", "source=capture-0", from: position)
            try await daemon.terminate()
            #expect(try await sink.wasPublishedOnceInOrder("one"))
        }
    }

    @Test("a GPU that encodes a card's picture and fails is followed by software, and the card stays on air")
    func mezzanine() async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            try await lab.plug(LabCamera())
            let sink = try await stage.nginx(record: true)
            let daemon = try await daemon(stage, lab, box("any: true", sink.url("one")))
            try await daemon.logged("\"on air\"", "source=capture-0")
            #expect(daemon.children("v4l2").contains { $0.command.contains("h264_vaapi") })
            try await sink.waitForFrames(45, of: "one")
            let position = daemon.position
            let slates = daemon.lines("\"on air\"", "source=slate").count
            try lab.fail(.endPicture, .operationFailed)
            try await daemon.logged("delivers", "source=capture-0", from: position)
            #expect(daemon.children("v4l2").contains { $0.command.contains("libx264") })
            #expect(daemon.lines("\"on air\"", "source=slate").count == slates)
            let soFar = try await sink.reading(of: "one").frames.count
            try await sink.waitForFrames(soFar + 30, of: "one")
            try await daemon.terminate()
            #expect(try await sink.wasPublishedOnceInOrder("one"))
        }
    }

    @Test("two cards without serials are told apart by their ports, and keep them when their numbers are swapped")
    func ports() async throws {
        try await withLab { stage, lab in
            let left = LabCamera(serial: nil, port: "1-2", number: 0), right = LabCamera(serial: nil, port: "1-3", number: 1)
            try await lab.plug(left)
            try await lab.plug(right)
            let channels = """
                  - name: left
                    sources: [ { capture: { path: "\(left.path)" } } ]
                    groups: [ { name: l, video: copy, audio: copy } ]
                  - name: right
                    sources: [ { capture: { path: "pci-0000:00:14.0-usb-0:3" } } ]
                    groups: [ { name: r, video: copy, audio: copy } ]
                """
            let daemon = try await daemon(stage, lab, channels)
            try await daemon.logged("\"on air\"", "channel=left", "source=capture-0")
            try await daemon.logged("\"on air\"", "channel=right", "source=capture-0")
            try await lab.unplug(left)
            try await lab.unplug(right)
            try await expect("both absent", stage, daemon) { $0.channels.allSatisfy { $0.sources[0].state == "absent" } }
            let position = daemon.position
            var (newLeft, newRight) = (left, right)
            (newLeft.number, newRight.number) = (5, 4)
            try await lab.plug(newRight)
            try await lab.plug(newLeft)
            try await daemon.logged("\"on air\"", "channel=left", "source=capture-0", from: position)
            try await daemon.logged("\"on air\"", "channel=right", "source=capture-0", from: position)
            let commands = daemon.children("v4l2").map(\.command)
            #expect(commands.contains { $0.contains("/dev/video5") } && commands.contains { $0.contains("/dev/video4") }, "\(commands)")
            try await daemon.terminate()
        }
    }
}
