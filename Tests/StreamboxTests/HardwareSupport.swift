import Foundation
import LabKit
import TestSupport
import Testing

/// Shared by the tests of GPU encoders in the running service.
protocol OnHardware {}

extension OnHardware {
    static var onIntel: String { "h264_vaapi@0000:00:02.0" }
    static var onAMD: String { "h264_vaapi@0000:03:00.0" }
    static var onNVIDIA: String { "h264_nvenc@0000:01:00.0" }

    /// A channel with a test picture and these groups.
    ///
    /// The slate waits so long that it is not on air before a test picture that starts late: the frame times of the two
    /// need not be on one grid.
    func box(_ groups: String...) -> String {
        """
          - name: main
            sources: [ { test: { size: 320x180, rate: 30 } } ]
            slate: { after: 60s }
            groups: [ \(groups.joined(separator: ", ")) ]
        """
    }

    /// A group with one target.
    ///
    /// - Parameter more: Further keys of `video`, such as `, size: 160x90`.
    func group(_ name: String, _ url: String, _ more: String = "") -> String {
        let video = "{ bitrate: 400k, keyframe: 1s\(more) }"
        return "{ name: \(name), video: \(video), targets: [ { name: to-\(name), url: \"\(url)\" } ] }"
    }

    /// Runs a test with one group, `hd`, whose encoder is on an Intel GPU, in a lab. Then ends the service, and expects
    /// that its target lost nothing.
    func withGroupOnIntel(_ test: (Stage, Lab, NginxRTMP, Daemon) async throws -> Void) async throws {
        try await withLab { stage, lab in
            try await lab.plug(.intel)
            let sink = try await stage.nginx(record: true)
            let daemon = try await stage.streambox(box(group("hd", sink.url("hd"))), environment: lab.environment)
            try await stage.expectLive(with: Self.onIntel, of: daemon)
            try await test(stage, lab, sink, daemon)
            try await expectWhole(sink, "hd", after: daemon)
        }
    }

    /// Ends the service once every target has frames. Expects of each target one connection, and every frame at its
    /// time.
    func expectWhole(_ sink: NginxRTMP, _ streams: String..., after daemon: Daemon) async throws {
        // A group is live with its encoder. On a busy machine a target may still be connecting then.
        for stream in streams { try await sink.waitForFrames(15, of: stream) }
        try await daemon.terminate()
        for stream in streams {
            #expect(try await sink.wasPublishedOnceInOrder(stream))
            let probe = try await MediaProbe.read(.url(sink.recording(of: stream)))
            #expect(probe.backwards.isEmpty)
            let times = probe.packets(of: probe.video).compactMap(\.pts)
            let odd = zip(times, times.dropFirst()).enumerated().filter { !(33...34).contains($1.1 - $1.0) }
            // The place of a gap and the log together show which handover made it.
            let log = daemon.program.errors.lines.map(\.text)
                .filter { !$0.contains("level=debug") || $0.contains("encoder") }
            #expect(
                odd.isEmpty,
                """
                \(stream), \(times.count) frames: \(odd.map { "\($1.0) ms to \($1.1) ms after frame \($0)" })
                \(log.joined(separator: "\n"))
                """)
        }
    }
}

extension Stage {
    /// Starts the service in a lab, and does not wait for its sources.
    ///
    /// - Parameter boundByPermissions: The service cannot open a file that its user may not open. Root can otherwise.
    func daemon(_ lab: Lab, _ channels: String, boundByPermissions: Bool = false) async throws -> Daemon {
        let config = try configuration(channels)
        try await rememberFirstStart("box", environment: lab.environment)
        return try await start(
            config, through: boundByPermissions ? ["setpriv"] + Lab.boundByPermissions : [],
            environment: lab.environment)
    }

    /// Waits until the first group is live with this encoder.
    @discardableResult
    func expectLive(
        with encoder: String, of daemon: Daemon, within limit: Duration = .seconds(40), file: String = #fileID,
        line: Int = #line
    ) async throws -> StatusReport {
        try await expect("the group live with \(encoder)", of: daemon, within: limit, file: file, line: line) {
            $0.groups[0].use == encoder && $0.groups[0].state == "live"
        }
    }

    /// Waits until libx264 encodes the first group in place of a GPU.
    @discardableResult
    func expectSoftware(
        in daemon: Daemon, file: String = #fileID, line: Int = #line
    ) async throws -> StatusReport {
        try await expect("software in place of the GPU", of: daemon, file: file, line: line) {
            $0.groups[0].use == "libx264" && $0.groups[0].state == "degraded"
        }
    }
}

extension StatusReport {
    func gpu(_ gpu: LabGPU) -> GPU? { gpus.first { $0.slot == gpu.slot } }
}
