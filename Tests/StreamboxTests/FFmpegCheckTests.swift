import TestSupport
import Testing

/// An FFmpeg that lacks or refuses something: the service names the parts that do not work, and the rest works.
@Suite(.serialized, .tags(.ffmpeg)) struct FFmpegCheckTests {
    private static let noSRT = #"""
        case " $* " in *" -protocols "*) "$real" "$@" | grep -v srt; exit ;; esac
        exec "$real" "$@"
        """#

    /// Reports the version numbers of FFmpeg 6.0.
    private static let is60 = #"""
        case " $* " in *" -version "*)
            "$real" "$@" | sed '1s/version [^ ]*/version 6.0/; s/^libavutil .*/libavutil 58.  2.100/'
            exit ;;
        esac
        exec "$real" "$@"
        """#

    /// Reloads the service with other channels.
    private func reload(_ stage: Stage, _ daemon: Daemon, _ channels: String, more: String) async throws {
        _ = try stage.configuration(channels, more: more)
        let reload = try await stage.command(["reload", "--config", daemon.config])
        #expect(reload.ending == .exited(0), "\(reload.errors)")
    }

    private func box(
        _ group: String = "{ name: hd, video: { codec: h264, bitrate: 400k } }",
        sources: String = "{ test: { size: 320x180, rate: 30 } }"
    ) -> String {
        """
          - name: main
            sources: [ \(sources) ]
            groups: [ \(group) ]
        """
    }

    @Test("an option that FFmpeg refuses is a problem in check, probe and status")
    func refusedOption() async throws {
        try await withStage { stage in
            let ffmpeg = try await stage.ffmpegWrapper(
                """
                for word in "$@"; do
                    case "$word" in
                        -fps_mode | -segment_time)
                            echo "[fatal] Unrecognized option '${word#-}'." >&2
                            exit 8 ;;
                    esac
                done
                exec "$real" "$@"
                """)
            let daemon = try await stage.streambox(box(), more: "ffmpeg: \(ffmpeg)\n")
            // Its groups never go on air, so the test does not wait for them.
            try await daemon.logged("checking FFmpeg", "a process was refused an option")
            try await daemon.logged("refuses the option -fps_mode", "level=error")
            let status = try await stage.expect("both problems", of: daemon) { status in
                ["-fps_mode", "-segment_time"].allSatisfy { option in
                    status.problems.contains {
                        $0.problem == "ffmpeg-unsupported" && $0.subject == "ffmpeg, the option \(option)"
                    }
                }
            }
            #expect(
                status.hasProblem("ffmpeg-unsupported", "recordings")
                    && status.hasProblem("ffmpeg-unsupported", "apt install ffmpeg"))
            let check = try await stage.command(["check", daemon.config]).text
            #expect(check.contains("the option -fps_mode") && check.contains("the option -segment_time"), "\(check)")
            let probe = try await stage.command(["probe"], environment: ["PATH": stage.folder.path + ":/usr/bin:/bin"])
            // The output breaks lines between words.
            #expect(
                probe.text.split(whereSeparator: \.isWhitespace).joined(separator: " ").contains(
                    "the option -fps_mode"), "\(probe.text)")
            try await daemon.terminate()
        }
    }

    @Test("a slate that FFmpeg refuses is a problem until a reload replaces it")
    func refusedSlate() async throws {
        try await withStage { stage in
            let ffmpeg = try await stage.ffmpegWrapper(
                """
                case "$*" in *" -version"*) ;; *drawtext=*)
                    echo "[AVFilterGraph @ 0x55] [error] No such filter: 'drawtext'" >&2
                    exit 8 ;;
                esac
                exec "$real" "$@"
                """)
            let more = "ffmpeg: \(ffmpeg)\n"
            let port = try FreePort.tcp()
            let channel = { (slate: String) in
                """
                  - name: main
                    sources: [ { rtmp: { listen: "127.0.0.1:\(port)", app: live } } ]
                    slate: { \(slate) }
                    groups: [ { name: hd, video: { codec: h264, bitrate: 400k } } ]
                """
            }
            let daemon = try await stage.streambox(channel("text: hello"), more: more)
            let isRefused = { (status: StatusReport) in
                status.problems.contains { problem in
                    problem.problem == "ffmpeg-unsupported" && problem.subject == "the slate of main"
                        && problem.sentence.contains("does not have the filter drawtext")
                }
            }
            // The slate is a plain card instead.
            try await stage.expect("the slate's problem", of: daemon) { status in
                isRefused(status) && status.source("slate")?.isOnAir == true
            }
            try await reload(stage, daemon, channel("after: 2s"), more: more)
            try await stage.expect("no problem of the slate", of: daemon) { !isRefused($0) }
            try await daemon.terminate()
        }
    }

    @Test("an FFmpeg without SRT is reported for SRT, and everything else works")
    func withoutSRT() async throws {
        try await withStage { stage in
            let ffmpeg = try await stage.ffmpegWrapper(Self.noSRT)
            let far = "{ name: far, url: \"srt://127.0.0.1:\(try FreePort.udp())\" }"
            let recording = "{ name: rec, record: { folder: \(stage.folder.path("rec")) } }"
            let group = "{ name: hd, video: { codec: h264, bitrate: 400k }, targets: [ \(far), \(recording) ] }"
            let daemon = try await stage.streambox(box(group), more: "ffmpeg: \(ffmpeg)\n")
            try await daemon.logged("does not have the protocol srt: nothing can be sent to it", "target far")
            let check = try await stage.command(["check", daemon.config])
            #expect(
                check.ending == .exited(0) && check.text.contains("target far: FFmpeg")
                    && !check.text.contains("target rec:"))
            try await daemon.logged("msg=live", "target=rec")
            try await daemon.terminate()
        }
    }

    @Test("a reload updates the list of missing FFmpeg features")
    func reloaded() async throws {
        try await withStage { stage in
            let ffmpeg = try await stage.ffmpegWrapper(Self.noSRT)
            let more = "ffmpeg: \(ffmpeg)\n"
            let recording = "{ name: rec, record: { folder: \(stage.folder.path("rec")) } }"
            let group = { (others: String) in
                "{ name: hd, video: { codec: h264, bitrate: 400k }, targets: [ \(recording)\(others) ] }"
            }
            let far = ", { name: far, url: \"srt://127.0.0.1:\(try FreePort.udp())\" }"
            let daemon = try await stage.streambox(box(group("")), more: more)
            try await daemon.logged("msg=live", "target=rec")
            #expect(try await !stage.status(of: daemon).hasProblem("ffmpeg-unsupported"))
            try await reload(stage, daemon, box(group(far)), more: more)
            try await daemon.logged("does not have the protocol srt: nothing can be sent to it", "target far")
            try await stage.expect("the problem", of: daemon) { status in
                status.problems.contains {
                    $0.problem == "ffmpeg-unsupported" && $0.subject == "target far, the protocol srt"
                }
            }
            try await reload(stage, daemon, box(group("")), more: more)
            try await daemon.logged("the problem is over", "target far, the protocol srt")
            try await stage.expect("no problem", of: daemon) { !$0.hasProblem("ffmpeg-unsupported") }
            try await daemon.terminate()
        }
    }

    @Test("a target whose FFmpeg cannot send HEVC by RTMP is a problem; others are on air")
    func codecOfTarget() async throws {
        try await withStage { stage in
            let ffmpeg = try await stage.ffmpegWrapper(Self.is60)
            let more = "ffmpeg: \(ffmpeg)\n"
            let sink = try await stage.nginx(record: true)
            let recording = "{ name: rec, record: { folder: \(stage.folder.path("rec")) } }"
            let targets = "{ name: a, url: \"\(sink.url("hd"))\" }, \(recording)"
            let group = { (codec: String) in
                "{ name: hd, video: { codec: \(codec), bitrate: 400k }, targets: [ \(targets) ] }"
            }
            let sentence = "FFmpeg 6.0 does not have HEVC by RTMP"
            let daemon = try await stage.streambox(box(group("hevc")), more: more)
            try await daemon.logged("msg=live", "target=rec")
            try await daemon.logged("cannot run", sentence, "target=a")
            try await stage.expect("the target's problem", of: daemon) { status in
                status.target("rec")?.state == "live"
                    && status.target("a")?.trouble?.contains("FFmpeg 6.1 or later") == true
                    && status.problems.contains {
                        $0.problem == "ffmpeg-unsupported" && $0.subject == "target a, HEVC by RTMP"
                    }
            }
            let check = try await stage.command(["check", daemon.config])
            #expect(check.ending == .exited(0), "\(check.errors)")
            #expect(
                check.text.contains("target a: \(sentence)") && !check.text.contains("target rec:"), "\(check.text)")
            let plan = try await stage.command(["plan", daemon.config])
            #expect(plan.ending == .exited(0) && plan.text.contains("cannot run: \(sentence)"), "\(plan.text)")
            #expect(try sink.publishes(of: "hd").isEmpty)

            try await reload(stage, daemon, box(group("h264")), more: more)
            try await sink.waitForFrames(15, of: "hd")
            try await stage.expect("no problem", of: daemon) {
                !$0.hasProblem("ffmpeg-unsupported") && $0.target("a")?.state == "live"
            }
            let position = daemon.position
            try await reload(stage, daemon, box(group("hevc")), more: more)
            try await daemon.logged("cannot run", sentence, "target=a", from: position)
            #expect(try sink.publishes(of: "hd").count == 1)
            try await daemon.terminate()
        }
    }

    @Test("copied HEVC that FFmpeg cannot send is never published, not even empty")
    func passedOn() async throws {
        try await withStage { stage in
            let ffmpeg = try await stage.ffmpegWrapper(Self.is60)
            let sink = try await stage.nginx()
            let file = try await stage.file("hevc.ts") { $0.codec = .hevc }
            let target = "{ name: a, url: \"\(sink.url("raw"))\" }"
            let daemon = try await stage.streambox(
                """
                  - name: main
                    slate: { after: 60s }
                    sources: [ { file: { path: \(file), loop: true } } ]
                    groups: [ { name: raw, video: copy, audio: copy, targets: [ \(target) ] } ]
                """, more: "ffmpeg: \(ffmpeg)\n")
            try await daemon.logged("cannot run", "FFmpeg 6.0 does not have HEVC by RTMP", "target=a")
            #expect(try sink.publishes(of: "raw").isEmpty)
            try await daemon.terminate()
        }
    }

    @Test("an FFmpeg check that did not finish is reported and not cached")
    func unfinished() async throws {
        try await withStage { stage in
            // A first start without a folder for the temporary files of the check.
            try stage.folder.makeFolder("state-box")
            let daemon = try await stage.streambox(box(), environment: ["TMPDIR": "/nowhere"])
            try await daemon.logged("could not find out", "recordings", "level=warning")
            try await daemon.logged("FFmpeg is checked")
            try await daemon.terminate()
            let known = try stage.folder.text("state-box/ffmpeg.json")
            #expect(known.contains("\"capabilities\"") && !known.contains("\"check\""))
        }
    }

    @Test("an FFmpeg without libx264 is reported with the remaining encoders", arguments: ["libx264", "drawtext"])
    func without(part: String) async throws {
        try await withStage { stage in
            let ffmpeg = try await stage.ffmpegWrapper(
                """
                case " $* " in *" -encoders "* | *" -filters "*) "$real" "$@" | grep -v '\(part)'; exit ;; esac
                exec "$real" "$@"
                """)
            let config = try stage.configuration(box() + "\n    slate: { text: hello }\n", more: "ffmpeg: \(ffmpeg)\n")
            let check = try await stage.command(["check", config])
            #expect(check.ending == .exited(0))
            #expect(
                check.text.contains(
                    part == "libx264"
                        ? "the encoder libx264: it cannot be drawn" : "the filter drawtext: its text cannot be drawn"),
                "\(check.text)")
        }
    }

    @Test("without libx264, copying groups are live and the group that needs it is named")
    func runsWithoutLibx264() async throws {
        try await withStage { stage in
            let ffmpeg = try await stage.ffmpegWrapper(
                """
                case " $* " in
                    *" -encoders "*) "$real" "$@" | grep -v libx264; exit ;;
                    *" libx264 "*) echo "[fatal] Unknown encoder 'libx264'" >&2; exit 1 ;;
                esac
                exec "$real" "$@"
                """)
            let sink = try await stage.nginx()
            let port = try FreePort.tcp()
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { rtmp: { listen: "127.0.0.1:\(port)", app: live } } ]
                    groups:
                      - name: raw
                        video: copy
                        audio: copy
                        targets:
                          - { name: a, url: "\(sink.url("copied"))" }
                          - { name: rec, record: { folder: \(stage.folder.path("rec")) } }
                      - { name: hd, video: { codec: h264, bitrate: 400k } }
                """, more: "ffmpeg: \(ffmpeg)\n")
            let publisher = try await stage.publish(.small, to: "rtmp://127.0.0.1:\(port)/live/x")
            let status = try await stage.expect("what is passed on live", of: daemon) { status in
                status.group("raw")?.state == "live" && ["a", "rec"].allSatisfy { status.target($0)?.state == "live" }
            }
            let problem = status.problems.first { $0.subject == "group hd, the encoder libx264" }
            #expect(problem?.problem == "ffmpeg-unsupported", "\(status.problems)")
            #expect(problem?.sentence.contains("it has no encoder if no GPU works") == true)
            let encoded = try #require(status.group("hd"))
            #expect(encoded.encoder == "none" && encoded.why.contains("does not have libx264"), "\(encoded)")
            await stage.end(publisher)
            try await daemon.terminate()
        }
    }

    @Test("a healthy relay, encoder, slate and publisher print no warning")
    func quiet() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let port = try FreePort.tcp()
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { rtmp: { listen: "127.0.0.1:\(port)", app: live } },
                      { test: { size: 320x180, rate: 30 } } ]
                    groups:
                      - { name: raw, video: copy, audio: copy, targets: [ { name: a, url: "\(sink.url("copied"))" } ] }
                      - { name: hd, video: { codec: h264, bitrate: 400k, size: 160x90, rate: 25 },
                          targets: [ { name: b, url: "\(sink.url("encoded"))" } ] }
                      - { name: hevc, video: { codec: hevc, bitrate: 400k },
                          targets: [ { name: c, record: { folder: \(stage.folder.path("rec")) } } ] }
                """)
            try await daemon.logged("msg=live", "target=c")
            let source = NumberedSource.with { ($0.width, $0.height, $0.duration) = (320, 180, nil) }
            let publisher = try await stage.publish(source, to: "rtmp://127.0.0.1:\(port)/live/x")
            try await daemon.logged("on air", "source=rtmp-0")
            for name in ["copied", "encoded"] { try await sink.waitForMoreFrames(120, of: name) }
            // The messages until here: the end of the input in the middle of a frame may cause others.
            let messages = daemon.lines("msg=\"FFmpeg output\"")
            await stage.end(publisher)
            try await daemon.terminate()
            #expect(messages.isEmpty, "\(messages)")
        }
    }

    @Test(
        "a fork's version without a number is accepted",
        arguments: ["N-118342-g1234567", "n7.1-dev-123-gabc", "2026-01-02-git-abcdef"])
    func fork(version: String) async throws {
        try await withStage { stage in
            let ffmpeg = try await stage.ffmpegWrapper(
                """
                case " $* " in *" -version "*) "$real" "$@" | sed '1s/version [^ ]*/version \(version)/'; exit ;; esac
                exec "$real" "$@"
                """)
            let sink = "{ name: rec, record: { folder: \(stage.folder.path("rec")) } }"
            let daemon = try await stage.streambox(
                box("{ name: hd, video: { codec: h264, bitrate: 400k }, targets: [ \(sink) ] }"),
                more: "ffmpeg: \(ffmpeg)\n")
            try await daemon.logged("msg=live", "target=rec")
            #expect(try await stage.command(["status", "--config", daemon.config]).text.contains(version))
            try await daemon.terminate()
        }
    }
}
