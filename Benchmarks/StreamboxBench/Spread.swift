import ArgumentParser
import Foundation
import TestSupport

/// Measures how evenly the frames of a steady publisher arrive at an SRT receiver, with and without the service in
/// between.
struct Spread: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "RTMP in, SRT out, copied: arrival of the frames at the receiver against the stream's own clock.")

    @OptionGroup var product: Product
    @Option(help: "Rounds of each way.") var rounds = 3
    @Option(help: "Seconds of measuring in each round.") var seconds = 20
    @Option(help: "Seconds at the start of a round that do not count.") var warmup = 4

    private static let rate = 30

    func run() async throws {
        try await withTemporaryFolder { folder in
            // Encoded once beforehand, so that no encoder delays frames.
            let file = folder.path("source.flv")
            try await NumberedSource.with {
                $0.rate = Self.rate
                $0.duration = .seconds(warmup + seconds + 10)
            }.write(to: file)
            var direct: [FrameArrivals] = []
            var ours: [FrameArrivals] = []
            for round in 1...rounds {
                show("round \(round) of \(rounds)")
                direct.append(try await withStage { stage in try await measureDirect(stage, file) })
                ours.append(try await withStage { stage in try await measureService(stage, file) })
            }
            show("")
            print(
                """
                spread: 640x360p\(Self.rate) copied, \(rounds) rounds of \(seconds) s, arrivals at an SRT receiver
                  the publisher to the receiver  \(Self.line(direct))
                  through streambox              \(Self.line(ours)) (to be ≤ 8 ms)
                """)
        }
    }

    private static func line(_ rounds: [FrameArrivals]) -> String {
        let deviations = rounds.map { ($0.deviation * 1000).formatted(1) }.joined(separator: ", ")
        let shares = rounds.map { ($0.pairedShare * 100).formatted(1) }.joined(separator: ", ")
        return "in pairs (< 5 ms apart) \(shares) % of the frames, standard deviation \(deviations) ms"
    }

    // MARK: The two ways

    private func measureDirect(_ stage: Stage, _ file: String) async throws -> FrameArrivals {
        let (receiver, port) = try await startReceiver(stage)
        let url = "srt://127.0.0.1:\(port)?mode=caller&transtype=live&pkt_size=1316"
        _ = try await publish(stage, file, format: ["-muxdelay", "0", "-muxpreload", "0", "-f", "mpegts"], to: url)
        return try await measure(receiver)
    }

    private func measureService(_ stage: Stage, _ file: String) async throws -> FrameArrivals {
        let (receiver, port) = try await startReceiver(stage)
        let ingest = try FreePort.tcp()
        let config = try stage.folder.write(
            "box.yaml",
            """
            runtime: \(stage.folder.path("run"))
            state: \(stage.folder.path("state"))
            channels:
              - name: main
                sources: [ { rtmp: { listen: "127.0.0.1:\(ingest)", app: live } } ]
                groups:
                  - name: raw
                    video: copy
                    audio: copy
                    targets: [ { name: t, url: "srt://127.0.0.1:\(port)" } ]
            """)
        let box = try await stage.program(product.streambox, ["run", "--config", config])
        try await eventually("the source to listen") { FreePort.isListening(tcp: ingest) }
        // The slate arrives: the target is connected before the frames that count.
        try await eventually("the target") { !FrameArrivals.lines(of: receiver).isEmpty }
        _ = try await publish(stage, file, format: ["-f", "flv"], to: "rtmp://127.0.0.1:\(ingest)/live/x")
        try await box.errors.first(containing: "\"on air\" channel=main source=rtmp-0", within: .seconds(30))
        let arrivals = try await measure(receiver)
        _ = try? await box.interrupt(.seconds(15))
        return arrivals
    }

    private func publish(_ stage: Stage, _ file: String, format: [String], to url: String) async throws -> TestProcess {
        try await stage.program(
            "ffmpeg",
            ["-v", "error", "-nostdin", "-re", "-i", file, "-c", "copy", "-flush_packets", "1"] + format + [url])
    }

    /// An FFmpeg that listens for an SRT caller and writes a line for each frame.
    private func startReceiver(_ stage: Stage) async throws -> (program: TestProcess, port: Int) {
        let port = try FreePort.udp()
        let url = "srt://127.0.0.1:\(port)?mode=listener&transtype=live"
        let program = try await stage.program(
            "ffmpeg",
            [
                "-v", "error", "-nostdin", "-analyzeduration", "1000000", "-fpsprobesize", "0",
                "-f", "mpegts", "-i", url,
                "-map", "0:v", "-c", "copy", "-flush_packets", "1", "-f", "framehash", "-hash", "adler32", "pipe:1",
            ])
        try await eventually("the receiver to listen") { FreePort.isBound(udp: port) }
        return (program, port)
    }

    /// Returns the frames that arrive from now on, after the warm-up.
    private func measure(_ receiver: TestProcess) async throws -> FrameArrivals {
        try await eventually("a frame") { !FrameArrivals.lines(of: receiver).isEmpty }
        let begin = ContinuousClock.now + .seconds(warmup)
        try await Task.sleep(for: .seconds(warmup + seconds))
        let arrivals = try FrameArrivals(of: receiver, from: begin)
        let wanted = seconds * Self.rate
        guard arrivals.count > wanted * 9 / 10 else { throw Failed("\(arrivals.count) frames arrived of \(wanted)") }
        return arrivals
    }
}

/// When frames arrived, and when they are due by the stream's own clock.
private struct FrameArrivals {
    /// In seconds: the arrival since the measurement began, and the time on the stream's own clock.
    private var frames: [(arrived: Double, time: Double)] = []

    var count: Int { frames.count }

    /// The standard deviation of arrival minus due time, in seconds.
    var deviation: Double {
        let delays = frames.map { $0.arrived - $0.time }
        let mean = delays.reduce(0, +) / Double(delays.count)
        let squares = delays.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / Double(delays.count)).squareRoot()
    }

    /// The share of the frames that have a neighbour less than 5 ms before or after.
    var pairedShare: Double {
        let isClose = zip(frames, frames.dropFirst()).map { $1.arrived - $0.arrived < 0.005 }
        let paired = frames.indices.count { index in
            (index > 0 && isClose[index - 1]) || (index < isClose.count && isClose[index])
        }
        return Double(paired) / Double(frames.count)
    }

    /// Returns the lines of a receiver's frames.
    static func lines(of receiver: TestProcess) -> [Transcript.Line] {
        receiver.output.lines.filter { !$0.text.hasPrefix("#") && !$0.text.isEmpty }
    }

    /// - Throws: `Failed` if the receiver prints no time base, or a line is not that of a frame.
    init(of receiver: TestProcess, from begin: ContinuousClock.Instant) throws {
        // Such as `#tb 0: 1/90000`.
        let head = receiver.output.lines.first { $0.text.hasPrefix("#tb 0: ") }?.text ?? ""
        guard let base = head.firstMatch(of: /(\d+)\/(\d+)$/), let over = Double(base.1), let under = Double(base.2)
        else {
            throw Failed("the receiver prints no time base: \(receiver.errors.text)")
        }
        for line in Self.lines(of: receiver) where line.time >= begin {
            let fields = line.text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            // The fields are stream, decoding time, presentation time, duration, size, hash.
            guard fields.count >= 6, let ticks = Double(fields[1]) else { throw Failed("not a frame: \(line.text)") }
            frames.append(((line.time - begin).inSeconds, ticks * over / under))
        }
    }
}
