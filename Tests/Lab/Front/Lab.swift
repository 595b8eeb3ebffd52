import Foundation
public import TestSupport

/// A machine of one's own: devices that are not there, seen by the real libudev, libdrm, libva and V4L2 of the programs
/// started in it.
///
/// The C parts lie beside, in `Tests/Lab/C`; they are compiled once a test run, with the clang that comes with Swift.
public struct Lab: Sendable {
    private let rig: Program
    /// What a program needs to see these devices.
    public let environment: [String: String?]

    /// The box that the descriptions in `Tests/CapabilityProbeTests/Devices` are of.
    static let devices = folder.deletingLastPathComponent().appendingPathComponent("CapabilityProbeTests/Devices")

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    /// Starts the rig on a stage, without any device.
    public init(_ stage: Stage) async throws {
        let parts = try await LabParts.built()
        // umockdev keeps its files where temporary files are; the stage's folder goes with the stage.
        rig = try await stage.program("umockdev-wrapper", [parts.rig], environment: ["TMPDIR": stage.folder.path], input: .pipe)
        let root = try await rig.output.first("the rig's folder") { $0.hasPrefix("/") }.text
        environment = [
            "UMOCKDEV_DIR": root, "LD_PRELOAD": "\(parts.nodes):libumockdev-preload.so.0",
            "LIBVA_DRIVERS_PATH": parts.drivers, "LIBVA_DRIVER_NAME": "lab", "LAB_VA": nil,
        ]
    }

    /// - Throws: `Failed` with the rig's words when it does not do it.
    public func tell(_ words: String...) async throws {
        let next = (rig.output.lines.last?.index ?? -1) + 1
        try await rig.write(Array((words.joined(separator: " ") + "\n").utf8))
        let answer = try await eventually("an answer to \(words)") {
            if let line = rig.output.lines.first(where: { $0.index >= next }) { return line.text }
            guard rig.isRunning else { throw Failed("the rig ended at \(words): \(rig.errors.text)") }
            return nil as String?
        }
        guard answer == "ok" else { throw Failed("rig \(words.joined(separator: " ")): \(answer)") }
    }

    /// Plugs in every device of a description.
    public func load(_ name: String) async throws {
        try await tell("load", Self.devices.appendingPathComponent(name).path)
    }

    /// Ends the rig, which takes its testbed away.
    public func end() async throws {
        rig.closeInput()
        guard try await rig.wait(.seconds(10)) == .exited(0) else { throw Failed("the rig ended badly: \(rig.errors.text)") }
    }
}

/// Runs `body` in a lab on a stage of its own.
public func withLab<Result>(_ body: (Stage, Lab) async throws -> Result) async throws -> Result {
    try await withStage { stage in
        let lab = try await Lab(stage)
        let result = try await body(stage, lab)
        try await lab.end()
        return result
    }
}
