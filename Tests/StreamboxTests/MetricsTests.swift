import Foundation
import Synchronization
import TestSupport
import Testing

/// The metrics of the running service, compared with the stream that a sink received.
@Suite(.serialized, .tags(.ffmpeg)) struct MetricsTests {
    private func metrics(_ port: Int) async throws -> Metrics { Metrics(try await HTTP.get(port: port, "/metrics")) }

    private static let hd = #"{channel="main",group="hd"}"#

    /// A channel with an RTMP source, and one group that sends to the stream `one` of the sink.
    private func channel(_ rtmp: Int, _ sink: NginxRTMP, _ settings: String) -> String {
        """
          - name: main
            sources: [ { rtmp: { listen: "127.0.0.1:\(rtmp)", app: live } } ]
            slate: { after: 60s }
            groups:
              - { name: hd, \(settings), targets: [ { name: a, url: "\(sink.url("one"))" } ] }
        """
    }

    /// Waits until the source and the status server listen.
    private func waitForPorts(_ rtmp: Int, _ http: Int) async throws {
        try await eventually("the source and the status server to listen") {
            FreePort.isListening(tcp: rtmp) && FreePort.isListening(tcp: http)
        }
    }

    /// Waits for the process of the group's only encoder.
    private func encoder(of daemon: Daemon) async throws -> Int32 {
        try await eventually("the encoder") {
            daemon.children("pipe:0").first { $0.command.contains("libx264") }?.pid
        }
    }

    /// Reads the pauses of so many handovers from the log, in seconds, from a line on.
    private func gaps(of daemon: Daemon, from position: Int, count: Int) async throws -> [Double] {
        try await eventually("\(count) handovers in the log") { () -> [Double]? in
            let lines = daemon.program.errors.lines.filter { $0.index >= position && $0.text.contains("handed over") }
            let gaps = lines.compactMap { $0.text.firstMatch(of: #/after=(\d+)ms/#).flatMap { Double($0.1) } }
            return gaps.count >= count ? gaps.prefix(count).map { $0 / 1000 } : nil
        }
    }

    @Test("the counts of frames, bits and handovers match what the sink received")
    func truth() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let (rtmp, http) = (try FreePort.tcp(), try FreePort.tcp())
            let daemon = try await stage.streambox(
                channel(
                    rtmp, sink,
                    "video: { size: 480x270, rate: 30, bitrate: 1500k, encoder: libx264 }, audio: { bitrate: 128k }"),
                more: "status: { listen: \(http) }\n")
            try await waitForPorts(rtmp, http)
            let publisher = try await stage.publish(
                .with {
                    $0.picture = .busy
                    $0.width = 480
                    $0.height = 270
                    $0.bitrate = 2500
                    $0.duration = nil
                }, to: "rtmp://127.0.0.1:\(rtmp)/live/x")
            try await sink.waitForFrames(90, of: "one")
            // The reported bitrate covers ten seconds without a pause.
            try await sink.waitForFrames(480, of: "one")
            // A busy machine sends late and catches up. Ten seconds later that is outside of the window.
            try await eventually("a rate within 2 % of the sink's", within: .seconds(90), every: .seconds(2)) {
                let reported = try await metrics(http)["streambox_group_bitrate_bits_per_second" + Self.hd] ?? 0
                let bits = try await MediaProbe.read(.url(try #require(sink.recordings(of: "one").first))).bits(
                    ofLast: 10)
                print("bits per second: \(reported) reported, \(bits) received")
                return abs(reported / bits - 1) < 0.02
            }

            let start = try await metrics(http)
            let began = daemon.position
            for action in ["kill", "handover", "kill"] {
                let position = daemon.position
                if action == "kill" {
                    kill(try await encoder(of: daemon), SIGKILL)
                } else {
                    #expect(
                        try await stage.command(["handover", "hd", "--config", daemon.config]).ending == .exited(0))
                }
                try await daemon.logged("handed over", from: position)
                try await sink.waitForMoreFrames(30, of: "one")
            }
            await stage.end(publisher)
            try await daemon.logged("msg=ended", "source=rtmp-0")
            var now = Metrics("")
            // Without a slate the count stops.
            try await eventually("the last frame", every: .seconds(1)) {
                let before = now["streambox_group_frames_total" + Self.hd]
                now = try await metrics(http)
                return now["streambox_group_frames_total" + Self.hd] == before
            }
            #expect(now["streambox_group_lost_frames_total" + Self.hd] == 0)
            /// The numbers of handovers, of handovers with the cause crash, and of crashes.
            func counts(_ metrics: Metrics) -> [Double] {
                [
                    metrics.sum("streambox_handovers_total"),
                    metrics.sum("streambox_handovers_total", #"cause="crash""#),
                    metrics.sum("streambox_encoder_exits_total", #"encoder="libx264""#, #"cause="crash""#),
                ]
            }
            // On a busy machine another encoder may have hung or been too slow.
            let gaps = try await gaps(of: daemon, from: began, count: Int(counts(now)[0] - counts(start)[0]))
            #expect(gaps.count >= 3)
            #expect(zip(counts(now), counts(start)).map { $0 - $1 } == [Double(gaps.count), 2, 2])
            func added(_ name: String) -> Double { now[name + Self.hd]! - (start[name + Self.hd] ?? 0) }
            #expect(added("streambox_handover_duration_seconds_count") == Double(gaps.count))
            // The log rounds to milliseconds.
            let rounding = 0.002 + 0.001 * Double(gaps.count)
            #expect(abs(added("streambox_handover_duration_seconds_sum") - gaps.reduce(0, +)) < rounding)
            // Only the target is stopped. At a stop of the service the encoder would send its last frames when the
            // metrics cannot be read any more.
            #expect(try await stage.command(["target", "stop", "a", "--config", daemon.config]).ending == .exited(0))
            #expect(try await sink.wasPublishedOnceInOrder("one"))
            let reading = try await sink.reading(of: "one")
            #expect(Verdict(reading).isWhole, "\(Verdict(reading))")
            let frames = now["streambox_group_frames_total" + Self.hd]!
            // A slow encoder may have sent its last frames after the first reading.
            let later = try await metrics(http)["streambox_group_frames_total" + Self.hd]!
            print("frames: \(frames) to \(later) reported, \(reading.frames.count) received")
            #expect((frames - 1...later + 1).contains(Double(reading.frames.count)))
            try await daemon.terminate()
        }
    }

    @Test("the histogram of handovers matches the pauses that a sink sees")
    func handovers() async throws {
        try await withStage { stage in
            let http = try FreePort.tcp()
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { test: { size: 320x180, rate: 30 } } ]
                    groups:
                      - name: hd
                        video: { size: 320x180, rate: 30, bitrate: 600k, encoder: libx264 }
                        tap: true
                """, more: "status: { listen: \(http) }\n")
            let status = try await stage.expect("the group live", of: daemon) { $0.group("hd")?.state == "live" }
            let tap = status.group("hd")?.tap
            let sink = try FrameArrivals(port: try #require(tap?.split(separator: ":").last.flatMap { Int($0) }))
            defer { sink.end() }
            try await sink.waitFor(60)
            // A busy machine adds this much on the way from the group's feed to the sink.
            let tolerance = Limit.scaled(.milliseconds(150)).inSeconds
            let name = "streambox_handover_duration_seconds"
            var pauses: [Double] = []
            var before = try await metrics(http)
            // 0 stands for a requested handover.
            for signal in [SIGKILL, SIGSTOP, 0, SIGKILL] {
                let (position, soFar) = (daemon.position, sink.all.count)
                if signal == 0 {
                    #expect(
                        try await stage.command(["handover", "hd", "--config", daemon.config]).ending == .exited(0))
                } else {
                    kill(try await encoder(of: daemon), signal)
                }
                try await daemon.logged("handed over", from: position)
                try await sink.waitFor(sink.all.count + 30)
                let now = try await metrics(http)
                let sum = now["\(name)_sum" + Self.hd]! - before["\(name)_sum" + Self.hd]!
                let count = Int(now["\(name)_count" + Self.hd]! - before["\(name)_count" + Self.hd]!)
                // There is one handover, and more if another encoder hangs or is too slow on a busy machine.
                let gaps = try await gaps(of: daemon, from: position, count: count)
                let rounding = 0.002 + 0.001 * Double(count)
                #expect(count >= 1 && abs(sum - gaps.reduce(0, +)) < rounding, "\(sum) s reported, \(gaps) s logged")
                for reported in gaps {
                    // The next encoder began with one of these keyframes. The others come every two seconds.
                    let pause = try #require(
                        sink.pausesBeforeKeyframes(after: soFar).min { abs($0 - reported) < abs($1 - reported) })
                    print("\(signal == 0 ? "a handover" : "signal \(signal)"): \(reported) s reported, \(pause) s seen")
                    #expect(abs(reported - pause) < tolerance, "\(reported) s reported, \(pause) s seen")
                    pauses.append(pause)
                }
                before = now
            }
            // A hung encoder is noticed after two seconds, so the pauses differ clearly.
            #expect(pauses.max()! > 2 && pauses.min()! < 2)
            var buckets = 0
            for (series, count) in before.values where series.hasPrefix("\(name)_bucket") {
                let bound = try #require(series.firstMatch(of: #/le="([^"]+)"/#).flatMap { Double($0.1) })
                let (least, most) = (pauses.count { $0 <= bound - tolerance }, pauses.count { $0 <= bound + tolerance })
                #expect((least...most).contains(Int(count)), "\(count) reported up to \(bound) s, seen \(pauses)")
                buckets += 1
            }
            #expect(buckets > 5)
            try await daemon.terminate()
        }
    }

    @Test("lost frames are counted, as many as the sink misses")
    func lost() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let (rtmp, http) = (try FreePort.tcp(), try FreePort.tcp())
            // The real FFmpeg, except that encoders exit at once while a file exists.
            let block = stage.folder.path("block")
            let ffmpeg = try await stage.ffmpegWrapper(
                """
                if [[ " $* " == *" pipe:0 "* && " $* " == *" libx264 "* && -e \(block) ]]; then exit 1; fi
                exec "$real" "$@"
                """)
            let daemon = try await stage.streambox(
                channel(rtmp, sink, "video: { size: 320x180, bitrate: 600k, encoder: libx264 }"),
                more: "ffmpeg: \(ffmpeg)\nstatus: { listen: \(http) }\n")
            try await waitForPorts(rtmp, http)
            let publisher = try await stage.publish(.small, to: "rtmp://127.0.0.1:\(rtmp)/live/x")
            let stalled = #"streambox_problem{problem="group-stalled",subject="group hd"}"#
            // If the publisher starts slowly, the slate is on air first.
            try await sink.waitForNumbers(61, of: "one")
            // On a slow machine the start takes long enough for the problem.
            try await eventually("no problem") { try await metrics(http)[stalled] != 1 }
            _ = try stage.folder.write("block", "")
            kill(try await encoder(of: daemon), SIGKILL)
            // The encoders fail for longer than a feed holds.
            try await eventually("the problem") { try await metrics(http)[stalled] == 1 }
            try await Task.sleep(for: .seconds(16))
            try FileManager.default.removeItem(atPath: block)
            // The pause before the next retry may have grown to half a minute.
            try await sink.waitForMoreFrames(60, of: "one", within: .seconds(90))
            await stage.end(publisher)
            try await daemon.logged("msg=ended", "source=rtmp-0")
            try await Task.sleep(for: .seconds(1))
            let now = try await metrics(http)
            try await daemon.terminate()
            let verdict = Verdict(try await sink.reading(of: "one"))
            let counted = now["streambox_group_lost_frames_total" + Self.hd]!
            print("lost: \(counted) counted, \(verdict.lostCount) missing at the sink")
            #expect(
                verdict.lostCount > 60 && abs(counted - Double(verdict.lostCount)) <= 1,
                """
                \(counted) counted; \(verdict)
                \(daemon.lines("target=a").joined(separator: "\n"))
                """)
            #expect(now.sum("streambox_encoder_exits_total", #"cause="exit""#) > 0)
        }
    }

    @Test("an encoder that is too slow loses frames, and frames and skips are counted")
    func tooSlow() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let (rtmp, http) = (try FreePort.tcp(), try FreePort.tcp())
            let slow = try await stage.slowFFmpeg(rate: 0.4, when: #"" $* " == *" libx264 "*"#)
            let daemon = try await stage.streambox(
                channel(rtmp, sink, "video: { size: 320x180, bitrate: 600k, encoder: libx264 }"),
                more: "ffmpeg: \(slow)\nstatus: { listen: \(http) }\n")
            try await waitForPorts(rtmp, http)
            // The stream has more bytes than pipes and decoders hold.
            let publisher = try await stage.publish(
                .with {
                    $0.picture = .busy
                    $0.width = 320
                    $0.height = 180
                    $0.bitrate = 3000
                    $0.duration = nil
                }, to: "rtmp://127.0.0.1:\(rtmp)/live/x")
            let skips = #"streambox_feed_skips_total{channel="main",group="",reader="hd"}"#
            try await eventually("a skip and a lost frame", within: .seconds(120), every: .milliseconds(500)) {
                let now = try await metrics(http)
                return now[skips]! > 0 && now["streambox_group_lost_frames_total" + Self.hd]! > 0
            }
            await stage.end(publisher)
            try await daemon.terminate()
            let verdict = Verdict(try await sink.reading(of: "one"))
            #expect(verdict.lostCount > 0, "\(verdict)")
        }
    }

    @Test("no counter decreases over handovers, reloads, and targets that come and go")
    func neverBack() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: false)
            let (rtmp, http) = (try FreePort.tcp(), try FreePort.tcp())
            func channels(_ groups: String, sources: String = "test: { size: 320x180, rate: 30 }") -> String {
                """
                  - name: main
                    sources: [ { rtmp: { listen: "127.0.0.1:\(rtmp)", app: live } }, { \(sources) } ]
                    groups:
                \(groups)
                """
            }
            let one = """
                      - name: hd
                        video: { bitrate: 500k, size: 320x180, rate: 30 }
                        targets: [ { name: a, url: "\(sink.url("one"))" } ]

                """
            let other = """
                      - name: low
                        video: { bitrate: 200k, size: 160x90, rate: 30 }
                        targets: [ { name: b, url: "\(sink.url("two"))" } ]

                """
            let moved = other.replacingOccurrences(of: "/two", with: "/three")
            let copied = """
                      - name: low
                        video: copy
                        audio: copy
                        targets: [ { name: b, url: "\(sink.url("two"))" } ]

                """
            let status = "status: { listen: \(http) }\n"
            let daemon = try await stage.streambox(channels(one + other), more: status)
            for target in ["a", "b"] { try await daemon.logged("msg=live", "target=\(target)") }
            let last = Mutex(Metrics(""))
            let complaints = Mutex<[String]>([])
            let watch = Task {
                while !Task.isCancelled {
                    if let now = try? await metrics(http) {
                        let before = last.withLock { last in
                            defer { last = now.merged(over: last) }
                            return last
                        }
                        // A series that returns is compared with its last value.
                        let fallen = now.fallen(since: before) {
                            $0.contains(#"group="low""#) || $0.contains(#"reader="low""#)
                        }
                        complaints.withLock { $0 += fallen }
                    }
                    try? await Task.sleep(for: .milliseconds(50))
                }
            }
            func ask(_ arguments: String...) async throws {
                let done = try await stage.command(arguments + ["--config", daemon.config])
                #expect(done.ending == .exited(0), "\(arguments): \(done.errors)")
            }
            func reload(_ channels: String) async throws {
                _ = try stage.configuration(channels, more: status)
                try await ask("reload")
            }
            func live(_ target: String) async throws {
                try await eventually("\(target) to be live") {
                    try await metrics(http).sum("streambox_target_state", "target=\"\(target)\"", #"state="live""#) == 1
                }
            }
            try await ask("handover", "hd")
            func bytesOfB() async throws -> Double {
                try await metrics(http).sum("streambox_target_bytes_total", #"target="b""#)
            }
            try await eventually("bytes of b") { try await bytesOfB() > 10_000 }
            try await ask("target", "stop", "b")
            try await eventually("b to end") { try sink.publishes(of: "two").allSatisfy(\.hasEnded) }
            let stopped = try await bytesOfB()
            #expect(stopped > 10_000)
            try await ask("target", "start", "b")
            try await live("b")
            try await ask("group", "stop", "hd")
            try await ask("group", "start", "hd")
            try await live("a")
            // The target changes, the group copies, goes, and returns.
            for groups in [one + moved, one + copied, one, one + other] {
                try await reload(channels(groups))
                if groups != one { try await live("b") }
            }
            try await eventually("more bytes of b than before") { try await bytesOfB() > stopped }
            // One source changes, and another one comes and goes.
            try await reload(channels(one + other, sources: "test: { size: 320x180, rate: 25 }"))
            let publisher = try await stage.publish(.small, to: "rtmp://127.0.0.1:\(rtmp)/live/x")
            try await daemon.logged("on air", "source=rtmp-0")
            await stage.end(publisher)
            try await eventually("the other source") {
                try await metrics(http)[#"streambox_source_on_air{channel="main",source="test-1"}"#] == 1
            }
            try await live("a")
            watch.cancel()
            await watch.value
            #expect(complaints.withLock { $0 } == [])
            #expect(last.withLock { $0 }.sum("streambox_target_connects_total", #"target="b""#) >= 4)
            try await daemon.terminate()
        }
    }
}

extension Metrics {
    /// These values, and the earlier values of the series that are gone.
    fileprivate func merged(over before: Metrics) -> Metrics {
        Metrics(values: before.values.merging(values) { _, new in new })
    }
}

extension MediaProbe {
    /// The bits per second in the last seconds of a file.
    fileprivate func bits(ofLast seconds: Double) -> Double {
        let end = packets(of: video).compactMap(\.pts).max() ?? 0
        let start = end - Int64(seconds * 1000)
        return Double(streams.flatMap { packets(of: $0) }.filter { ($0.pts ?? 0) > start }.reduce(0) { $0 + $1.size })
            * 8 / seconds
    }
}
