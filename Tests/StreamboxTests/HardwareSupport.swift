import Foundation
import Lab
import TestSupport
import Testing

/// What the tests of encoders on GPUs in the running service have in common.
protocol OnHardware {}

/// What `status --json` says of it.
struct HardwareStatus: Decodable {
    struct Channel: Decodable { var groups: [Group] }
    struct Group: Decodable {
        struct Exits: Decodable, Hashable {
            var encoder: String
            var cause: String
            var count: Int
        }
        var name: String
        var state: String
        var encoder: String
        var gpu: String?
        var why: String
        var lostFrames: Int
        var handovers: [String: Int]
        var exits: [Exits]

        var use: String { gpu.map { "\(encoder)@\($0)" } ?? encoder }
    }
    struct GPU: Decodable {
        var slot: String
        var node: String
        var state: String
    }
    struct Problem: Decodable {
        var problem: String
        var subject: String
        var sentence: String
    }
    var channels: [Channel]
    var gpus: [GPU]
    var problems: [Problem]

    var groups: [Group] { channels.flatMap(\.groups) }
    func gpu(_ gpu: LabGPU) -> GPU? { gpus.first { $0.slot == gpu.slot } }
}

extension OnHardware {
    static var onIntel: String { "h264_vaapi@0000:00:02.0" }
    static var onAMD: String { "h264_vaapi@0000:03:00.0" }
    static var onNVIDIA: String { "h264_nvenc@0000:01:00.0" }

    func box(_ groups: String...) -> String {
        """
          - name: main
            sources: [ { test: { size: 320x180, rate: 30 } } ]
            groups: [ \(groups.joined(separator: ", ")) ]
        """
    }

    func group(_ name: String, _ url: String, _ more: String = "") -> String {
        "{ name: \(name), video: { bitrate: 400k, keyframe: 1s\(more) }, targets: [ { name: to-\(name), url: \"\(url)\" } ] }"
    }

    func status(_ stage: Stage, _ daemon: Daemon) async throws -> HardwareStatus {
        let done = try await stage.command(["status", "--json", "--config", daemon.config])
        guard done.ending == .exited(0) else { throw Failed("status: \(done.errors)") }
        return try JSONDecoder().decode(HardwareStatus.self, from: Data(done.output))
    }

    /// When a line was logged, in seconds.
    func time(of line: String) -> Double? {
        guard let stamp = line.split(separator: " ").first(where: { $0.hasPrefix("time=") })?.dropFirst(5) else { return nil }
        return try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(String(stamp)).timeIntervalSinceReferenceDate
    }

    /// Waits until the status is as it should be, and gives it.
    @discardableResult
    func expect(
        _ what: String, _ stage: Stage, _ daemon: Daemon, within limit: Duration = .seconds(40), line: Int = #line, _ isSo: (HardwareStatus) -> Bool
    ) async throws -> HardwareStatus {
        var last: HardwareStatus?
        do {
            return try await eventually(what, within: limit, every: .milliseconds(200), line: line) {
                last = try await status(stage, daemon)
                return last.flatMap { isSo($0) ? $0 : nil }
            }
        } catch {
            throw Failed("\(error); it is \(last.map { "\($0)" } ?? "nothing")")
        }
    }

    /// Ends the service once every target has had pictures, and looks at what each got: one connection, every picture, each at its time.
    func expectWhole(_ sink: NginxRTMP, _ streams: String..., after daemon: Daemon) async throws {
        // A group is live with its encoder; a target on a busy machine may still be connecting then.
        for stream in streams { try await sink.waitForFrames(15, of: stream) }
        try await daemon.terminate()
        for stream in streams {
            #expect(try await sink.wasPublishedOnceInOrder(stream))
            let probe = try await MediaProbe.read(.url(sink.recording(of: stream)))
            #expect(probe.backwards.isEmpty)
            let times = probe.packets(of: probe.video).compactMap(\.pts)
            let steps = zip(times, times.dropFirst()).map { $1 - $0 }
            #expect(steps.allSatisfy { (33...34).contains($0) }, "\(stream): \(steps.filter { !(33...34).contains($0) })")
        }
    }
}
