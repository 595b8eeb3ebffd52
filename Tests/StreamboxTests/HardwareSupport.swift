import Foundation
import LabKit
import TestSupport
import Testing

/// What the tests of encoders on GPUs in the running service have in common.
protocol OnHardware {}

extension OnHardware {
    static var onIntel: String { "h264_vaapi@0000:00:02.0" }
    static var onAMD: String { "h264_vaapi@0000:03:00.0" }
    static var onNVIDIA: String { "h264_nvenc@0000:01:00.0" }

    /// No slate comes before a test picture that takes its time: the times of the two need not be on one grid.
    func box(_ groups: String...) -> String {
        """
          - name: main
            sources: [ { test: { size: 320x180, rate: 30 } } ]
            slate: { after: 60s }
            groups: [ \(groups.joined(separator: ", ")) ]
        """
    }

    func group(_ name: String, _ url: String, _ more: String = "") -> String {
        """
        { name: \(name), video: { bitrate: 400k, keyframe: 1s\(more) }, targets: [ { name: to-\(name), url: \
        \"\(url)\" } ] }
        """
    }

    /// When a line was logged, in seconds.
    func time(of line: String) -> Double? {
        guard let stamp = line.split(separator: " ").first(where: { $0.hasPrefix("time=") })?.dropFirst(5) else {
            return nil
        }
        return try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(String(stamp))
            .timeIntervalSinceReferenceDate
    }

    /// Ends the service once every target has had pictures, and looks at what each got: one connection, every picture,
    /// each at its time.
    func expectWhole(_ sink: NginxRTMP, _ streams: String..., after daemon: Daemon) async throws {
        // A group is live with its encoder; a target on a busy machine may still be connecting then.
        for stream in streams { try await sink.waitForFrames(15, of: stream) }
        try await daemon.terminate()
        for stream in streams {
            #expect(try await sink.wasPublishedOnceInOrder(stream))
            let probe = try await MediaProbe.read(.url(sink.recording(of: stream)))
            #expect(probe.backwards.isEmpty)
            let times = probe.packets(of: probe.video).compactMap(\.pts)
            let odd = zip(times, times.dropFirst()).enumerated().filter { !(33...34).contains($1.1 - $1.0) }
            // Where it is tells which handover it belongs to.
            let log = daemon.program.errors.lines.map(\.text)
                .filter { !$0.contains("level=debug") || $0.contains("encoder") }
            #expect(
                odd.isEmpty,
                """
                \(stream), \(times.count) pictures: \(odd.map { "\($1.0) ms to \($1.1) ms behind \($0)" })
                \(log.joined(separator: "\n"))
                """)
        }
    }
}

extension StatusReport {
    func gpu(_ gpu: LabGPU) -> GPU? { gpus.first { $0.slot == gpu.slot } }
}
