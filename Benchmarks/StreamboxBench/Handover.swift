import ArgumentParser
import Foundation
import TestSupport

/// Kills, freezes and hands over encoders, and measures at the target.
struct Handover: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Kills, stops and hands over encoders at random moments: the loss of the target, and how long it waits.")

    @OptionGroup var product: Product
    @Option(help: "Encoders that get SIGKILL.") var kills = 30
    @Option(help: "Encoders that get SIGSTOP.") var hangs = 3
    @Option(help: "Planned handovers.") var planned = 20
    @Option(help: "Starts of a bare FFmpeg, for the floor.") var floors = 10
    @Option(help: "The seed of the random moments.") var seed: UInt64 = 1

    private static let after = 1.0

    func run() async throws {
        print("handover: 640x360p30 libx264, random seed \(seed)")
        let floor = try await measureFloor()
        try await withStage { stage in try await measure(stage, floor: floor) }
    }

    private func measure(_ stage: Stage, floor: [Double]) async throws {
        let sink = try await stage.nginx(record: true)
        let (port, watch) = (try FreePort.tcp(), try FreePort.tcp())
        let url = "rtmp://127.0.0.1:\(watch)/live/key"
        let watcher = try await stage.frameWatcher(url)
        try await eventually("the watching target to listen") { FreePort.isListening(tcp: watch) }
        let config = try stage.folder.write(
            "box.yaml",
            """
            runtime: \(stage.folder.path("run"))
            state: \(stage.folder.path("state"))
            channels:
              - name: main
                sources: [ { rtmp: { listen: "127.0.0.1:\(port)", app: live } } ]
                slate: { after: \(Int(Self.after))s }
                groups:
                  - name: hd
                    video: { encoder: libx264, size: 640x360, rate: 30, bitrate: 1M }
                    targets: [ { name: sink, url: "\(sink.url("one"))" }, { name: watch, url: "\(url)" } ]
            """)
        let daemon = try await stage.program(product.streambox, ["run", "--config", config, "--log-level", "info"])
        try await eventually("the source to listen") { FreePort.isListening(tcp: port) }
        let publisher = try await stage.publish(
            .with {
                $0.duration = nil
                $0.width = 640
                $0.height = 360
                $0.gop = 30
            }, to: "rtmp://127.0.0.1:\(port)/live/x")
        try await daemon.errors.first(containing: "\"on air\" channel=main source=rtmp-0", within: .seconds(30))
        try await eventually("frames at the target", within: .seconds(30)) { watcher.output.lines.count > 90 }

        var random = SeededRandom(seed: seed)
        var gaps: [Double] = []
        for round in 1...max(1, kills) where kills > 0 {
            gaps.append(try await fail(SIGKILL, daemon, watcher, &random))
            show("killed \(round) of \(kills)")
        }
        var stalls: [Double] = []
        for round in 0..<hangs {
            stalls.append(try await fail(SIGSTOP, daemon, watcher, &random))
            show("stopped \(round + 1) of \(hangs)")
        }
        for round in 0..<planned {
            try await Task.sleep(for: .milliseconds(Int.random(in: 200...900, using: &random)))
            let done = try await TestProcess.run(product.streambox, ["handover", "hd", "--config", config])
            guard done.ending == .exited(0) else { throw Failed("handover: \(done.errors)") }
            show("handed over \(round + 1) of \(planned)")
        }
        try await Task.sleep(for: .seconds(2))
        let slate = try await toSlate(stage, publisher, daemon, watcher)
        daemon.send(SIGTERM)
        _ = try await daemon.wait(.seconds(10))
        try await report(sink, gaps: gaps, stalls: stalls, slate: slate, floor: floor)
    }

    /// Signals the encoder at a random moment.
    ///
    /// - Returns: Seconds from the signal to the next new frame at the target.
    private func fail(_ signal: Int32, _ daemon: TestProcess, _ watcher: TestProcess, _ random: inout SeededRandom)
        async throws -> Double
    {
        try await Task.sleep(for: .milliseconds(Int.random(in: 1000...2000, using: &random)))
        guard let encoder = encoder(of: daemon) else { throw Failed("there is no encoder") }
        let position = (daemon.errors.lines.last?.index ?? -1) + 1
        let failed = ContinuousClock.now
        kill(encoder, signal)
        try await daemon.errors.first("the handover", from: position, within: .seconds(20)) {
            $0.contains("handed over")
        }
        try await Task.sleep(for: .milliseconds(700))
        return try watcher.secondsToNextFrame(after: failed)
    }

    private func encoder(of daemon: TestProcess) -> Int32? {
        Leftovers.descendants(of: daemon.pid).first { process in
            !process.isZombie && process.command.contains("pipe:0") && process.command.contains("libx264")
                && !process.command.contains("setpriv")
        }?.pid
    }

    /// - Returns: Seconds from the end of the source until the slate is on air, and to its first frame at the target.
    private func toSlate(
        _ stage: Stage, _ publisher: TestProcess, _ daemon: TestProcess, _ watcher: TestProcess
    ) async throws -> (onAir: Double, target: Double) {
        let position = (daemon.errors.lines.last?.index ?? -1) + 1
        let gone = ContinuousClock.now
        publisher.send(SIGKILL)
        let onAir = try await daemon.errors.first(
            containing: "\"on air\" channel=main source=slate", from: position, within: .seconds(20))
        try await Task.sleep(for: .seconds(1))
        await stage.end(publisher)
        // In the stream the slate comes after the one long step; the frames before it may arrive late, with their
        // audio.
        let frames = watcher.output.lines.suffix(120).compactMap { line in
            line.text.split(separator: ",").dropFirst(2).first.flatMap { Int($0.trimmingCharacters(in: .whitespaces)) }
                .map { (time: line.time, pts: $0) }
        }
        let steps = zip(frames, frames.dropFirst()).map { (length: $1.pts - $0.pts, arrival: $1.time) }
        guard let longest = steps.max(by: { $0.length < $1.length }), longest.length > 500 else {
            throw Failed("no slate came")
        }
        return ((onAir.time - gone).inSeconds, (longest.arrival - gone).inSeconds)
    }

    // MARK: The floor

    /// Returns the seconds from exec to the first encoded byte of a bare FFmpeg that is fed a group of pictures at
    /// once.
    private func measureFloor() async throws -> [Double] {
        try await withStage { stage in
            let file = stage.folder.path("gop.ts")
            try await NumberedSource.with {
                $0.duration = .seconds(2)
                $0.width = 640
                $0.height = 360
            }.write(to: file)
            var times: [Double] = []
            for _ in 0..<floors {
                let start = ContinuousClock.now
                let program = try await stage.program(
                    "ffmpeg",
                    [
                        "-v", "error", "-nostdin", "-copyts", "-probesize", "100000", "-analyzeduration", "1", "-f",
                        "mpegts", "-i", file, "-c:v", "libx264",
                        "-preset", "veryfast", "-tune", "zerolatency", "-c:a", "aac", "-f", "mpegts", "-flush_packets",
                        "1", "pipe:1",
                    ], output: .bytes(limit: 1 << 20))
                try await eventually("a byte", within: .seconds(10), every: .milliseconds(1)) {
                    program.output.total > 0
                }
                times.append((ContinuousClock.now - start).inSeconds)
                await stage.end(program)
            }
            return times
        }
    }

    // MARK: The report

    private func report(
        _ sink: NginxRTMP, gaps: [Double], stalls: [Double], slate: (onAir: Double, target: Double), floor: [Double]
    ) async throws {
        let publishes = try sink.publishes(of: "one").count
        let recordings = sink.recordings(of: "one")
        let reading = try await FrameReader.read(.url(recordings[recordings.count - 1]))
        let verdict = Verdict(reading)
        let offsets = verdict.audioOffsets.map(\.offset)
        let drift = (offsets.max() ?? 0) - (offsets.min() ?? 0)
        let probe = try await MediaProbe.read(.url(recordings[recordings.count - 1]))
        print(
            """
            \(kills) kills, \(hangs) hangs, \(planned) planned handovers
              frames at the target    \(verdict.received), numbers \(verdict.first ?? 0)...\(verdict.last ?? 0)
              lost                    \(verdict.lostCount) (to be 0)
              twice                   \(verdict.duplicated.count) (to be 0)
              backward timestamps     \(probe.backwards.count) (to be 0)
              RTMP publishes          \(publishes) (to be 1)
              errors of a decoder     \(reading.complaints.count)
              kill → next frame       median \(ms(median(gaps))), p95 \(ms(percentile(gaps, 95))), worst \
            \(ms(gaps.max() ?? 0)) (to be ≤ 250 ms, p95 ≤ 400 ms)
              floor                   median \(ms(median(floor))): exec → first byte of a bare FFmpeg that is fed a \
            cached GOP
              hang → next frame       worst \(ms(stalls.max() ?? 0)) (to be ≤ 2500 ms)
              source lost → slate     on air after \(ms(slate.onAir)) (to be ≤ \(ms(Self.after + 0.1))), its first \
            frame at the target after \(ms(slate.target))
              audio against video     \(ms(offsets.min() ?? 0)) … \(ms(offsets.max() ?? 0)): a change of \(ms(drift)) \
            over \(kills + hangs + planned) handovers (to be ≤ 20 ms)
            """)
    }
}

extension TestProcess {
    /// Returns the seconds from the failure of an encoder to the first new frame, of a program that prints a line for
    /// each frame.
    func secondsToNextFrame(after failed: ContinuousClock.Instant) throws -> Double {
        // Frames that were on their way at the failure still arrive, for about a tenth of a second. The first frame of
        // the next encoder comes after the longest pause that begins until then.
        let arrivals = output.lines.map(\.time).filter { $0 > failed - .milliseconds(200) }
        let pauses = zip(arrivals, arrivals.dropFirst()).filter { $1 > failed && $0 < failed + .milliseconds(150) }
            .map { (length: $1 - $0, end: $1) }
        guard let longest = pauses.max(by: { $0.length < $1.length }) else {
            throw Failed("no frame came after the signal")
        }
        return (longest.end - failed).inSeconds
    }
}

/// Returns the value below which a share of the values lies.
func percentile(_ values: [Double], _ percent: Int) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, (sorted.count * percent + 99) / 100 - 1)]
}
