import ArgumentParser
import Foundation
import LabKit
import TestSupport

/// Plugs and pulls a capture card of the lab again and again, and measures at the target.
struct Capture: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            """
            Plugs and pulls a card in the lab: the time until it is seen at the target, and until the slate is on \
            air; the cost of frames, and the drift of the audio.
            """
    )

    @OptionGroup var product: Product
    @Option(help: "How often the card is plugged and pulled.") var cycles = 20

    private static let after = 1.0

    func run() async throws {
        print("capture: 640x360p30 YUYV, slate after \(Int(Self.after)) s")
        try await withLab { stage, lab in try await measure(stage, lab) }
        for rate in [30, 60] { try await CaptureFrames(streambox: product.streambox, rate: rate).run() }
        try await withTemporaryFolder { folder in
            let offsets = try await DriftingAudio.offsets(
                seconds: 600, rate: 48_010, filter: "aresample=48000:async=960:min_comp=0.001:min_hard_comp=0.1",
                in: folder)
            let change = (offsets.max() ?? 0) - (offsets.min() ?? 0)
            print(
                """
                ten minutes of audio whose clock is off by 208 ppm
                  its position changes by \(ms(change)) (to be ≤ 20 ms; 125 ms without a correction)
                """)
        }
    }

    private func measure(_ stage: Stage, _ lab: Lab) async throws {
        let sink = try await stage.nginx(record: true)
        let url = "rtmp://127.0.0.1:\(try FreePort.tcp())/live/key"
        let watcher = try await stage.frameWatcher(url)
        let config = try stage.folder.write(
            "box.yaml",
            """
            runtime: \(stage.folder.path("run"))
            state: \(stage.folder.path("state"))
            channels:
              - name: main
                sources: [ { capture: { serial: SN0001 } } ]
                slate: { after: \(Int(Self.after))s }
                mezzanine: { bitrate: 4M }
                groups:
                  - name: hd
                    video: { encoder: libx264, size: 640x360, rate: 30, bitrate: 1M, keyframe: 1s }
                    targets: [ { name: sink, url: "\(sink.url("one"))" }, { name: watch, url: "\(url)" } ]
            """)
        let daemon = try await stage.program(
            product.streambox, ["run", "--config", config, "--log-level", "info"], environment: lab.environment)
        try await eventually("the slate at the target", within: .seconds(30)) { watcher.output.lines.count > 30 }

        var plugs: [Double] = []
        var slates: [Double] = []
        for cycle in 1...max(1, cycles) {
            show("cycle \(cycle) of \(cycles)")
            let camera = LabCamera(port: "1-\(cycle % 3 + 1)", number: cycle % 4, modes: [.init("YUYV", 640, 360)])
            var position = (daemon.errors.lines.last?.index ?? -1) + 1
            let plugged = ContinuousClock.now
            try await lab.plug(camera)
            let live = try await daemon.errors.first(
                containing: "\"on air\" channel=main source=capture-0", from: position, within: .seconds(30))
            // The first frame of the card arrives one frame after the one that came when it went on air.
            let seen = try await eventually("its first frame at the target") {
                watcher.output.lines.first { $0.time > live.time }
            }
            plugs.append((seen.time - plugged).inSeconds)
            try await Task.sleep(for: .seconds(2))
            position = (daemon.errors.lines.last?.index ?? -1) + 1
            let pulled = ContinuousClock.now
            try await lab.unplug(camera)
            let slate = try await daemon.errors.first(
                containing: "\"on air\" channel=main source=slate", from: position, within: .seconds(30))
            slates.append((slate.time - pulled).inSeconds)
            try await Task.sleep(for: .milliseconds(700))
        }
        daemon.send(SIGTERM)
        _ = try await daemon.wait(.seconds(10))
        try await report(sink, plugs: plugs, slates: slates)
    }

    private func report(_ sink: NginxRTMP, plugs: [Double], slates: [Double]) async throws {
        let recordings = sink.recordings(of: "one")
        let probe = try await MediaProbe.read(.url(recordings[recordings.count - 1]))
        let times = probe.packets(of: probe.video).compactMap(\.pts)
        let longest = zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? 0
        print(
            """
            \(cycles) cycles
              plug → seen             \(spread(plugs)) (to be ≤ 1500 ms)
              unplug → slate          \(spread(slates)) (to be ≤ \(ms(Self.after + 0.1)))
              RTMP publishes          \(try sink.publishes(of: "one").count) (to be 1)
              frames                  \(times.count), backward timestamps \(probe.backwards.count) (to be 0), longest \
            step \(longest) ms
            """)
    }

    private func spread(_ values: [Double]) -> String {
        values.isEmpty ? "none" : "median \(ms(median(values))), worst \(ms(values.max() ?? 0))"
    }
}
