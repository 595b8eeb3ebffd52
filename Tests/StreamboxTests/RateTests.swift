import Foundation
import TestSupport
import Testing

/// Sources whose frame rate differs from the announced one.
@Suite(.serialized, .tags(.ffmpeg)) struct RateTests {
    @Test(
        "a group without a rate keeps its bitrate and has each frame once",
        arguments: [(15, 1000, "rtmp"), (15, 60, "rtmp"), (15, 1000, "srt"), (15, 60, "srt"), (4, 100, "srt")])
    func announced(rate: Int, announced: Int, transport: String) async throws {
        // Enough bits per frame that the encoder drops none.
        let bitrate = 40_000 * rate
        try await withStage { stage in
            let port = transport == "rtmp" ? try FreePort.tcp() : try FreePort.udp()
            let address = "listen: \"127.0.0.1:\(port)\""
            let listen = transport == "rtmp" ? "rtmp: { \(address), app: live }" : "srt: { \(address) }"
            let daemon = try await stage.streambox(
                """
                  - name: main
                    slate: { after: 60s }
                    sources: [ { \(listen) } ]
                    groups: [ { name: hd, video: { encoder: libx264, bitrate: \(bitrate / 1000)k }, tap: true } ]
                """)
            let tap = try await stage.tap("hd", of: daemon)
            let source = NumberedSource.small(seconds: 600) {
                $0.rate = rate
                $0.gop = rate
                $0.picture = .busy
                $0.announcedRate = announced
            }
            let publisher: TestProcess
            if transport == "rtmp" {
                try await eventually("the source to listen") { FreePort.isListening(tcp: port) }
                publisher = try await stage.publish(source, to: "rtmp://127.0.0.1:\(port)/live/x")
            } else {
                try await eventually("the source to listen") { FreePort.isBound(udp: port) }
                publisher = try await stage.srtCaller(source, port: port).program
            }
            try await stage.expect("an encoder that knows the rate", of: daemon) {
                $0.source("\(transport)-0")?.format == "h264 320x180@\(rate)" && $0.group("hd")?.state == "live"
                    && daemon.hasStarted(group: "hd", after: "source=\(transport)-0", "@\(rate)\"")
            }
            let frames = { try await MediaProbe.read(.bytes(tap.output.bytes), options: ["-f", "mpegts"]) }
            let before = try await frames()
            let known = before.packets(of: before.video).count
            try await eventually("six seconds more", within: .seconds(40), every: .milliseconds(500)) {
                let probe = try await frames()
                return probe.packets(of: probe.video).count >= known + 6 * rate + 10
            }
            let probe = try await frames()
            let after = try await stage.status(of: daemon)
            // One handover for the rate, and one if the slate with another size was on air first. None if a slow
            // machine started the encoder when the rate was known already.
            let group = try #require(after.group("hd"))
            #expect((0...2).contains(group.handovers["refresh"] ?? 0) && group.lostFrames == 0, "\(after)")
            // An encoder that got no CPU time for two seconds counts as hung.
            #expect(Set(group.handovers.keys).isSubset(of: ["refresh", "stall"]), "\(after)")
            await stage.end(publisher)
            try await daemon.terminate()
            try await tap.wait()

            // Without the frames that the encoder before the handover made.
            let perSecond = try #require(probe.videoBitrate(ofLast: 5 * rate))
            #expect((Double(bitrate) * 0.75...Double(bitrate) * 1.25).contains(perSecond), "\(perSecond)")
            let reading = try await FrameReader.read(.bytes(tap.output.bytes), options: ["-f", "mpegts"])
            let verdict = Verdict(reading, framesPerBeep: rate)
            #expect(verdict.isWhole, "\(verdict)")
        }
    }

    @Test("a source of uneven frame times keeps them, and its group the bitrate")
    func uneven() async throws {
        try await withStage { stage in
            let port = try FreePort.udp()
            let daemon = try await stage.streambox(
                """
                  - name: main
                    slate: { after: 60s }
                    sources: [ { srt: { listen: "127.0.0.1:\(port)" } } ]
                    groups: [ { name: hd, video: { encoder: libx264, bitrate: 1000k }, tap: true } ]
                """)
            let tap = try await stage.tap("hd", of: daemon)
            try await eventually("the source to listen") { FreePort.isBound(udp: port) }
            let source = NumberedSource.small(seconds: 600) {
                ($0.rate, $0.gop, $0.picture, $0.announcedRate) = (25, 25, .busy, 1000)
                $0.unevenness = .milliseconds(12)
            }
            let publisher = try await stage.srtCaller(source, port: port).program
            try await stage.expect("an encoder that knows the rate", of: daemon) {
                $0.group("hd")?.state == "live" && daemon.hasStarted(group: "hd", after: "source=srt-0", "@25\"")
            }
            let frames = { try await MediaProbe.read(.bytes(tap.output.bytes), options: ["-f", "mpegts"]) }
            let before = try await frames()
            let known = before.packets(of: before.video).count
            try await eventually("six seconds more", within: .seconds(40), every: .milliseconds(500)) {
                let probe = try await frames()
                return probe.packets(of: probe.video).count >= known + 160
            }
            let probe = try await frames()
            let status = try await stage.status(of: daemon)
            await stage.end(publisher)
            try await daemon.terminate()
            try await tap.wait()
            let group = try #require(status.group("hd"))
            #expect(group.lostFrames == 0 && (group.handovers["refresh"] ?? 0) <= 2, "\(status)")
            let perSecond = try #require(probe.videoBitrate(ofLast: 125))
            #expect((750_000...1_250_000).contains(perSecond), "\(perSecond)")
            let times = probe.packets(of: probe.video).compactMap(\.pts)
            let intervals = zip(times.dropFirst(), times).map { $0 - $1 }
            // In ticks of 1/90000 s: 40 ms are 3600 ticks.
            #expect(intervals.contains { $0 < 3200 } && intervals.contains { $0 > 4000 })
            #expect(intervals.allSatisfy { $0 > 0 })
            let reading = try await FrameReader.read(.bytes(tap.output.bytes), options: ["-f", "mpegts"])
            let verdict = Verdict(reading, framesPerBeep: 25)
            #expect(verdict.isWhole, "\(verdict)")
        }
    }

    @Test("the status follows a source that changes its size and rate")
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
            let url = "srt://127.0.0.1:\(port)?pkt_size=1316&connect_timeout=30000"
            let caller = try await stage.program(
                "ffmpeg", ["-v", "error", "-nostdin", "-re", "-i", file, "-c", "copy", "-f", "mpegts", url])
            try await stage.expect("the new format", of: daemon) { $0.source("srt-0")?.format == "h264 640x360@15" }
            await stage.end(caller)
            try await daemon.terminate()
        }
    }
}

extension MediaProbe {
    /// The bits per second of the last video frames; `nil` if there are fewer.
    func videoBitrate(ofLast count: Int) -> Double? {
        guard let video else { return nil }
        let last = packets(of: video).suffix(count + 1)
        guard last.count == count + 1, let begin = last.first?.pts, let end = last.last?.pts, end > begin else {
            return nil
        }
        return Double(last.dropLast().reduce(0) { $0 + $1.size } * 8) / (Double(end - begin) * video.tick)
    }
}
