import Foundation
import TestSupport
import Testing

/// The hardware of a box, with the real libudev and libdrm on devices that umockdev simulates.
@Suite(.tags(.ffmpeg)) struct ProbeTests {
    private struct Report: Decodable {
        struct Entry: Decodable {
            var gpu: GPU
            var problem: String?
        }
        struct GPU: Decodable {
            var slot: String
            var driver: String
            var vendorID: Int
            var deviceName: String?
            var renderNode: String?
            var isBootVGA: Bool
        }
        struct Encoder: Decodable {
            var name: String
            var standing: String
        }
        struct Capture: Decodable {
            var serial: String?
            var model: String?
            var path: String
            var node: String
            var sound: String?
        }
        var hwaccels: [String]
        var gpus: [Entry]
        var encoders: [Encoder]
        var captureDevices: [Capture]
    }

    private static let devices = Document.root.appending(path: "Tests/CapabilityProbeTests/Devices/box.umockdev").path

    private func probe(_ options: String...) async throws -> Report {
        let done = try await TestProcess.run(
            "umockdev-run", ["--device", Self.devices, "--", Daemon.path, "probe", "--json"] + options)
        guard done.ending == .exited(0) else { throw Failed("probe: \(done.errors)") }
        return try JSONDecoder().decode(Report.self, from: Data(done.output))
    }

    @Test("GPUs are listed by slot, and capture cards by serial and port")
    func devices() async throws {
        let report = try await probe("--no-trial")
        let gpu = try #require(report.gpus.first?.gpu)
        #expect(report.gpus.count == 1)
        #expect(
            gpu.slot == "0000:00:02.0" && gpu.driver == "i915" && gpu.vendorID == 0x8086
                && gpu.deviceName == "Alder Lake-P")
        #expect(gpu.renderNode == "/dev/dri/renderD128" && gpu.isBootVGA)
        #expect(report.encoders.map(\.name).contains("h264_vaapi@0000:00:02.0"))
        let card = try #require(report.captureDevices.first)
        #expect(report.captureDevices.count == 1)
        #expect(
            card.serial == "SN0001" && card.model == "0fd9:0066" && card.node == "/dev/video0" && card.sound == "hw:1")
        #expect(card.path == "pci-0000:00:14.0-usb-0:2:1.0")
    }

    @Test("AV1 software encoders and FFmpeg's decoders are listed")
    func listed() async throws {
        let report = try await probe("--no-trial")
        for name in ["libsvtav1", "libaom-av1", "librav1e"] {
            #expect(report.encoders.first { $0.name == name }?.standing == "listed", "\(name)")
        }
        #expect(Set(report.hwaccels).isSuperset(of: ["cuda", "qsv", "vaapi"]), "\(report.hwaccels)")
    }

    @Test("a driver that does not start is reported for its GPU alone")
    func driver() async throws {
        // The device node exists, without a driver.
        #expect(try await probe().gpus.first?.problem != nil)
    }

    @Test("a machine without GPUs and cards is reported in words")
    func nothing() async throws {
        let done = try await TestProcess.run("umockdev-wrapper", [Daemon.path, "probe"])
        #expect(done.ending == .exited(0))
        for line in done.text.split(separator: "\n") { #expect(line.count <= 80) }
        #expect(done.text.contains(/libx264 +usable/) && done.text.contains(/librav1e +listed/))
        #expect(done.text.contains(/could decode with .*vaapi/), "\(done.text)")
    }
}
