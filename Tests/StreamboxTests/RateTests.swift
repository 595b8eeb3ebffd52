import Foundation
import TestSupport
import Testing

/// Sources that have another frame rate than they announce.
@Suite(.serialized, .tags(.ffmpeg)) struct RateTests {
    @Test(
        "a group without a rate gives the bitrate that it was asked for, whatever the source announces, and every frame once",
        arguments: [1000, 60], ["rtmp", "srt"])
    func announced(rate: Int, way: String) async throws {
        try await withStage { stage in
            let port = way == "rtmp" ? try FreePort.tcp() : try FreePort.udp()
            let listen = way == "rtmp" ? "rtmp: { listen: \"127.0.0.1:\(port)\", app: live }" : "srt: { listen: \"127.0.0.1:\(port)\" }"
            let daemon = try await stage.streambox(
                """
                  - name: main
                    slate: { after: 60s }
                    sources: [ { \(listen) } ]
                    groups: [ { name: hd, video: { encoder: libx264, bitrate: 600k }, tap: true } ]
                """)
            let tap = try await stage.tap("hd", of: daemon)
            let source = NumberedSource.small(seconds: 60) {
                $0.rate = 15
                $0.gop = 15
                $0.picture = .busy
                $0.announcedRate = rate
            }
            let publisher: Program
            if way == "rtmp" {
                try await eventually("the source to listen") { FreePort.isListening(tcp: port) }
                publisher = try await stage.publish(source, to: "rtmp://127.0.0.1:\(port)/live/x")
            } else {
                try await eventually("the source to listen") { FreePort.isBound(udp: port) }
                publisher = try await stage.srtCaller(source, port: port).program
            }
            try await stage.expect("an encoder that knows the rate", of: daemon) {
                $0.source("\(way)-0")?.format == "h264 320x180@15" && $0.group("hd")?.handovers["refresh"] ?? 0 > 0
            }
            let frames = { try await MediaProbe.read(.bytes(tap.output.bytes), options: ["-f", "mpegts"]) }
            let before = try await frames()
            let known = before.packets(of: before.video).count
            try await eventually("six seconds more", within: .seconds(40), every: .milliseconds(500)) {
                let probe = try await frames()
                return probe.packets(of: probe.video).count >= known + 100
            }
            let probe = try await frames()
            let after = try await stage.status(of: daemon)
            // One for the rate, and one where the slate of another size was on air first.
            let handovers = after.group("hd")?.handovers ?? [:]
            #expect((handovers == ["refresh": 1] || handovers == ["refresh": 2]) && after.group("hd")?.lostFrames == 0, "\(after)")
            await stage.end(publisher)
            try await daemon.terminate()
            try await tap.wait()

            let video = try #require(probe.video)
            // Without those that the encoder had begun before it was handed over.
            let last = probe.packets(of: video).suffix(76)
            let (begin, end) = (try #require(last.first?.pts), try #require(last.last?.pts))
            let bits = last.dropLast().reduce(0) { $0 + $1.size } * 8
            let perSecond = Double(bits) / (Double(end - begin) * video.tick)
            #expect((450_000...750_000).contains(perSecond), "\(perSecond)")
            let verdict = Verdict(try await FrameReader.read(.bytes(tap.output.bytes), options: ["-f", "mpegts"]), framesPerBeep: 15)
            #expect(verdict.isWhole, "\(verdict)")
        }
    }

    @Test("the status follows a source that goes on with another size and rate")
    func status() async throws {
        try await withStage { stage in
            let port = try FreePort.udp()
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { srt: { listen: "127.0.0.1:\(port)" } } ]
                    groups: [ { name: raw, video: copy, audio: copy } ]
                """)
            let first = try await NumberedSource.small(seconds: 3).bytes()
            let next = try await NumberedSource.small(seconds: 60) {
                $0.width = 640
                $0.height = 360
                $0.rate = 15
                $0.gop = 15
                $0.announcedRate = 60
                $0.start = .seconds(3)
            }.bytes()
            let file = stage.folder.path("change.ts")
            try Data(first + next).write(to: URL(fileURLWithPath: file))
            try await eventually("the source to listen") { FreePort.isBound(udp: port) }
            let caller = try await stage.program(
                "ffmpeg", ["-v", "error", "-nostdin", "-re", "-i", file, "-c", "copy", "-f", "mpegts", "srt://127.0.0.1:\(port)?pkt_size=1316"])
            try await stage.expect("the new format", of: daemon) { $0.source("srt-0")?.format == "h264 640x360@15" }
            await stage.end(caller)
            try await daemon.terminate()
        }
    }
}
