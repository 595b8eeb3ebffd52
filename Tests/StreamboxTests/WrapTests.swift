import Foundation
import TestSupport
import Testing

/// The 33-bit wrap of the timestamps, every 26.5 hours. The timeline of the service begins shortly before a wrap.
@Suite(.serialized, .tags(.ffmpeg)) struct WrapTests {
    /// The time in seconds at which the 33 bits wrap.
    private static let wrap = Double(UInt64(1) << 33) / 90_000

    private func box(_ stage: Stage, _ sink: NginxRTMP, port: Int) -> String {
        """
          - name: main
            sources: [ { rtmp: { listen: "127.0.0.1:\(port)", app: live } } ]
            slate: { after: 20s }
            groups:
              - name: hd
                video: { bitrate: 600k, size: 320x180, rate: 30 }
                targets:
                  - { name: a, url: "\(sink.url("one"))" }
                  - { name: rec, record: { folder: \(stage.folder.path("rec")), segment: 10m } }
              - { name: raw, video: copy, audio: copy, targets: [ { name: b, url: "\(sink.url("two"))" } ] }
        """
    }

    @Test("a timestamp wrap loses nothing, also with encoders replaced around it", arguments: [62.5, 22])
    func wrap(before: Double) async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let port = try FreePort.tcp()
            // The slate is on air first, so the source starts a few seconds later.
            let daemon = try await stage.streambox(
                box(stage, sink, port: port),
                options: ["--timeline-start", "\(Self.wrap - before)", "--encoder-lifetime", "3"])
            try await eventually("the source to listen") { FreePort.isListening(tcp: port) }
            let publisher = try await stage.publish(.small, to: "rtmp://127.0.0.1:\(port)/live/x")
            try await daemon.logged("on air", "source=rtmp-0")
            // The encoder holds no frame of the slate from here on.
            try await sink.waitForNumbers(10, of: "one")
            let kills = 5
            for round in 0..<kills {
                // The last round ends after the wrap.
                try await sink.waitForMoreFrames(Int(before + 8) * 30 / kills - 30, of: "one", within: .seconds(120))
                var position = daemon.position
                while true {
                    let encoder = try #require(daemon.children("libx264").first { $0.command.contains("pipe:0") })
                    kill(encoder.pid, round.isMultiple(of: 2) ? SIGKILL : SIGSEGV)
                    let line = try await daemon.logged("handed over", from: position)
                    if line.text.contains("cause=crash") { break }
                    // The encoder had just been handed over when it was killed.
                    position = line.index + 1
                }
            }
            try await sink.waitForMoreFrames(60, of: "one")
            #expect(!daemon.lines("handed over", "cause=refresh").isEmpty)
            await stage.end(publisher)
            try await daemon.terminate()
            for name in ["one", "two"] {
                #expect(try await sink.wasPublishedOnceInOrder(name))
                let reading = try await sink.reading(of: name)
                let verdict = Verdict(reading)
                print("across the wrap from \(before) s before it, \(name): \(verdict)")
                #expect(verdict.isWhole, "\(verdict)")
                #expect((verdict.worstAudioOffset ?? 1) < 0.06, "\(verdict)")
                #expect(verdict.received > Int(before) * 30, "\(verdict)")
                #expect(reading.complaints.isEmpty, "\(reading.complaints)")
            }
            let files = stage.folder.names(in: "rec")
            #expect(files.count == 1)
            let recording = Verdict(try await FrameReader.read(.url(stage.folder.path("rec/\(files[0])"))))
            #expect(recording.isWhole, "\(recording)")
        }
    }
}
