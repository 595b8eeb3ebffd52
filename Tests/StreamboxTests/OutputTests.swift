import Foundation
import TestSupport
import Testing

/// From a source to every kind of target, with the real FFmpeg and the real nginx.
@Suite(.serialized, .tags(.ffmpeg)) struct OutputTests {
    @Test("one source feeds an RTMP target, an SRT target, a recording and a tap")
    func everyTarget() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let srt = try await stage.srtListener(passphrase: "correct horse")
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { test: { size: 320x180, rate: 25 } } ]
                    groups:
                      - name: hd
                        video: { codec: h264, size: 640x360, rate: 25, bitrate: 800k, keyframe: 1s, profile: main }
                        audio: { codec: aac, bitrate: 96k, rate: 44100, channels: 1 }
                        tap: true
                        targets:
                          - { name: platform, url: "\(sink.url)", key: { env: KEY } }
                          - { name: studio, url: "\(srt.url)", passphrase: { env: PASS } }
                          - { name: archive, record: { folder: \(stage.folder.path("rec")), segment: 1h } }
                """, environment: ["KEY": "stream-key", "PASS": "correct horse"])
            let tap = try await stage.tap("hd", of: daemon)
            try await stage.expect("every target live", of: daemon) { status in
                ["platform", "studio", "archive"].allSatisfy { status.target($0)?.state == "live" }
            }
            try await sink.waitForMoreFrames(75, of: "stream-key")
            try await eventually("the tap") { tap.output.total > 200_000 }
            try await daemon.terminate()
            #expect(try await sink.wasPublishedOnceInOrder("stream-key"))
            try await tap.wait()
            try await srt.program.wait()

            let recordings = stage.folder.names(in: "rec")
            #expect(recordings.count == 1)
            let inputs: [(String, FrameReader.Input)] = [
                ("RTMP", .url(try sink.recording(of: "stream-key"))), ("SRT", .url(srt.file!)),
                ("recording", .url(stage.folder.path("rec/\(recordings[0])"))), ("tap", .bytes(tap.output.bytes)),
            ]
            for (name, input) in inputs {
                let probe = try await MediaProbe.read(input)
                let video = try #require(probe.video, "\(name)")
                let audio = try #require(probe.audio, "\(name)")
                #expect(
                    video.codec == "h264" && video.width == 640 && video.height == 360 && video.profile == "Main",
                    "\(name)")
                #expect(audio.codec == "aac" && audio.sampleRate == 44_100 && audio.channels == 1, "\(name)")
                #expect(probe.backwards.isEmpty, "\(name)")
                let frames = probe.packets(of: video)
                #expect(frames.count >= 50, "\(name)")
                #expect(frames.first?.isKey == true, "\(name)")
                // Expects a keyframe per second, and each frame 40 ms after the one before.
                let keys = frames.indices.filter { frames[$0].isKey }
                #expect(zip(keys, keys.dropFirst()).allSatisfy { $1 - $0 == 25 }, "\(name): \(keys)")
                let reading = try await FrameReader.read(input)
                #expect(reading.complaints.isEmpty, "\(name): \(reading.complaints)")
                let steps = zip(reading.frames, reading.frames.dropFirst()).map { $1.time - $0.time }
                #expect(steps.allSatisfy { abs($0 - 0.04) < 0.0015 }, "\(name)")
            }
        }
    }

    @Test("each frame of an RTMP publisher arrives once, copied and encoded")
    func everyFrame() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let port = try FreePort.tcp()
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { rtmp: { listen: "127.0.0.1:\(port)", app: live } } ]
                    # A publisher that is late on a busy machine stays on air.
                    slate: { after: 10s }
                    groups:
                      - { name: raw, video: copy, audio: copy, targets: [ { name: a, url: "\(sink.url("copied"))" } ] }
                      - { name: sound, video: copy, audio: { bitrate: 96k },
                          targets: [ { name: b, url: "\(sink.url("sound"))" } ] }
                      - { name: hd, video: { bitrate: 600k, rate: 30 },
                          targets: [ { name: c, url: "\(sink.url("encoded"))" } ] }
                """)
            try await eventually("the source to listen") { FreePort.isListening(tcp: port) }
            // The slate has arrived: encoders and targets run before the publisher's first frame.
            for name in ["copied", "sound", "encoded"] { try await sink.waitForFrames(1, of: name) }
            let publisher = try await stage.publish(.small(seconds: 6), to: "rtmp://127.0.0.1:\(port)/live/x")
            #expect(try await publisher.wait(.seconds(60)) == .exited(0))
            for name in ["copied", "sound", "encoded"] { try await sink.waitForNumbers(170, of: name) }
            try await daemon.terminate()
            for name in ["copied", "sound", "encoded"] {
                #expect(try await sink.wasPublishedOnceInOrder(name), "\(name)")
                let reading = try await sink.reading(of: name)
                let verdict = Verdict(reading)
                #expect(verdict.isWhole && verdict.received >= 170 && verdict.first == 0, "\(name): \(verdict)")
                #expect((verdict.worstAudioOffset ?? 1) < 0.06, "\(name): \(verdict)")
                #expect(verdict.audioOffsets.count >= 4, "\(name): \(verdict)")
                #expect(reading.complaints.isEmpty, "\(name): \(reading.complaints)")
            }
            // Reading the recordings may take longer than a channel may be without a source.
            #expect(daemon.lines("level=error").allSatisfy { $0.contains("problem=no-source") })
        }
    }

    @Test("a publisher without audio reaches the target with silence")
    func silence() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let port = try FreePort.tcp()
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { rtmp: { listen: "127.0.0.1:\(port)", app: live } } ]
                    slate: { after: 60s }
                    groups:
                      - { name: raw, video: copy, audio: copy, targets: [ { name: a, url: "\(sink.url("copied"))" } ] }
                      - { name: hd, video: { bitrate: 600k }, targets: [ { name: b, url: "\(sink.url("encoded"))" } ] }
                """)
            try await eventually("the source to listen") { FreePort.isListening(tcp: port) }
            let source = NumberedSource.small(seconds: 600) { $0.audio = .none }
            let publisher = try await stage.publish(source, to: "rtmp://127.0.0.1:\(port)/live/x")
            for name in ["copied", "encoded"] { try await sink.waitForNumbers(110, of: name) }
            #expect(publisher.isRunning)
            // The service ends before the publisher: the slate has audio, and must not go on air.
            try await daemon.terminate()
            await stage.end(publisher)
            for name in ["copied", "encoded"] {
                let probe = try await MediaProbe.read(.url(sink.recording(of: name)))
                #expect(probe.audio?.codec == "aac" && probe.audio?.sampleRate == 48_000)
                let audio = probe.packets(of: probe.audio).compactMap(\.pts)
                #expect(audio.count > 150, "\(name): \(audio.count) audio frames")
                #expect(zip(audio, audio.dropFirst()).allSatisfy { (20...23).contains($1 - $0) }, "\(name)")
                let reading = try await sink.reading(of: name)
                let verdict = Verdict(reading)
                #expect(verdict.isWhole && reading.beeps.isEmpty, "\(name): \(verdict)")
                #expect(reading.complaints.isEmpty, "\(name): \(reading.complaints)")
            }
        }
    }

    /// The messages of a muxer about two frames with the same timestamp. FFmpeg 5.1 has the first two, later versions
    /// have the third.
    private static let overlaps = [
        "non monotonically increasing dts to muxer", "Non-monotonous DTS in", "Non-monotonic DTS",
    ]

    @Test("a file that starts over plays on at the target without a break")
    func loop() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let file = try await stage.file("show.ts") { $0.duration = .seconds(2) }
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { file: { path: \(file), loop: true } } ]
                    slate: { after: 60s }
                    groups:
                      - { name: raw, video: copy, audio: copy, targets: [ { name: a, url: "\(sink.url("copied"))" } ] }
                      - { name: hd, video: { bitrate: 600k }, targets: [ { name: b, url: "\(sink.url("encoded"))" } ] }
                """)
            for name in ["copied", "encoded"] { try await sink.waitForFrames(150, of: name) }
            try await daemon.terminate()
            for name in ["copied", "encoded"] {
                let reading = try await sink.reading(of: name)
                let numbers = reading.numbers
                #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1 == ($0 + 1) % 60 }, "\(name): \(numbers)")
                let verdict = Verdict(reading)
                #expect(verdict.backwards.isEmpty && (verdict.longestGap?.seconds ?? 1) < 0.1, "\(name): \(verdict)")
                // Where the file starts over, its audio may overlap by part of a frame. FFmpeg then gives two frames
                // the same timestamp, and the muxer of the reading FFmpeg reports it. No timestamp goes back.
                let complaints = reading.complaints.filter { !Self.overlaps.contains(where: $0.contains) }
                #expect(complaints.isEmpty, "\(name): \(complaints)")
                let probe = try await MediaProbe.read(.url(sink.recording(of: name)))
                for stream in probe.streams {
                    let times = probe.packets(of: stream).compactMap(\.dts)
                    #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 }, "\(name)")
                }
                #expect(try await sink.wasPublishedOnceInOrder(name))
            }
        }
    }
}
