import Foundation
import Lab
import TestSupport
import Testing

/// `probe` with the real libva on a driver that has no hardware, and with the real V4L2 questions.
@Suite struct ProbeLabTests {
    private struct Report: Decodable {
        struct GPU: Decodable {
            var slot: String
            var driver: String
            var deviceID: Int?
            var renderNode: String?
        }
        struct Entry: Decodable {
            var gpu: GPU
            var va: VA?
            var problem: String?
            var problemKind: String?
        }
        struct VA: Decodable {
            struct Encoder: Decodable, Equatable {
                var profile: String
                var entrypoint: String
                var rateControls: [String]
                var mostWidth: Int?
                var mostHeight: Int?
            }
            var driver: String
            var encoders: [Encoder]
            var processesVideo: Bool
        }
        struct Mode: Decodable, Equatable {
            var format: String
            var width: Int
            var height: Int
            var rates: [String]
        }
        struct Capture: Decodable {
            var node: String
            var driver: String?
            var modes: [Mode]?
        }
        struct Board: Decodable, Equatable {
            var node: String
            var driver: String
            var codecs: [String]
        }
        var gpus: [Entry]
        var captureDevices: [Capture]
        var v4l2Encoders: [Board]
    }

    private func probe(_ stage: Stage, _ lab: Lab, fault: String? = nil) async throws -> Report {
        let environment = lab.environment.merging(["LAB_VA": fault]) { $1 }
        let done = try await stage.command(["probe", "--json"], environment: environment)
        guard done.ending == .exited(0) else { throw Failed("probe: \(done.errors)") }
        return try JSONDecoder().decode(Report.self, from: Data(done.output))
    }

    @Test("a VA driver is asked for profiles, entrypoints, rate controls and sizes", arguments: [nil, "talk"])
    func driver(fault: String?) async throws {
        try await withLab { stage, lab in
            try await lab.load("box.umockdev")
            let entry = try #require(try await probe(stage, lab, fault: fault).gpus.first)
            let va = try #require(entry.va, "\(entry.problem ?? "no problem told")")
            #expect(va.driver == "Lab VA driver" && va.processesVideo && entry.problem == nil)
            #expect(va.encoders == [
                .init(profile: "VAProfileH264High", entrypoint: "VAEntrypointEncSlice", rateControls: ["CQP", "CBR"], mostWidth: 4096, mostHeight: 2304),
                .init(profile: "VAProfileHEVCMain", entrypoint: "VAEntrypointEncSliceLP", rateControls: ["CQP", "QVBR"]),
            ])
        }
    }

    @Test("a VA driver that says no, crashes or hangs costs its own answer alone", arguments: [("refuse", "refused"), ("crash", "crashed"), ("hang", "hung")])
    func faults(fault: String, kind: String) async throws {
        try await withLab { stage, lab in
            try await lab.load("box.umockdev")
            let report = try await probe(stage, lab, fault: fault)
            let entry = try #require(report.gpus.first)
            #expect(entry.va == nil && entry.problemKind == kind, "\(entry.problem ?? "no problem told")")
            #expect(entry.problem?.isEmpty == false && report.captureDevices.count == 1)
            #expect(stage.leftovers.filter { $0.command.contains("probe va") }.isEmpty)
        }
    }

    @Test("an NVIDIA GPU without DRM nodes is found by its PCI slot, beside one that has them, and has no VA driver")
    func nvidia() async throws {
        try await withLab { stage, lab in
            try await lab.load("box.umockdev")
            try await lab.load("nvidia.umockdev")
            let report = try await probe(stage, lab)
            #expect(report.gpus.map(\.gpu.slot) == ["0000:00:02.0", "0000:01:00.0"])
            let entry = try #require(report.gpus.last)
            #expect(entry.gpu.driver == "nvidia" && entry.gpu.deviceID == 0x1EB0 && entry.gpu.renderNode == nil)
            #expect(entry.va == nil && entry.problem == nil)
        }
    }

    @Test("a capture card tells its modes, a board's encoder its codecs, and neither passes for the other")
    func video() async throws {
        try await withLab { stage, lab in
            try await lab.load("box.umockdev")
            try await lab.load("encoder.umockdev")
            try await lab.tell("video", "/dev/video0", "capture")
            try await lab.tell("video", "/dev/video11", "encoder")
            let report = try await probe(stage, lab)
            #expect(report.captureDevices.map(\.node) == ["/dev/video0"])
            #expect(report.captureDevices.first?.driver == "uvcvideo")
            #expect(report.captureDevices.first?.modes == [
                .init(format: "YUYV", width: 1280, height: 720, rates: ["60", "30"]),
                .init(format: "YUYV", width: 1920, height: 1080, rates: ["30"]),
                .init(format: "NV12", width: 1920, height: 1080, rates: ["60"]),
            ])
            #expect(report.v4l2Encoders == [.init(node: "/dev/video11", driver: "bcm2835-codec", codecs: ["h264"])])
            let text = try await stage.command(["probe"], environment: lab.environment).text
            for line in text.split(separator: "\n") { #expect(line.count <= 80) }
            for words in ["YUYV  up to 1920x1080 at 30", "/dev/video11  bcm2835-codec  h264", "Lab VA driver", "serial SN0001"] {
                #expect(text.contains(words), "\(text)")
            }
        }
    }
}
