import Foundation
import LabKit
import TestSupport
import Testing

/// The formats and modes of capture cards, and the signals at their HDMI inputs.
@Suite(.serialized, .tags(.ffmpeg)) struct CardInputTests {
    /// Writes a second of video as a card compresses it.
    ///
    /// - Returns: The path of the file.
    private func compressedVideo(_ codec: String, on stage: Stage) async throws -> String {
        let path = stage.folder.path("video.\(codec)")
        let mjpeg = ["-c:v", "mjpeg", "-q:v", "5", "-pix_fmt", "yuvj422p"]
        let h264 = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "15"]
        let headers = ["-x264-params", "aud=1:repeat-headers=1", "-pix_fmt", "yuv420p"]
        let input = ["-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", "testsrc=s=320x180:r=30:d=1"]
        let encoding = codec == "mjpeg" ? mjpeg : h264 + headers
        _ = try await TestProcess.run("ffmpeg", input + encoding + ["-f", codec, path]).success("the card's video")
        return path
    }

    @Test(
        "a card of any pixel format goes on air",
        arguments: [("YUYV", "yuyv422"), ("NV12", "nv12"), ("MJPG", "mjpeg"), ("H264", "h264")])
    func formats(format: String, name: String) async throws {
        try await withLab { stage, lab in
            let file = format == "MJPG" || format == "H264" ? try await compressedVideo(name, on: stage) : nil
            try await lab.plug(LabCamera(modes: [.init(format)], compressedVideo: file))
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.daemon(lab, stage.card("any: true", to: sink.url("one")))
            try await daemon.logged("card mode chosen", "\(name) 320x180 at 30")
            try await daemon.logged("\"on air\"", "source=capture-0")
            try await sink.waitForFrames(60, of: "one")
            try await eventually("its reader") { daemon.children("-input_format \(name)").count == 1 }
            try await daemon.terminate()
            #expect(try await sink.wasPublishedOnceInOrder("one"))
        }
    }

    @Test(
        "interlaced frames of a card are deinterlaced as its groups ask",
        arguments: [
            ("auto", "bwdif=mode=send_frame:parity=tff:deint=all,"),
            ("field", "bwdif=mode=send_field:parity=tff:deint=all,"), ("off", nil),
        ] as [(String, String?)])
    func interlaced(setting: String, filter: String?) async throws {
        try await withLab { stage, lab in
            try await lab.plug(LabCamera(modes: [.init(isInterlaced: true)]))
            let sink = try await stage.nginx(record: true)
            let video = "{ encoder: libx264, bitrate: 400k, deinterlace: \(setting) }"
            let daemon = try await stage.daemon(
                lab,
                """
                  - name: main
                    sources: [ { capture: { any: true } } ]
                    groups: [ { name: hd, video: \(video), targets: [ { name: a, url: "\(sink.url("one"))" } ] } ]
                """)
            try await daemon.logged("card mode chosen", "yuyv422 320x180 at 30 interlaced")
            try await daemon.logged("\"on air\"", "source=capture-0")
            try await sink.waitForFrames(60, of: "one")
            let reader = try await eventually("its reader") { () -> String? in
                let readers = daemon.children("-f v4l2").map(\.command)
                return readers.count == 1 ? readers[0] : nil
            }
            #expect(filter.map { reader.contains($0) } ?? !reader.contains("bwdif"), "\(reader)")
            try await daemon.terminate()
        }
    }

    @Test("the mode nearest to the configured one is used and reported once")
    func nearest() async throws {
        try await withLab { stage, lab in
            let camera = LabCamera(modes: [
                .init("YUYV", 640, 360, at: 15), .init("YUYV", 320, 180, at: 60), .init("YUYV", 320, 180, at: 30),
                .init("NV12", 640, 360, at: 25),
            ])
            try await lab.plug(camera)
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.daemon(
                lab, stage.card("any: true, size: 600x400, rate: 25", to: sink.url("one")))
            try await daemon.logged("lacks the configured mode", "nv12 640x360 at 25")
            try await daemon.logged("\"on air\"", "source=capture-0")
            let position = daemon.position
            try await lab.unplug(camera)
            try await lab.plug(camera)
            try await daemon.logged("delivers", "source=capture-0", from: position)
            try await daemon.terminate()
            #expect(daemon.lines("the nearest is taken").count == 1)
        }
    }

    @Test("a lost card signal puts the slate on air; a new signal reopens the card")
    func hdmi() async throws {
        try await withLab { stage, lab in
            let camera = LabCamera()
            try await lab.plug(camera)
            try await lab.send((320, 180), to: camera)
            let sink = try await stage.nginx(record: true)
            // The signal determines the size, and the card cannot choose the configured one.
            let daemon = try await stage.daemon(
                lab, stage.card("any: true, size: 320x180, rate: 30", to: sink.url("one")))
            try await daemon.logged("\"on air\"", "source=capture-0")
            try await sink.waitForFrames(60, of: "one")
            var position = daemon.position
            try await lab.send(nil, to: camera)
            try await daemon.logged("no signal arrives", from: position)
            try await daemon.logged("\"on air\"", "source=slate", from: position)
            try await stage.expect("the problem in words", of: daemon) {
                $0.hasProblem("source-failed", "no signal arrives at the card: check the cable")
            }
            try await lab.send((320, 180), to: camera)
            try await daemon.logged("\"on air\"", "source=capture-0", from: position)
            position = daemon.position
            try await lab.send((640, 360), to: camera)
            try await daemon.logged("another signal arrives", from: position)
            try await daemon.logged("the nearest is taken", "640x360", from: position)
            try await daemon.logged("delivers", "640x360", "source=capture-0", from: position)
            try await stage.expect("no problem any more", of: daemon) {
                $0.problems.isEmpty && $0.source("capture-0")?.isOnAir == true
            }
            // A pixel clock that is measured slightly differently each time belongs to the same signal, however often
            // the card is opened.
            let steady = daemon.position
            for _ in 0..<3 {
                let reader = try await eventually("the reader") { daemon.children("v4l2").first?.pid }
                position = daemon.position
                kill(reader, SIGKILL)
                try await daemon.logged("delivers", "source=capture-0", from: position)
            }
            position = steady
            try await sink.waitForMoreFrames(120, of: "one")
            #expect(!daemon.program.errors.lines.dropFirst(position).contains { $0.text.contains("another signal") })
            try await daemon.terminate()
            #expect(try await sink.wasPublishedOnceInOrder("one"))
        }
    }
}
