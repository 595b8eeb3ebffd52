import Foundation
import TestSupport
import Testing

/// The slate, which is on air while no source delivers.
@Suite(.serialized, .tags(.ffmpeg)) struct SlateTests {
    private func box(_ stage: Stage, _ sink: NginxRTMP, port: Int, slate: String = "{ after: 400ms }") -> String {
        """
          - name: main
            sources: [ { rtmp: { listen: "127.0.0.1:\(port)", app: live } } ]
            slate: \(slate)
            groups:
              - name: hd
                video: { bitrate: 600k, size: 320x180, rate: 30 }
                targets: [ { name: a, url: "\(sink.url("one"))" } ]
              - { name: raw, video: copy, audio: copy, targets: [ { name: b, url: "\(sink.url("two"))" } ] }
        """
    }

    /// Waits until this source is the last one that went on air: a late publisher goes off air before it disconnects.
    private func expectOnAir(
        _ source: String, _ daemon: Daemon, file: String = #fileID, line: Int = #line
    ) async throws {
        try await eventually("\(source) on air", file: file, line: line) {
            daemon.lines("msg=\"on air\"").last?.contains("source=\(source)") == true
        }
    }

    /// Expects a stream that no player and no platform rejects: one connection, rising timestamps, no long gap.
    private func expectContinuous(
        _ sink: NginxRTMP, _ name: String, longest: Double, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        #expect(try await sink.wasPublishedOnceInOrder(name), sourceLocation: sourceLocation)
        let probe = try await MediaProbe.read(.url(sink.recording(of: name)))
        #expect(probe.backwards.isEmpty, sourceLocation: sourceLocation)
        let video = probe.packets(of: probe.video).compactMap(\.pts)
        let gap = zip(video, video.dropFirst()).map { Double($1 - $0) / 1000 }.max() ?? 0
        #expect(gap <= longest, "\(name): a gap of \(gap) s between frames", sourceLocation: sourceLocation)
        let audio = probe.packets(of: probe.audio).compactMap(\.pts)
        let silence = zip(audio, audio.dropFirst()).map { Double($1 - $0) / 1000 }.max() ?? 0
        #expect(silence <= 0.1, "\(name): a gap of \(silence) s in the audio", sourceLocation: sourceLocation)
        let first = (video.first ?? 0, audio.first ?? 0)
        let last = (video.last ?? 0, audio.last ?? 0)
        // A target begins at a keyframe. If audio waited 0.3 s for the first keyframe of a slow encoder, FFmpeg's muxer
        // writes that audio before the keyframe. The audio does not come from the target's stream, and its length
        // depends on how busy the machine is.
        #expect(
            abs(first.0 - first.1) < 1000 && abs(last.0 - last.1) < 700, "\(first), \(last)",
            sourceLocation: sourceLocation)
    }

    @Test("the slate is on air without a source, and targets see one stream over changes")
    func comingAndGoing() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let port = try FreePort.tcp()
            let daemon = try await stage.streambox(box(stage, sink, port: port))
            try await daemon.logged("on air", "source=slate")
            try await sink.waitForFrames(30, of: "one")
            let publishers: [(inout NumberedSource) -> Void] = [
                { _ in }, { $0.audio = .none },
                {
                    $0.rate = 25
                    $0.gop = 25
                },
                {
                    $0.width = 640
                    $0.height = 360
                },
            ]
            for (round, change) in publishers.enumerated() {
                try await eventually("the source to listen") { FreePort.isListening(tcp: port) }
                var source = NumberedSource.small
                change(&source)
                let position = daemon.position
                let publisher = try await stage.publish(source, to: "rtmp://127.0.0.1:\(port)/live/x")
                try await daemon.logged("on air", "source=rtmp-0", from: position)
                try await sink.waitForMoreFrames(60, of: "one")
                // Every second publisher freezes and keeps its connection.
                publisher.send(round.isMultiple(of: 2) ? SIGKILL : SIGSTOP)
                try await expectOnAir("slate", daemon)
                await stage.end(publisher)
                try await sink.waitForMoreFrames(30, of: "one")
            }
            try await daemon.terminate()
            // A gap is the time until the slate is on air. The benchmark judges its length.
            try await expectContinuous(sink, "one", longest: 3)
            #expect(try sink.publishes(of: "two").count >= 1)
            let reading = try await sink.reading(of: "one")
            #expect(reading.complaints.isEmpty, "\(reading.complaints)")
        }
    }

    @Test("a source of another size and rate goes on air and off air without a loss")
    func otherFormat() async throws {
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
                    slate: { after: 10s }
                    groups:
                      - name: hd
                        video: { bitrate: 600k, size: 320x180, rate: 30 }
                        targets: [ { name: a, url: "\(sink.url("one"))" } ]
                """)
            try await daemon.logged("on air", "source=test-1")
            for (width, height, rate) in [(640, 360, 25), (480, 270, 30)] {
                try await sink.waitForMoreFrames(60, of: "one")
                var position = daemon.position
                var source = NumberedSource.small
                (source.width, source.height, source.rate, source.gop) = (width, height, rate, rate)
                let publisher = try await stage.publish(source, to: "rtmp://127.0.0.1:\(port)/live/x")
                try await daemon.logged("on air", "source=rtmp-0", from: position)
                try await sink.waitForMoreFrames(60, of: "one")
                position = daemon.position
                publisher.send(SIGKILL)
                try await daemon.logged("on air", "source=test-1", from: position)
                await stage.end(publisher)
            }
            try await sink.waitForMoreFrames(30, of: "one")
            try await stage.expect("no frame lost", of: daemon) {
                $0.groups[0].lostFrames == 0 && $0.groups[0].state == "live"
            }
            try await daemon.terminate()
            let numbers = try await sink.reading(of: "one").frames.compactMap(\.number)
            #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1 <= $0 + 1 }, "\(numbers)")
            // The slate is on air if the test picture starts slowly.
            try await expectContinuous(sink, "one", longest: 13)
        }
    }

    @Test("a copied channel goes from source to slate and back without a decoder error")
    func passedThrough() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let port = try FreePort.tcp()
            let daemon = try await stage.streambox(box(stage, sink, port: port))
            try await daemon.logged("on air", "source=slate")
            try await sink.waitForFrames(30, of: "two")
            for _ in 1...2 {
                try await eventually("the source to listen") { FreePort.isListening(tcp: port) }
                let position = daemon.position
                let publisher = try await stage.publish(.small, to: "rtmp://127.0.0.1:\(port)/live/x")
                try await daemon.logged("on air", "source=rtmp-0", from: position)
                try await sink.waitForMoreFrames(70, of: "two")
                publisher.send(SIGKILL)
                try await expectOnAir("slate", daemon)
                await stage.end(publisher)
                try await sink.waitForMoreFrames(30, of: "two")
            }
            try await daemon.terminate()
            try await expectContinuous(sink, "two", longest: 3)
            let reading = try await sink.reading(of: "two")
            #expect(reading.complaints.isEmpty, "\(reading.complaints)")
        }
    }

    @Test("a slate shows its image and text, and a plain card if that fails")
    func imageAndText() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let image = stage.folder.path("red.png")
            _ = try await TestProcess.run(
                "ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "color=red:size=100x100", "-frames:v", "1", "-y", image])
            let text = #"50 % of: it's \\ \"done\" {x} [y], ü 😀"#
            let daemon = try await stage.streambox(
                box(
                    stage, sink, port: try FreePort.tcp(),
                    slate: #"{ after: 400ms, image: "\#(image)", text: "\#(text)" }"#))
            try await daemon.logged("on air", "source=slate")
            try await sink.waitForFrames(20, of: "one")
            #expect(daemon.lines("plain card").isEmpty)
            try await daemon.terminate()
            let colour = try await TestProcess.run(
                "ffmpeg",
                [
                    "-v", "error", "-i", sink.recording(of: "one"), "-frames:v", "1", "-vf", "scale=9:9,format=rgb24",
                    "-f", "rawvideo", "-",
                ])
            // The image is square: the middle is red, the sides are bars.
            #expect(colour.output[120] > 150 && colour.output[121] < 60, "\(colour.output)")
            #expect(colour.output[108] < 60, "\(colour.output)")

            let broken = try stage.folder.write("broken.png", "no image")
            let other = try await stage.streambox(
                box(stage, sink, port: try FreePort.tcp(), slate: #"{ after: 400ms, image: "\#(broken)" }"#)
                    .replacingOccurrences(of: "one", with: "three"),
                name: "other")
            try await other.logged("on air", "source=slate")
            try await other.logged("plain card")
            try await other.terminate()
        }
    }
}
