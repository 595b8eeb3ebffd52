import Foundation
import TestSupport
import Testing

/// Transport streams with other codecs, changing rates and several programs.
@Suite(.serialized, .tags(.ffmpeg)) struct TransportStreamSourceTests {
    @Test(
        "one call in MPEG-2 and AC-3 is on air at the rate at which it arrives",
        arguments: [nil, "correct horse battery"])
    func callIsKept(passphrase: String?) async throws {
        try await withStage { stage in
            let port = try FreePort.udp()
            let secret = try stage.folder.write("secret", passphrase ?? "-", mode: 0o600)
            let key = passphrase == nil ? "" : ", passphrase: { file: \(secret) }"
            let daemon = try await stage.streambox(
                """
                  - name: main
                    tap: true
                    sources: [ { srt: { listen: "127.0.0.1:\(port)"\(key) } } ]
                    groups: [ { name: raw, video: copy, audio: copy } ]
                """)
            try await eventually("the source to listen") { FreePort.isBound(udp: port) }
            // With a passphrase a concat script has the address.
            let mark = passphrase == nil ? "mode=listener" : "-f concat"
            let listener = daemon.children(mark).map(\.pid)
            #expect(listener.count == 1)
            let url =
                "srt://127.0.0.1:\(port)?mode=caller&transtype=live&pkt_size=1316&connect_timeout=30000"
                + (passphrase.map { "&passphrase=\($0)" } ?? "")
            let caller = try await stage.program(
                "ffmpeg",
                ["-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25"]
                    + ["-re", "-f", "lavfi", "-i", "sine=r=48000"]
                    + ["-c:v", "mpeg2video", "-b:v", "2M", "-minrate", "2M", "-maxrate", "2M", "-bufsize", "1M"]
                    + ["-g", "12", "-c:a", "ac3", "-f", "mpegts", url])
            try await daemon.logged("msg=\"on air\"", "source=srt-0")
            let status = try await stage.expect("the note", of: daemon) { status in
                status.source("srt-0")?.notes?.contains { $0.contains("encoded on the way in") } == true
            }
            let note = try #require(status.source("srt-0")?.notes?.first { $0.contains("encoded on the way in") })
            #expect(note.contains("mpeg2video to H.264") && note.contains("ac3 to AAC"))
            let rate = try #require(note.firstMatch(of: #/at ([0-9.]+) Mbit/#).flatMap { Double($0.1) })
            #expect((1.0...3.5).contains(rate), "\(note)")
            #expect(caller.isRunning && daemon.children(mark).map(\.pid) == listener, "\(caller.errors.text)")
            let tap = try await stage.tap("main", of: daemon)
            try await eventually("a stream", within: .seconds(20)) { tap.output.total > 300_000 }
            await stage.end(caller)
            try await daemon.terminate()
            try await tap.wait()
            let probe = try await MediaProbe.read(.bytes(tap.output.bytes))
            #expect(probe.video?.codec == "h264" && probe.audio?.codec == "aac")
        }
    }

    @Test("a converted source follows a call whose rate rises without a new call")
    func risingRate() async throws {
        try await withStage { stage in
            let port = try FreePort.udp()
            var stream = Data()
            for (start, filter, rate, seconds) in [(0, "null", "500k", 8), (8, "noise=alls=100:allf=t", "6M", 90)] {
                let file = stage.folder.path("from\(start).ts")
                _ = try await TestProcess.run(
                    "ffmpeg",
                    [
                        "-v", "error", "-nostdin", "-f", "lavfi", "-i", "color=gray:s=320x180:r=25", "-t", "\(seconds)",
                        "-vf", filter, "-c:v", "mpeg2video", "-b:v", rate, "-minrate", rate, "-maxrate", rate,
                        "-bufsize", "1M", "-g", "12", "-pix_fmt", "yuv420p", "-output_ts_offset", "\(start)",
                        "-muxdelay", "0", "-muxpreload", "0", file,
                    ], within: .seconds(60)
                ).success("a part")
                stream += try Data(contentsOf: URL(fileURLWithPath: file))
            }
            let file = stage.folder.path("rising.ts")
            try stream.write(to: URL(fileURLWithPath: file))
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { srt: { listen: "127.0.0.1:\(port)" } } ]
                    groups: [ { name: raw, video: copy, audio: copy } ]
                """)
            try await eventually("the source to listen") { FreePort.isBound(udp: port) }
            let url = "srt://127.0.0.1:\(port)?mode=caller&transtype=live&pkt_size=1316&connect_timeout=30000"
            let caller = try await stage.program(
                "ffmpeg", ["-v", "error", "-nostdin", "-re", "-i", file, "-c", "copy", "-f", "mpegts", url])
            func rate(_ status: StatusReport) -> Double? {
                let note = status.source("srt-0")?.notes?.first { $0.contains("encoded on the way in") }
                return note?.firstMatch(of: #/at ([0-9.]+) Mbit/#).flatMap { Double($0.1) }
            }
            try await stage.expect("the higher rate", of: daemon, within: .seconds(90)) {
                (5...10).contains(rate($0) ?? 0)
            }
            // The rate before was the lowest one. The status may have been read too late to show it.
            try await daemon.logged("the rate of the call has changed", "before=1000000")
            #expect(
                caller.isRunning && daemon.lines("the rate of the call has changed").count == 1, "\(caller.errors.text)"
            )
            try await daemon.logged("msg=delivers", "source=srt-0")
            await stage.end(caller)
            try await daemon.terminate()
        }
    }

    @Test("of several programs the first with its audio or the numbered one is on air", arguments: [nil, 2])
    func programs(number: Int?) async throws {
        try await withStage { stage in
            let file = stage.folder.path("two.ts")
            let made = try await TestProcess.run(
                "ffmpeg",
                ["-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25"]
                    + ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=25", "-f", "lavfi", "-i", "sine=r=48000", "-t", "4"]
                    + ["-map", "0:v", "-map", "1:v", "-map", "2:a"]
                    + ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p", "-c:a", "aac"]
                    + ["-program", "program_num=1:title=One:st=0", "-program", "program_num=2:title=Two:st=1:st=2"]
                    + [file], folder: stage.folder.path)
            #expect(made.ending == .exited(0), "\(made.errors)")
            let daemon = try await stage.streambox(
                """
                  - name: main
                    tap: true
                    sources: [ { file: { path: \(file), loop: true\(number.map { ", program: \($0)" } ?? "") } } ]
                    groups: [ { name: raw, video: copy } ]
                """)
            try await daemon.logged("msg=delivers", "source=file-0", number == nil ? "320x180" : "160x90")
            try await eventually("the relay of the program") { daemon.children("0:p:\(number ?? 1):v:0 ").count == 1 }
            let words = number == nil ? "1 (One) is used, 2 (Two) is not" : "2 (Two) is used, 1 (One) is not"
            try await stage.expect("the note", of: daemon) {
                $0.source("file-0")?.notes?.contains { $0.contains(words) } == true
            }
            #expect(daemon.lines("level=notice", "the source has several programs").count == 1)
            try await daemon.terminate()
        }
    }

    @Test("a program that does not arrive is reported with those that do")
    func missingProgram() async throws {
        try await withStage { stage in
            let file = try await stage.file("one.ts")
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { file: { path: \(file), loop: true, program: 7 } } ]
                    groups: [ { name: raw, video: copy, audio: copy } ]
                """)
            try await stage.expect("the trouble", of: daemon) {
                $0.hasProblem("source-failed", "program 7 is not in the stream")
            }
            try await daemon.terminate()
        }
    }
}
