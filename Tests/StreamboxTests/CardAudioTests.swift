import Foundation
import LabKit
import TestSupport
import Testing

/// The audio of capture cards, with the real ALSA between the sound card and FFmpeg.
@Suite(.serialized, .tags(.ffmpeg)) struct CardAudioTests {
    /// Finds the clicks in a recording.
    ///
    /// - Returns: When each one begins, in seconds.
    private func clicks(_ recording: String) async throws -> [Double] {
        let log = try await TestProcess.run(
            "ffmpeg",
            [
                "-v", "info", "-nostats", "-nostdin", "-copyts", "-i", recording, "-map", "0:a", "-af",
                "silencedetect=n=-30dB:d=0.3", "-f", "null", "-",
            ], within: .seconds(60))
        return log.errors.split(separator: "\n").compactMap { line in
            line.range(of: "silence_end: ").flatMap { Double(line[$0.upperBound...].prefix { $0 != " " }) }
        }
    }

    @Test("a card's own audio is sent; unplugged, it is silence until it returns")
    func pulled() async throws {
        try await withLab { stage, lab in
            let camera = LabCamera(sound: 1)
            try await lab.plug(camera)
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.daemon(lab, stage.card("serial: SN0001", to: sink.url("one"), slate: "600s"))
            try await daemon.logged("\"on air\"", "source=capture-0")
            try await eventually("the reader with its audio") { daemon.children("plughw:1").count == 1 }
            try await sink.waitForMoreFrames(120, of: "one")
            let slates = daemon.lines("\"on air\"", "source=slate").count
            var position = daemon.position
            try await lab.unplugSound(of: camera)
            try await daemon.logged("audio cannot be read", from: position)
            try await stage.expect("the problem in words", of: daemon) {
                $0.hasProblem("source-failed", "the video continues with silence")
            }
            try await sink.waitForMoreFrames(90, of: "one")
            #expect(
                daemon.lines("silent: no frame").isEmpty && daemon.children("plughw:1").count == 1,
                "the card's reader is the same")
            position = daemon.position
            try await lab.plugSound(of: camera)
            try await daemon.logged("opened again", from: position)
            try await daemon.logged("delivers", "source=capture-0", from: position)
            try await stage.expect("no problem any more", of: daemon) { $0.problems.isEmpty }
            try await sink.waitForMoreFrames(120, of: "one")
            try await daemon.terminate()
            #expect(daemon.lines("\"on air\"", "source=slate").count == slates)
            #expect(try await sink.wasPublishedOnceInOrder("one"))
            let recording = try sink.recording(of: "one")
            #expect(try await MediaProbe.read(.url(recording)).backwards.isEmpty)
            // Expects clicks, then a pause, then clicks.
            let clicks = try await clicks(recording)
            let pauses = zip(clicks, clicks.dropFirst()).map { $1 - $0 }
            let silence = try #require(pauses.indices.max { pauses[$0] < pauses[$1] })
            #expect(pauses[silence] > 2.5 && silence >= 1 && silence < pauses.count - 1, "\(clicks)")
        }
    }

    @Test("a sound card that cannot be opened costs no frame and is retried")
    func absent() async throws {
        try await withLab { stage, lab in
            let camera = LabCamera(sound: 2)
            try await lab.plug(camera)
            try lab.setSound(of: camera, drift: nil)
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.daemon(lab, stage.card("any: true", to: sink.url("one"), slate: "600s"))
            try await daemon.logged("audio cannot be read")
            try await daemon.logged("\"on air\"", "source=capture-0")
            // If that took ten seconds, the service is retrying the sound card.
            try await eventually("a reader without audio") {
                daemon.children("v4l2").count == 1 && daemon.children("plughw:2").isEmpty
            }
            let (position, slates) = (daemon.position, daemon.lines("\"on air\"", "source=slate").count)
            try lab.setSound(of: camera, drift: 0)
            // The service retries after ten seconds.
            try await eventually("the reader with its audio", within: .seconds(40)) {
                daemon.children("plughw:2").count == 1
            }
            try await daemon.logged("delivers", "source=capture-0", from: position)
            try await daemon.terminate()
            #expect(daemon.lines("\"on air\"", "source=slate").count == slates)
        }
    }

    @Test("a configured sound card is used again as soon as it is plugged in")
    func named() async throws {
        try await withLab { stage, lab in
            let camera = LabCamera(sound: 3)
            try await lab.plug(camera)
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.daemon(lab, stage.card("serial: SN0001, audio: \"hw:3\"", to: sink.url("one")))
            try await daemon.logged("\"on air\"", "source=capture-0")
            let first = try await eventually("the reader with its audio") { daemon.children("plughw:3").first?.pid }
            // Five times: the pause before a retry without an event grows until it is longer than the limits of this
            // test.
            for _ in 1...5 {
                var position = daemon.position
                try await lab.unplugSound(of: camera)
                try await stage.expect("the problem in words", of: daemon) {
                    $0.hasProblem("source-failed", "the audio device hw:3 cannot be read")
                }
                position = daemon.position
                try await lab.plugSound(of: camera)
                try await daemon.logged("delivers", "source=capture-0", from: position)
                try await stage.expect("no problem any more", of: daemon) { $0.problems.isEmpty }
            }
            let last = try await eventually("one reader with its audio") { () -> Int32? in
                let readers = daemon.children("plughw:3").map(\.pid)
                return readers.count == 1 ? readers[0] : nil
            }
            #expect(last != first)
            try await daemon.terminate()
        }
    }
}
