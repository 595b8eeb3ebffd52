import Foundation
import TestSupport
import Testing

@Suite("Numbered source", .tags(.ffmpeg))
struct NumberedSourceTests {
    @Test(
        "frame numbers and beeps survive the encoder",
        arguments: [
            NumberedSource.with { _ in },
            .with {
                $0.bFrames = 2
                $0.gop = 15
            },
            .with {
                $0.codec = .hevc
                $0.duration = .seconds(2)
            },
            .with {
                $0.picture = .busy
                $0.bitrate = 300
            },
            .with {
                $0.rate = 30000
                $0.rateDivisor = 1001
                $0.audio = .mp2
                $0.firstNumber = 1_000_000
            },
            .with {
                $0.width = 1280
                $0.height = 720
                $0.rate = 60
                $0.audio = .ac3
            },
        ])
    func survivesEncoder(_ source: NumberedSource) async throws {
        let reading = try await FrameReader.read(.bytes(try await source.bytes()))
        let verdict = Verdict(reading, framesPerBeep: source.framesPerBeep)
        #expect(verdict.isWhole, "\(verdict)")
        #expect(verdict.received == source.frameCount && verdict.unnumbered == 0, "\(verdict)")
        #expect(verdict.first == source.firstNumber)
        #expect(verdict.audioOffsets.count >= 1 && verdict.worstAudioOffset! < 0.005, "\(verdict)")
    }

    @Test("removed frames and late audio are in the verdict")
    func verdictSees() async throws {
        // 150 frames: 60...62 are dropped, and the audio is 200 ms late.
        try await withTemporaryFolder { folder in
            let file = folder.path("source.ts")
            try await NumberedSource().write(to: file)
            let damaged = folder.path("damaged.ts")
            _ = try await TestProcess.run(
                "ffmpeg",
                [
                    "-hide_banner", "-loglevel", "error", "-i", file,
                    "-vf", "select='not(between(n,60,62))'", "-af", "asetpts=PTS+0.2/TB",
                    "-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-c:v", "libx264", "-preset", "ultrafast",
                    "-y",
                    damaged,
                ]
            ).success("damage")
            let verdict = Verdict(try await FrameReader.read(.url(damaged)))
            #expect(verdict.lost == [60...62] && verdict.received == 147, "\(verdict)")
            #expect(abs(verdict.longestGap!.seconds - 4.0 / 30) < 0.001, "\(verdict)")
            #expect(abs(verdict.worstAudioOffset! - 0.2) < 0.003, "\(verdict.audioOffsets)")
        }
    }

    @Test("a frame without a number is recognised", arguments: ["black", "white", "gray", "blue"])
    func noNumber(_ color: String) async throws {
        let card = try await TestProcess.run(
            "ffmpeg",
            [
                "-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i", "color=\(color):s=640x360:d=1",
                "-c:v", "libx264", "-preset", "ultrafast", "-f", "mpegts", "pipe:1",
            ]
        ).success("a card").output
        let verdict = Verdict(try await FrameReader.read(.bytes(card), audio: false))
        #expect(verdict.unnumbered == 25 && verdict.received == 0, "\(verdict)")
    }

    @Test("in real time it costs less than a fifth of a core")
    func cost() async throws {
        try await withStage { stage in
            let source = NumberedSource.with { $0.duration = .seconds(6) }
            let program = try await stage.publish(source, to: .file(stage.folder.path("a.ts")))
            // Processor time before the end, since /proc forgets it with the process.
            var ticks = 0.0
            while program.isRunning {
                ticks = processorTicks(program.pid) ?? ticks
                try await Task.sleep(for: .milliseconds(100))
            }
            let share = ticks / Double(sysconf(Int32(_SC_CLK_TCK))) / 6
            print("NumberedSource 640x360 at 30 fps: \((share * 1000).rounded() / 10) % of a core")
            #expect(share < 0.2 * Limit.factor)
        }
    }

    private func processorTicks(_ pid: Int32) -> Double? {
        guard let stat = KernelFile.text("/proc/\(pid)/stat") else { return nil }
        let fields = stat.split(separator: ")").last?.split(separator: " ")
        guard let fields, fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12])
        else { return nil }
        return user + system
    }
}
