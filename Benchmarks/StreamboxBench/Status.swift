import ArgumentParser
import Foundation
import Status
import TestSupport

/// Measures the cost of the status.
struct StatusFigures: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract:
            """
            Renders a large box; writes its metrics file; and asks the running service over HTTP as fast as it \
            answers.
            """
    )

    @OptionGroup var product: Product
    @Option(help: "Renderings of each kind.") var rounds = 400
    @Option(help: "Seconds of writing the file at its interval.") var writing = 30
    @Option(help: "Seconds of requests.") var seconds = 8
    @Option(help: "Connections at a time.") var connections = 8

    func run() async throws {
        render()
        try write()
        try await withStage { stage in try await idle(stage) }
        try await withStage { stage in try await ask(stage) }
    }

    // MARK: Rendering

    private func render() {
        let box = LargeBox.make()
        var bytes = 0
        let metrics = times { bytes = PrometheusText.render(box).count }
        var jsonBytes = 0
        let json = times { jsonBytes = (try? StatusJSON.render(box, isPretty: false).count) ?? 0 }
        let table = times { _ = StatusTable.render(box, coloured: true) }
        let text = PrometheusText.render(box)
        var copy = [UInt8](repeating: 0, count: text.count)
        // The floor: a loop that only moves the bytes, one by one.
        let floor = times {
            for index in text.indices { copy[index] = text[index] &+ UInt8(truncatingIfNeeded: index) }
        }
        print(
            """
            status: 8 channels × 8 groups × 8 targets, \(rounds) renderings each
              metrics  median \((median(metrics) * 1000).formatted(2)) ms, worst \
            \((metrics.max()! * 1000).formatted(2)) ms, \(bytes) bytes (to be ≤ 2 ms, ≤ 1 MB); \
            \((median(metrics) / median(floor)).formatted(1)) times a loop over its bytes
              JSON     median \((median(json) * 1000).formatted(2)) ms, \(jsonBytes) bytes
              table    median \((median(table) * 1000).formatted(2)) ms
            """)
    }

    private func times(_ body: () -> Void) -> [Double] {
        for _ in 0..<10 { body() }
        return (0..<rounds).map { _ in
            let start = ContinuousClock.now
            body()
            return (ContinuousClock.now - start).inSeconds
        }
    }

    // MARK: The file

    /// Measures the processor time of rendering and writing a large box every two seconds, in this process.
    private func write() throws {
        let folder = try TemporaryFolder()
        let file = StatusFile(path: folder.path("box.prom"))
        let box = LargeBox.make()
        let before = try ProcessFigures(pid: getpid()).cpu
        let looks = max(1, writing / 2)
        for _ in 0..<looks {
            try file.write(PrometheusText.render(box))
            Thread.sleep(forTimeInterval: 0.02)
        }
        let each = (try ProcessFigures(pid: getpid()).cpu - before) / Double(looks)
        print(
            """
              file     \((each * 1000).formatted(2)) ms to render and write; every 2 s that is \
            \((each / 2 * 100).formatted(3)) % of a core (to be ≤ 0.2 %)
            """
        )
    }

    // MARK: The running service

    private func box(_ stage: Stage, status: String) throws -> String {
        try stage.folder.write(
            "box.yaml",
            """
            runtime: \(stage.folder.path("run"))
            state: \(stage.folder.path("state"))
            status: { \(status) }
            channels:
              - name: main
                sources: [ { test: { size: 320x180, rate: 30 } } ]
                groups:
                  - name: hd
                    video: { bitrate: 500k, rate: 30 }
                    targets: [ { name: rec, record: { folder: \(stage.folder.path("rec")) } } ]
            """)
    }

    private func idle(_ stage: Stage) async throws {
        // The same service without the file and with it, one after the other, over the same time.
        var shares: [Double] = []
        for status in ["every: 2s", "file: \(stage.folder.path("box.prom")), every: 2s"] {
            let daemon = try await stage.program(
                product.streambox, ["run", "--config", try box(stage, status: status)])
            try await daemon.errors.first(containing: "msg=live channel=main group=hd target=rec", within: .seconds(30))
            try await Task.sleep(for: .seconds(3))
            let before = try ProcessFigures(pid: daemon.pid).cpu
            try await Task.sleep(for: .seconds(writing))
            shares.append((try ProcessFigures(pid: daemon.pid).cpu - before) / Double(writing))
            daemon.send(SIGTERM)
            _ = try await daemon.wait(.seconds(10))
        }
        print(
            """
              service  \((shares[0] * 100).formatted(2)) % of a core without a file, \((shares[1] * 100).formatted(2)) \
            % with one: \
            \(((shares[1] - shares[0]) * 100).formatted(3)) % for writing it (to be ≤ 0.2 %)
            """)
    }

    private func ask(_ stage: Stage) async throws {
        let port = try FreePort.tcp()
        let daemon = try await stage.program(
            product.streambox, ["run", "--config", try box(stage, status: "listen: \(port)")])
        try await daemon.errors.first(containing: "msg=live channel=main group=hd target=rec", within: .seconds(30))
        _ = try await HTTP.get(port: port, "/metrics")
        for path in ["/metrics", "/healthz"] {
            let before = try ProcessFigures(pid: daemon.pid)
            let load = HTTPLoad(port: port, path: path, connections: connections)
            let answers = try await load.run(for: Double(seconds))
            let after = try ProcessFigures(pid: daemon.pid)
            let (cpu, rate) = (after.cpu - before.cpu, Double(answers.count) / answers.seconds)
            print(
                """
                  \(path)  \(rate.formatted(0)) requests/s from \(connections) connections, \
                \(answers.bytes / max(1, answers.count)) bytes each; \
                the service used \((cpu / answers.seconds * 100).formatted(0)) % of a core: \
                \((Double(answers.count) / cpu).formatted(0)) requests/s on one core (to be ≥ 2000); \
                resident \(before.resident >> 20) → \(after.resident >> 20) MiB
                """)
        }
    }
}

/// A box of many parts with names and figures of the greatest length.
enum LargeBox {
    static func make(_ count: Int = 8) -> BoxSnapshot {
        var box = BoxSnapshot(version: "1.0.0", ffmpeg: "5.1.9", started: 1_700_000_000.25, updated: 1_700_086_400.5)
        box.process = Status.ProcessFigures(cpuSeconds: 12345.678, residentBytes: 30 << 20, openDescriptors: 3000)
        for channel in 0..<count { box.channels.append(makeChannel(channel, count)) }
        box.problems = (0..<count).map {
            Problem(.targetDown, subject: "target t-\($0)", sentence: "the peer refused the connection")
        }
        return box
    }

    private static func makeChannel(_ number: Int, _ count: Int) -> ChannelSnapshot {
        let name = "channel-with-a-long-name-\(number)"
        return ChannelSnapshot(
            name: name,
            sources: ["rtmp-0", "srt-1", "slate"].map {
                SourceSnapshot(id: $0, state: .live, isOnAir: $0 == "rtmp-0", format: "h264 1920x1080@60")
            },
            switches: ["rtmp-0": 12, "srt-1": 3, "slate": 15], feedBytes: 123_456_789_012,
            groups: (0..<count).map { makeGroup("group-with-a-long-name-\(number)-\($0)", count) })
    }

    private static func makeGroup(_ name: String, _ count: Int) -> GroupSnapshot {
        GroupSnapshot(
            name: name, state: .live, encoder: "h264_vaapi", gpu: "0000:03:00.0", why: "the best that passes",
            frames: 123_456_789, lostFrames: 3, encoderSkips: 1,
            feedBytes: 123_456_789_012, fps: 29.970029, speed: 1.0003217, bitsPerSecond: 6_123_456.75,
            uptime: 86_400.512_345,
            exits: [
                EncoderExits(encoder: "h264_vaapi", cause: "gpu-lost", count: 2),
                EncoderExits(encoder: "libx264", cause: "crash", count: 1),
            ],
            handovers: ["gpu-lost": 2, "crash": 1, "operator": 5],
            handoverSeconds: HistogramSnapshot(
                bounds: [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 1, 2, 2.5, 5, 10],
                counts: [1, 2, 3, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], sum: 3.123_456_7),
            targets: (0..<count).map {
                TargetSnapshot(
                    name: "\(name.suffix(9))-target-\($0)", state: .live, bytes: 98_765_432_109, connects: 4, skips: 1,
                    uptime: 4321.123_456)
            })
    }
}
