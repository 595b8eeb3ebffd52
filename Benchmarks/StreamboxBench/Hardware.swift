import ArgumentParser
import Foundation
import LabKit
import TestSupport

/// Fails, hangs, pulls and returns GPUs of the lab, measures at the target, and measures the time of a probe.
struct Hardware: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            """
            Breaks, hangs, pulls and repairs GPUs in the lab: the loss of the target, how long it waits, and the \
            cost of a probe.
            """
    )

    @OptionGroup var product: Product
    @Option(help: "Services that are started, each with an error, a removal and a hang.") var rounds = 5
    @Option(help: "Runs of probe.") var probes = 5
    @Option(help: "The seed of the random moments and of the storm.") var seed: UInt64 = 1

    /// A fault of the GPU in use.
    private enum Fault: CaseIterable {
        case error, removal, hang
    }

    private struct Seen {
        var times: [Fault: [Double]] = [:]
        /// Seconds without a frame when a group went back to a GPU, as the service reports them.
        var returns: [Double] = []
        var frames = 0, lost = 0, twice = 0, backward = 0, publishes = 0
    }

    func run() async throws {
        print("hardware: 640x360p30, random seed \(seed)")
        var random = SeededRandom(seed: seed)
        var seen = Seen()
        for round in 1...max(1, rounds) {
            try await withLab { stage, lab in try await shake(stage, lab, round, &random, &seen) }
        }
        let all = { (fault: Fault) in seen.times[fault] ?? [] }
        print(
            """
            \(rounds) services, \(all(.error).count) errors, \(all(.removal).count) removals, \(all(.hang).count) \
            hangs, \(seen.returns.count) returns
              frames at the target    \(seen.frames)
              lost                    \(seen.lost) (to be 0)
              twice                   \(seen.twice) (to be 0)
              backward timestamps     \(seen.backward) (to be 0)
              RTMP publishes          \(seen.publishes) (to be \(rounds))
              error → next frame      \(spread(all(.error))) (to be ≤ 300 ms at the median)
              removal → next frame    \(spread(all(.removal))) (to be ≤ 300 ms at the median)
              hang → next frame       \(spread(all(.hang))) (to be ≤ 2500 ms)
              return: pause           \(spread(seen.returns))
            """)
        try await measureProbe()
        try await measureStorm()
    }

    // MARK: Faults

    private func shake(_ stage: Stage, _ lab: Lab, _ round: Int, _ random: inout SeededRandom, _ seen: inout Seen)
        async throws
    {
        try await lab.plug(.intel)
        let sink = try await stage.nginx(record: true)
        let url = "rtmp://127.0.0.1:\(try FreePort.tcp())/live/key"
        let watcher = try await stage.frameWatcher(url)
        let config = try await configure(stage, sink, watch: url)
        let daemon = try await stage.program(
            product.streambox, ["run", "--config", config, "--log-level", "info"], environment: lab.environment)
        try await eventually("frames at the target", within: .seconds(30)) { watcher.output.lines.count > 60 }
        try await onGPU(daemon, config, "the GPU in use")
        // At first the group can only fall back to software, then to another GPU. No GPU fails a third time: it would
        // rest.
        for (number, fault) in Fault.allCases.enumerated() {
            show("round \(round) of \(rounds): \(fault)")
            if number == 1 {
                try await lab.plug(.amd)
                try await eventually("both GPUs tried", within: .seconds(20)) {
                    daemon.errors.lines.contains {
                        $0.text.contains("passed its trial") && $0.text.contains(LabGPU.amd.slot)
                    }
                }
            }
            let slot = try await slotInUse(config)
            let gpu = slot == LabGPU.intel.slot ? LabGPU.intel : .amd
            try await Task.sleep(for: .milliseconds(Int.random(in: 500...1500, using: &random)))
            let position = (daemon.errors.lines.last?.index ?? -1) + 1
            let failed = ContinuousClock.now
            switch fault {
            case .error: try lab.fail(.endPicture, .operationFailed, on: gpu)
            case .hang: try lab.fail(.endPicture, .hang, on: gpu)
            case .removal: try await lab.unplug(gpu)
            }
            try await daemon.errors.first("the handover", from: position, within: .seconds(20)) {
                $0.contains("handed over")
            }
            try await Task.sleep(for: .milliseconds(700))
            seen.times[fault, default: []].append(try watcher.secondsToNextFrame(after: failed))
            try lab.heal()
            if fault == .removal { try await lab.plug(gpu) }
            try await onGPU(daemon, config, "every GPU ready and one in use")
        }
        seen.returns += daemon.errors.lines.map(\.text).filter { $0.contains("cause=fail-back") }.compactMap { line in
            line.split(separator: " ").first { $0.hasPrefix("after=") }.flatMap { Double($0.dropFirst(6).dropLast(2)) }
                .map { $0 / 1000 }
        }
        daemon.send(SIGTERM)
        _ = try await daemon.wait(.seconds(10))
        let recordings = sink.recordings(of: "one")
        let verdict = Verdict(try await FrameReader.read(.url(recordings[recordings.count - 1])))
        seen.frames += verdict.received
        seen.lost += verdict.lostCount
        seen.twice += verdict.duplicated.count
        seen.backward += try await MediaProbe.read(.url(recordings[recordings.count - 1])).backwards.count
        seen.publishes += try sink.publishes(of: "one").count
    }

    /// Writes a numbered source file and the configuration of a box that sends it to two targets.
    ///
    /// - Returns: The path of the configuration.
    private func configure(_ stage: Stage, _ sink: NginxRTMP, watch url: String) async throws -> String {
        let file = stage.folder.path("numbers.ts")
        try await NumberedSource.with {
            $0.duration = .seconds(90)
            $0.width = 640
            $0.height = 360
            $0.gop = 30
        }.write(to: file)
        return try stage.folder.write(
            "box.yaml",
            """
            runtime: \(stage.folder.path("run"))
            state: \(stage.folder.path("state"))
            encoders: { order: [vaapi, software] }
            channels:
              - name: main
                sources: [ { file: { path: \(file) } } ]
                groups:
                  - name: hd
                    video: { size: 640x360, rate: 30, bitrate: 1M }
                    targets: [ { name: sink, url: "\(sink.url("one"))" }, { name: watch, url: "\(url)" } ]
            """)
    }

    private func status(_ config: String) async throws -> StatusReport {
        try StatusReport(try await TestProcess.run(product.streambox, ["status", "--json", "--config", config]))
    }

    private func slotInUse(_ config: String) async throws -> String? {
        try await status(config).channels[0].groups[0].gpu
    }

    private func onGPU(_ daemon: TestProcess, _ config: String, _ what: String) async throws {
        try await eventually(what, within: .seconds(60), every: .milliseconds(100)) {
            let status = try await status(config)
            return status.channels[0].groups[0].gpu != nil && status.channels[0].groups[0].state == "live"
                && status.gpus.allSatisfy { $0.state == "ready" }
        }
    }

    // MARK: Probe

    private func measureProbe() async throws {
        var tried: [Double] = []
        var listed: [Double] = []
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            try await lab.plug(.amd)
            for _ in 0..<probes {
                for isTried in [true, false] {
                    let start = ContinuousClock.now
                    let done = try await TestProcess.run(
                        product.streambox, ["probe", "--json"] + (isTried ? [] : ["--no-trial"]),
                        environment: lab.environment)
                    guard done.ending == .exited(0) else { throw Failed("probe: \(done.errors)") }
                    let seconds = (ContinuousClock.now - start).inSeconds
                    if isTried { tried.append(seconds) } else { listed.append(seconds) }
                }
            }
        }
        print(
            """
            probe, two GPUs
              with trials             \(spread(tried)) (to be ≤ 2000 ms)
              --no-trial              \(spread(listed)) (to be ≤ 200 ms)
            """)
    }

    private func measureStorm() async throws {
        try await withStage { stage in
            let config = try stage.folder.write(
                "box.yaml",
                """
                runtime: \(stage.folder.path("run"))
                state: \(stage.folder.path("state"))
                channels:
                  - name: main
                    sources: [ { test: { size: 320x180, rate: 30 } } ]
                    groups: [ { name: raw, video: copy, audio: copy,
                      targets: [ { name: tape, record: { folder: \(stage.folder.path("tape")) } } ] } ]
                """)
            let daemon = try await stage.program("unshare", ["--net", product.streambox, "run", "--config", config])
            try await daemon.errors.first(containing: "target=tape", within: .seconds(30))
            try await Task.sleep(for: .seconds(3))
            let idle = try await load(of: daemon, for: .seconds(2))
            let before = try ProcessFigures(pid: daemon.pid).cpu
            _ = try await HotplugStorm.announce(
                to: daemon, events: 200, devices: 24, milliseconds: 1000, seed: Int(seed))
            let cost = try ProcessFigures(pid: daemon.pid).cpu - before
            try await Task.sleep(for: .seconds(1))
            let after = try await load(of: daemon, for: .seconds(2))
            print(
                """
                200 hotplug events in a second
                  before                  \((idle * 100).formatted(2)) % of a core
                  during                  \((cost * 1000).formatted(1)) ms of processor time
                  a second later          \((after * 100).formatted(2)) % of a core (to be as before)
                """)
            daemon.send(SIGTERM)
            _ = try await daemon.wait(.seconds(10))
        }
    }

    private func load(of program: TestProcess, for span: Duration) async throws -> Double {
        let before = try ProcessFigures(pid: program.pid).cpu
        try await Task.sleep(for: span)
        return (try ProcessFigures(pid: program.pid).cpu - before) / span.inSeconds
    }

    // MARK: Words

    private func spread(_ values: [Double]) -> String {
        values.isEmpty ? "none" : "median \(ms(median(values))), worst \(ms(values.max() ?? 0))"
    }
}
