import ArgumentParser
import Foundation
import TestSupport

/// Measures the time from `streambox run` to the first frame at an RTMP target, with the test source.
struct Start: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Time from start to the first video packet at an RTMP target.")

    @OptionGroup var product: Product
    @Option(help: "The number of starts.") var runs = 7

    func run() async throws {
        var firsts: [Double] = []
        var times: [Double] = []
        var floors: [Double] = []
        for _ in 0..<runs {
            try await withStage { stage in
                let command: (String) throws -> (String, [String]) = { sink in
                    let yaml = try stage.folder.write(
                        "box.yaml",
                        """
                        runtime: \(stage.folder.path("run"))
                        state: \(stage.folder.path("state"))
                        channels:
                          - name: main
                            sources: [ { test: { size: 1280x720, rate: 30 } } ]
                            groups:
                              - name: hd
                                video: { bitrate: 3M, rate: 30 }
                                targets: [ { name: t, url: "\(sink)" } ]
                        """)
                    return (product.streambox, ["run", "--config", yaml])
                }
                // The first start on a box asks its FFmpeg for its abilities; later starts know them.
                firsts.append(try await measure(stage, command))
                times.append(try await measure(stage, command))
            }
            try await withStage { stage in
                floors.append(
                    try await measure(stage) { sink in
                        (
                            "ffmpeg",
                            [
                                "-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30",
                                "-c:v", "libx264",
                                "-preset", "ultrafast", "-tune", "zerolatency", "-f", "flv", sink,
                            ]
                        )
                    })
            }
        }
        print(
            """
            start: exec → first video packet at an RTMP listener, \(runs) times
              streambox  median \(median(times).formatted(2)) s, worst \(times.max()!.formatted(2)) s (to be ≤ 1.5 s)
              the first  median \(median(firsts).formatted(2)) s, worst \(firsts.max()!.formatted(2)) s: with an \
            FFmpeg that it does not know yet
              floor      median \(median(floors).formatted(2)) s: one ffmpeg, from the test picture straight to the \
            target
            """)
    }

    /// Returns the time to the first video packet at the target, an FFmpeg that listens and copies its input to a pipe.
    private func measure(_ stage: Stage, _ command: (String) throws -> (String, [String])) async throws -> Double {
        let port = try FreePort.tcp()
        let url = "rtmp://127.0.0.1:\(port)/live/key"
        let sink = try await stage.frameWatcher(url)
        try await eventually("the target to listen") { FreePort.isListening(tcp: port) }
        let (program, arguments) = try command(url)
        let clock = ContinuousClock()
        let begin = clock.now
        let started = try await stage.program(program, arguments)
        try await eventually("a packet", within: .seconds(20), every: .milliseconds(2)) {
            sink.output.lines.contains { !$0.text.hasPrefix("#") && !$0.text.isEmpty }
        }
        let took = clock.now - begin
        await stage.end(started)
        let (seconds, attoseconds) = took.components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
