import Foundation
package import TestSupport

/// Simulated devices, which the real libudev, libdrm, libva and V4L2 of the programs started in the lab see.
///
/// The C parts are in `Tests/Lab/C`. They are compiled once for each test run, with the clang that comes with Swift.
package struct Lab: Sendable {
    private let rig: TestProcess
    private let folder: TemporaryFolder
    /// The environment in which a program sees these devices.
    package let environment: [String: String?]
    /// The same environment, in which a program also finds NVIDIA's libraries.
    package let nvidiaEnvironment: [String: String?]

    /// The folder of device descriptions.
    static let devices = folder.deletingLastPathComponent().appendingPathComponent("CapabilityProbeTests/Devices")

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    /// Starts the rig on a stage, without any device.
    package init(_ stage: Stage) async throws {
        let parts = try await LabParts.built()
        // umockdev writes to the folder for temporary files, and the stage's folder goes with the stage.
        rig = try await stage.program(
            "umockdev-wrapper", [parts.rig], environment: ["TMPDIR": stage.folder.path], input: .pipe)
        let root = try await rig.output.first("the rig's folder") { $0.hasPrefix("/") }.text
        folder = stage.folder
        environment = [
            "UMOCKDEV_DIR": root, "LD_PRELOAD": "\(parts.nodes):libumockdev-preload.so.0",
            "LIBVA_DRIVERS_PATH": parts.drivers, "LIBVA_DRIVER_NAME": "lab",
            "SOFTVA_FAULTS": folder.path(Self.faultsFile),
            // Replaces the whole configuration of ALSA.
            "ALSA_CONFIG_PATH": try folder.write("asound.conf", Self.soundCards(parts.sound)), "ALSA_LAB": folder.path,
        ]
        nvidiaEnvironment = environment.merging([
            "LD_LIBRARY_PATH": parts.nvidia, "SOFTNV_FAULTS": folder.path(Self.nvidiaFaultsFile),
        ]) { $1 }
    }

    /// Sends a command to the rig.
    ///
    /// - Throws: `Failed` with the rig's answer if the command fails.
    package func tell(_ words: String?...) async throws {
        let words = words.compactMap { $0 }
        let next = (rig.output.lines.last?.index ?? -1) + 1
        try await rig.write(Array((words.joined(separator: " ") + "\n").utf8))
        let answer = try await eventually("an answer to \(words)") {
            if let line = rig.output.lines.first(where: { $0.index >= next }) { return line.text }
            guard rig.isRunning else { throw Failed("the rig ended at \(words): \(rig.errors.text)") }
            return nil as String?
        }
        guard answer == "ok" else { throw Failed("rig \(words.joined(separator: " ")): \(answer)") }
    }

    // MARK: GPUs

    /// Plugs in a GPU: its driver answers, and udev sends its "add" events.
    package func plug(_ gpu: LabGPU) async throws {
        let path = try folder.write("\(UUID().uuidString).umockdev", gpu.description)
        if gpu.render == nil { return try await tell("load", path) }
        // A listener of the event expects the driver to answer. The driver needs the node, so another event follows.
        try await tell("load", path)
        for node in gpu.nodes { try await tell("drm", node, gpu.driver) }
        for device in gpu.devices { try await tell("event", device, "change") }
    }

    /// Unplugs a GPU: programs that have it open get ENODEV, and udev sends the "remove" events.
    package func unplug(_ gpu: LabGPU) async throws {
        for node in gpu.nodes { try await tell("gone", node) }
        for device in gpu.devices.reversed() { try await tell("unplug", device) }
        try await tell("unplug", gpu.path)
    }

    /// The kernel reports that a GPU is wedged.
    ///
    /// - Parameter recovery: The recovery that the kernel suggests; `none` if the driver has reset the GPU already.
    package func wedge(_ gpu: LabGPU, recovery: String = "rebind") async throws {
        guard let card = gpu.devices.first else { throw Failed("\(gpu.slot) has no DRM device") }
        try await tell("set", card, "WEDGED", recovery)
        try await tell("event", card, "change")
    }

    /// Restricts a GPU's render node to a group.
    package func restrict(_ gpu: LabGPU, to group: String) async throws {
        guard let node = gpu.nodes.last else { throw Failed("\(gpu.slot) has no node") }
        try await restrict(node, to: group)
    }

    /// Restricts a node to a group. Tests that root runs are in the group `root`.
    package func restrict(_ node: String, to group: String) async throws {
        let file = (environment["UMOCKDEV_DIR"]! ?? "") + node
        _ = try await TestProcess.run("chown", ["nobody:\(group)", file]).success("chown")
        _ = try await TestProcess.run("chmod", ["0660", file]).success("chmod")
    }

    /// Options of setpriv with which a program of root is bound by file permissions like any other user. In a container
    /// root may have the two capabilities as inheritable ones, so the bounding set is not enough.
    package static let boundByPermissions =
        ["--inh-caps=-dac_override,-dac_read_search", "--bounding-set=-dac_override,-dac_read_search"]

    /// Opens a GPU's render node to every user, as a new udev rule does.
    package func permit(_ gpu: LabGPU) async throws {
        guard let node = gpu.nodes.last, let root = environment["UMOCKDEV_DIR"] ?? nil else {
            throw Failed("\(gpu.slot) has no node")
        }
        _ = try await TestProcess.run("chmod", ["0666", root + node]).success("chmod")
        for device in gpu.devices { try await tell("event", device, "change") }
    }

    // MARK: Cameras

    /// Plugs in a camera: it delivers frames, and udev sends its "add" events.
    package func plug(_ camera: LabCamera) async throws {
        try await tell("load", try folder.write("\(UUID().uuidString).umockdev", camera.description))
        try await tell("camera", camera.node, camera.modes.map(\.text).joined(separator: ","), camera.compressedVideo)
        try await tell("usb", camera.usbNode, camera.node)
        if camera.sound != nil { try await plugSound(of: camera) }
        try await tell("event", camera.device, "change")
    }

    /// Plugs in a camera whose driver never answers.
    package func plugHung(_ camera: LabCamera) async throws {
        try await tell("load", try folder.write("\(UUID().uuidString).umockdev", camera.description))
        try await tell("video", camera.node, "hung")
        try await tell("event", camera.device, "change")
    }

    package func unplugHung(_ camera: LabCamera) async throws {
        for device in [camera.device, camera.usb] { try await tell("unplug", device) }
    }

    /// Unplugs a camera: programs that have it open get ENODEV, and udev sends the "remove" events.
    package func unplug(_ camera: LabCamera) async throws {
        try await tell("gone", camera.node)
        try await tell("unplug", camera.device)
        if camera.sound != nil { try await unplugSound(of: camera) }
        try await tell("unplug", camera.usb)
    }

    /// Freezes a camera, so that it silently delivers no frames; or undoes that.
    package func freeze(_ camera: LabCamera, _ isFrozen: Bool = true) async throws {
        try await tell("freeze", camera.node, isFrozen ? "1" : "0")
    }

    /// Lets another program use a camera, or undoes that.
    package func occupy(_ camera: LabCamera, _ isBusy: Bool = true) async throws {
        try await tell("busy", camera.node, isBusy ? "1" : "0")
    }

    /// Sets the signal at the HDMI input of a camera, which has such an input from now on; `nil` for no signal.
    package func send(_ size: (width: Int, height: Int)?, to camera: LabCamera) async throws {
        try await tell("hdmi", camera.node, "\(size?.width ?? 0)", "\(size?.height ?? 0)")
    }

    // MARK: Sound cards

    private static func soundCards(_ library: String) -> String {
        """
        pcm_type.lab.lib "\(library)"
        pcm.hw { @args [ CARD ] @args.CARD { type string } type lab card $CARD }
        pcm.plughw { @args [ CARD ] @args.CARD { type string } type plug slave.pcm { type lab card $CARD } }

        """
    }

    /// Plugs in the sound card of a camera, and udev sends its "add" event.
    ///
    /// - Parameter drift: How fast its clock is, in parts per million.
    package func plugSound(of camera: LabCamera, drift: Int = 0) async throws {
        guard let description = camera.soundDescription else { throw Failed("\(camera.node) has no sound") }
        try setSound(of: camera, drift: drift)
        try await tell("load", try folder.write("\(UUID().uuidString).umockdev", description))
    }

    /// Unplugs the sound card of a camera: programs that have it open get an error, and udev sends the "remove" event.
    package func unplugSound(of camera: LabCamera) async throws {
        guard let device = camera.soundDevice else { throw Failed("\(camera.node) has no sound") }
        try setSound(of: camera, drift: nil)
        try await tell("unplug", device)
    }

    /// Plugs in or unplugs the sound card of a camera without a udev event.
    ///
    /// - Parameter drift: How fast its clock is, in parts per million; `nil` to unplug it.
    package func setSound(of camera: LabCamera, drift: Int?) throws {
        let name = "card\(camera.sound ?? 0)"
        if let drift { return try replace(name, with: "\(drift)\n") }
        guard unlink(folder.path(name)) == 0 else {
            throw Failed("cannot remove \(name): \(String(cString: strerror(errno)))")
        }
    }

    // MARK: Faults

    /// Calls of the VA driver that can fail.
    package enum Call: String, Sendable {
        case start = "Init"
        case createConfig = "CreateConfig"
        case createContext = "CreateContext"
        case createSurfaces = "CreateSurfaces"
        case endPicture = "EndPicture"
        case scale = "Scale"
        case syncSurface = "SyncSurface"
        case syncBuffer = "SyncBuffer"
        case mapBuffer = "MapBuffer"
    }

    /// Calls of NVIDIA's libraries that can fail.
    package enum NVIDIACall: String, Sendable {
        case cuInit, cuCtxCreate, cuCtxPushCurrent
        case openSession = "OpenSession"
        case initialize = "Initialize"
        case encodePicture = "EncodePicture"
        case lockBitstream = "LockBitstream"
    }

    package enum Fault: Sendable, CustomStringConvertible {
        case busy, operationFailed, encodingError, allocationFailed, hang, crash
        case sleep(milliseconds: Int)
        case code(Int)

        package var description: String {
            switch self {
            case .busy: "HW_BUSY"
            case .operationFailed: "OPERATION_FAILED"
            case .encodingError: "ENCODING_ERROR"
            case .allocationFailed: "ALLOCATION_FAILED"
            case .hang: "hang"
            case .crash: "crash"
            case .sleep(let milliseconds): "sleep=\(milliseconds)"
            case .code(let code): "\(code)"
            }
        }
    }

    private static let faultsFile = "va.faults"
    private static let nvidiaFaultsFile = "nvidia.faults"

    /// Lets a call fail from now on, in running and in later programs.
    ///
    /// - Parameters:
    ///   - after: The number of calls in a process that succeed before.
    ///   - gpu: The GPU; `nil` for all.
    package func fail(_ call: Call, _ fault: Fault, after: Int = 0, on gpu: LabGPU? = nil) throws {
        try add(
            "\(call.rawValue) \(fault) after=\(after)" + (gpu?.render.map { " gpu=\($0)" } ?? ""), to: Self.faultsFile)
    }

    package func fail(_ call: NVIDIACall, _ fault: Fault, after: Int = 0) throws {
        try add("\(call.rawValue) \(fault) after=\(after)", to: Self.nvidiaFaultsFile)
    }

    /// Sets a limit of the VA driver: `noencoder`, `noscaler`, `talks` (1: writes messages), `messages` (1: takes SEI
    /// messages), `width`, `height` (in pixels), `contexts` (per process).
    package func limit(_ name: String, _ value: Int, on gpu: LabGPU? = nil) throws {
        try add("Limit \(name)=\(value)" + (gpu?.render.map { " gpu=\($0)" } ?? ""), to: Self.faultsFile)
    }

    /// Sets a limit of NVIDIA's libraries: `devices`, `sessions` (of all processes), `version` (16 times the major
    /// version), `width`.
    package func limitNVIDIA(_ name: String, _ value: Int) throws {
        try add("Limit \(name)=\(value)", to: Self.nvidiaFaultsFile)
    }

    /// Adds a line to the VA driver's faults, in the format of `Tests/Lab/C/faults.h`.
    package func add(_ line: String) throws { try add(line, to: Self.faultsFile) }

    /// Removes all faults and limits.
    package func heal() throws {
        for name in [Self.faultsFile, Self.nvidiaFaultsFile] { try replace(name, with: "") }
    }

    private func add(_ line: String, to name: String) throws {
        let before = (try? String(contentsOfFile: folder.path(name), encoding: .utf8)) ?? ""
        try replace(name, with: before + line + "\n")
    }

    /// Replaces a file by a rename, because a driver may read it at any time.
    private func replace(_ name: String, with text: String) throws {
        let temporary = try folder.write(name + ".new", text)
        guard rename(temporary, folder.path(name)) == 0 else {
            throw Failed("cannot rename \(temporary): \(String(cString: strerror(errno)))")
        }
    }

    /// Plugs in every device of a description.
    package func load(_ name: String) async throws {
        try await tell("load", Self.devices.appendingPathComponent(name).path)
    }

    /// Ends the rig, which removes its testbed.
    package func end() async throws {
        rig.closeInput()
        guard try await rig.wait(.seconds(10)) == .exited(0) else {
            throw Failed("the rig failed: \(rig.errors.text)")
        }
    }
}

/// Runs `body` in a lab on a stage of its own.
package func withLab<Result>(_ body: (Stage, Lab) async throws -> Result) async throws -> Result {
    try await withStage { stage in
        let lab = try await Lab(stage)
        let result = try await body(stage, lab)
        try await lab.end()
        return result
    }
}
