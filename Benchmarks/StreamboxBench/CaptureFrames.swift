import Foundation
import TestSupport

/// Measures the cost of frames on their way through the service, and their loss when their encoder is killed or hangs.
struct CaptureFrames {
    let streambox: String
    let rate: Int

    private static let span = Duration.seconds(10)
    private static let kills = 5

    func run() async throws {
        try await withStage { stage in try await measure(stage) }
    }

    private func measure(_ stage: Stage) async throws {
        let fifo = stage.folder.path("frames")
        let config = try stage.folder.write(
            "box.yaml",
            """
            runtime: \(stage.folder.path("run"))
            state: \(stage.folder.path("state"))
            channels:
              - name: main
                sources: [ { raw: { path: \(fifo), size: 1920x1080, rate: \(rate), pixels: nv12 } } ]
                mezzanine: { bitrate: 4M }
                tap: true
            """)
        let daemon = try await stage.program(streambox, ["run", "--config", config, "--log-level", "info"])
        try await eventually("the FIFO") { FileManager.default.fileExists(atPath: fifo) }
        _ = try await stage.program(
            "ffmpeg",
            [
                "-v", "error", "-nostdin", "-y", "-re", "-f", "lavfi", "-i", "color=s=1920x1080:r=\(rate),format=nv12",
                "-f", "rawvideo", fifo,
            ])
        try await daemon.errors.first(containing: "\"on air\" channel=main source=raw-0", from: 0, within: .seconds(30))
        try await Task.sleep(for: .seconds(3))
        let before = try ProcessFigures(pid: daemon.pid)
        try await Task.sleep(for: Self.span)
        let after = try ProcessFigures(pid: daemon.pid)
        var pauses: [Double] = []
        for number in 1...Self.kills {
            show("encoder killed \(number) of \(Self.kills)")
            pauses.append(try await fail(daemon, SIGKILL))
            try await Task.sleep(for: .seconds(1))
        }
        show("encoder hangs")
        var peak = 0
        async let hang = fail(daemon, SIGSTOP)
        for _ in 0..<40 {
            try await Task.sleep(for: .milliseconds(50))
            peak = max(peak, try ProcessFigures(pid: daemon.pid).resident)
        }
        let hung = try await hang
        try await Task.sleep(for: .seconds(2))
        let rest = try ProcessFigures(pid: daemon.pid).resident
        let lost = daemon.errors.lines.filter { $0.text.contains("are lost") }
        daemon.send(SIGTERM)
        _ = try await daemon.wait(.seconds(10))
        print(
            """
            frames: 1920x1080 NV12 at \(rate)
              the service             \(((after.cpu - before.cpu) / Self.span.inSeconds * 100).formatted(1)) % of a \
            core, \(mib(after.resident)) resident
              encoder killed → on     median \(ms(median(pauses))), worst \(ms(pauses.max() ?? 0)) without a frame
              encoder hangs → on      \(ms(hung)); \(mib(peak)) resident meanwhile, \(mib(rest)) afterwards
              frames lost             \(lost.isEmpty ? "0" : lost.map(\.text).joined(separator: "; ")) (to be 0)
            """)
    }

    /// Sends a signal to the encoder of the frames.
    ///
    /// - Returns: The time without a frame, in seconds.
    private func fail(_ daemon: TestProcess, _ signal: Int32) async throws -> Double {
        let position = (daemon.errors.lines.last?.index ?? -1) + 1
        guard
            let encoder = Leftovers.descendants(of: daemon.pid).first(where: {
                $0.command.contains("-f ivf") && !$0.command.contains("setpriv")
            })
        else {
            throw Failed("no encoder runs")
        }
        kill(encoder.pid, signal)
        let line = try await daemon.errors.first(containing: "handed over", from: position, within: .seconds(20))
        guard let match = try #/after=(\d+)ms/#.firstMatch(in: line.text), let milliseconds = Double(match.1) else {
            throw Failed(line.text)
        }
        return milliseconds / 1000
    }

    private func mib(_ bytes: Int) -> String { "\((Double(bytes) / 1_048_576).formatted(1)) MiB" }
}
