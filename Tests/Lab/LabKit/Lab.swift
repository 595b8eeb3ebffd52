import Foundation
package import TestSupport

/// A machine of one's own: devices that are not there, seen by the real libudev, libdrm, libva and V4L2 of the programs
/// started in it.
///
/// The C parts lie beside, in `Tests/Lab/C`; they are compiled once a test run, with the clang that comes with Swift.
package struct Lab: Sendable {
    private let rig: TestProcess
    private let folder: TemporaryFolder
    /// What a program needs to see these devices.
    package let environment: [String: String?]
    /// On top of it: what finds NVIDIA's libraries.
    package let nvidiaEnvironment: [String: String?]

    /// The box that the descriptions in `Tests/CapabilityProbeTests/Devices` are of.
    static let devices = folder.deletingLastPathComponent().appendingPathComponent("CapabilityProbeTests/Devices")

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    /// Starts the rig on a stage, without any device.
    package init(_ stage: Stage) async throws {
        let parts = try await LabParts.built()
        // umockdev keeps its files where temporary files are; the stage's folder goes with the stage.
        rig = try await stage.program(
            "umockdev-wrapper", [parts.rig], environment: ["TMPDIR": stage.folder.path], input: .pipe)
        let root = try await rig.output.first("the rig's folder") { $0.hasPrefix("/") }.text
        folder = stage.folder
        environment = [
            "UMOCKDEV_DIR": root, "LD_PRELOAD": "\(parts.nodes):libumockdev-preload.so.0",
            "LIBVA_DRIVERS_PATH": parts.drivers, "LIBVA_DRIVER_NAME": "lab",
            "SOFTVA_FAULTS": folder.path(Self.faultsFile),
            // In place of all of ALSA's own.
            "ALSA_CONFIG_PATH": try folder.write("asound.conf", Self.soundCards(parts.sound)), "ALSA_LAB": folder.path,
        ]
        nvidiaEnvironment = environment.merging([
            "LD_LIBRARY_PATH": parts.nvidia, "SOFTNV_FAULTS": folder.path(Self.nvidiaFaultsFile),
        ]) { $1 }
    }

    /// - Throws: `Failed` with the rig's words when it does not do it.
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

    /// Plugs a GPU in: its driver answers, and its "add" events come.
    package func plug(_ gpu: LabGPU) async throws {
        let path = try folder.write("\(UUID().uuidString).umockdev", gpu.description)
        if gpu.render == nil { return try await tell("load", path) }
        // The answering comes first for who looks at the event; it needs the node, and so an event is sent once more.
        try await tell("load", path)
        for node in gpu.nodes { try await tell("drm", node, gpu.driver) }
        for device in gpu.devices { try await tell("event", device, "change") }
    }

    /// Pulls a GPU: who has it open is told so by the kernel, and the "remove" events come.
    package func unplug(_ gpu: LabGPU) async throws {
        for node in gpu.nodes { try await tell("gone", node) }
        for device in gpu.devices.reversed() { try await tell("unplug", device) }
        try await tell("unplug", gpu.path)
    }

    /// The kernel says that a GPU is beyond recovery.
    ///
    /// - Parameter recovery: How it could be had back; `none` where its driver has done so already.
    package func wedge(_ gpu: LabGPU, recovery: String = "rebind") async throws {
        guard let card = gpu.devices.first else { throw Failed("\(gpu.slot) has no DRM device") }
        try await tell("set", card, "WEDGED", recovery)
        try await tell("event", card, "change")
    }

    /// A GPU's render node belongs to a group, and to nobody else.
    package func restrict(_ gpu: LabGPU, to group: String) async throws {
        guard let node = gpu.nodes.last else { throw Failed("\(gpu.slot) has no node") }
        try await restrict(node, to: group)
    }

    /// A node belongs to a group, and to nobody else. Group `root` is the one of tests that root runs.
    package func restrict(_ node: String, to group: String) async throws {
        let file = (environment["UMOCKDEV_DIR"]! ?? "") + node
        _ = try await TestProcess.run("chown", ["nobody:\(group)", file]).success("chown")
        _ = try await TestProcess.run("chmod", ["0660", file]).success("chmod")
    }

    /// Options of setpriv: a program that root starts with them is bound by the permissions of files, as any other user
    /// is. Root in a container may have the two capabilities as inheritable ones, so the bounding set is not enough.
    package static let boundByPermissions =
        ["--inh-caps=-dac_override,-dac_read_search", "--bounding-set=-dac_override,-dac_read_search"]

    /// A GPU's render node may be opened by everybody, as a new udev rule has it.
    package func permit(_ gpu: LabGPU) async throws {
        guard let node = gpu.nodes.last, let root = environment["UMOCKDEV_DIR"] ?? nil else {
            throw Failed("\(gpu.slot) has no node")
        }
        _ = try await TestProcess.run("chmod", ["0666", root + node]).success("chmod")
        for device in gpu.devices { try await tell("event", device, "change") }
    }

    // MARK: Cameras

    /// Plugs a camera in: it gives pictures, and its "add" events come.
    package func plug(_ camera: LabCamera) async throws {
        try await tell("load", try folder.write("\(UUID().uuidString).umockdev", camera.description))
        try await tell("camera", camera.node, camera.modes.map(\.text).joined(separator: ","), camera.pictures)
        try await tell("usb", camera.usbNode, camera.node)
        if camera.sound != nil { try await plugSound(of: camera) }
        try await tell("event", camera.device, "change")
    }

    /// Plugs a camera in whose driver answers nothing, ever.
    package func plugHung(_ camera: LabCamera) async throws {
        try await tell("load", try folder.write("\(UUID().uuidString).umockdev", camera.description))
        try await tell("video", camera.node, "hung")
        try await tell("event", camera.device, "change")
    }

    package func unplugHung(_ camera: LabCamera) async throws {
        for device in [camera.device, camera.usb] { try await tell("unplug", device) }
    }

    /// Pulls a camera: who has it open is told so by the kernel, and the "remove" events come.
    package func unplug(_ camera: LabCamera) async throws {
        try await tell("gone", camera.node)
        try await tell("unplug", camera.device)
        if camera.sound != nil { try await unplugSound(of: camera) }
        try await tell("unplug", camera.usb)
    }

    /// A camera gives no pictures any more, without a word; or gives them again.
    package func freeze(_ camera: LabCamera, _ isFrozen: Bool = true) async throws {
        try await tell("freeze", camera.node, isFrozen ? "1" : "0")
    }

    /// Another program has a camera, or has it no more.
    package func occupy(_ camera: LabCamera, _ isBusy: Bool = true) async throws {
        try await tell("busy", camera.node, isBusy ? "1" : "0")
    }

    /// What arrives at the HDMI input of a camera, which has one from now on; `nil` for nothing.
    package func send(_ size: (width: Int, height: Int)?, to camera: LabCamera) async throws {
        try await tell("hdmi", camera.node, "\(size?.width ?? 0)", "\(size?.height ?? 0)")
    }

    // MARK: Sound

    private static func soundCards(_ library: String) -> String {
        """
        pcm_type.lab.lib "\(library)"
        pcm.hw { @args [ CARD ] @args.CARD { type string } type lab card $CARD }
        pcm.plughw { @args [ CARD ] @args.CARD { type string } type plug slave.pcm { type lab card $CARD } }

        """
    }

    /// The sound of a camera is there, and its "add" event comes.
    ///
    /// - Parameter drift: Millionths by which its clock is fast.
    package func plugSound(of camera: LabCamera, drift: Int = 0) async throws {
        guard let description = camera.soundDescription else { throw Failed("\(camera.node) has no sound") }
        try setSound(of: camera, drift: drift)
        try await tell("load", try folder.write("\(UUID().uuidString).umockdev", description))
    }

    /// The sound of a camera is gone, who has it open is told so by the kernel, and its "remove" event comes.
    package func unplugSound(of camera: LabCamera) async throws {
        guard let device = camera.soundDevice else { throw Failed("\(camera.node) has no sound") }
        try setSound(of: camera, drift: nil)
        try await tell("unplug", device)
    }

    /// The same without a word of udev's.
    ///
    /// - Parameter drift: Likewise; `nil` for no sound any more.
    package func setSound(of camera: LabCamera, drift: Int?) throws {
        let name = "card\(camera.sound ?? 0)"
        if let drift { return try replace(name, with: "\(drift)\n") }
        guard unlink(folder.path(name)) == 0 else {
            throw Failed("cannot remove \(name): \(String(cString: strerror(errno)))")
        }
    }

    // MARK: Faults

    /// Calls of the VA driver that may fail.
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

    /// Calls of NVIDIA's libraries that may fail.
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

    /// From now on a call fails, in programs that run and in those to come.
    ///
    /// - Parameters:
    ///   - after: So many calls in a process go well before.
    ///   - gpu: `nil` for all.
    package func fail(_ call: Call, _ fault: Fault, after: Int = 0, on gpu: LabGPU? = nil) throws {
        try add(
            "\(call.rawValue) \(fault) after=\(after)" + (gpu?.render.map { " gpu=\($0)" } ?? ""), to: Self.faultsFile)
    }

    package func fail(_ call: NVIDIACall, _ fault: Fault, after: Int = 0) throws {
        try add("\(call.rawValue) \(fault) after=\(after)", to: Self.nvidiaFaultsFile)
    }

    /// What the VA driver can do: `noencoder`, `noscaler`, `talks` (1), `messages` (1: takes SEI messages), `width`,
    /// `height` (pixels), `contexts` (a process).
    package func limit(_ name: String, _ value: Int, on gpu: LabGPU? = nil) throws {
        try add("Limit \(name)=\(value)" + (gpu?.render.map { " gpu=\($0)" } ?? ""), to: Self.faultsFile)
    }

    /// What NVIDIA's can do: `devices`, `sessions` (over all processes), `version` (16 a major), `width`.
    package func limitNVIDIA(_ name: String, _ value: Int) throws {
        try add("Limit \(name)=\(value)", to: Self.nvidiaFaultsFile)
    }

    /// A line of the VA driver's faults, as `Tests/Lab/C/faults.h` has them.
    package func add(_ line: String) throws { try add(line, to: Self.faultsFile) }

    /// Everything works again.
    package func heal() throws {
        for name in [Self.faultsFile, Self.nvidiaFaultsFile] { try replace(name, with: "") }
    }

    private func add(_ line: String, to name: String) throws {
        let before = (try? String(contentsOfFile: folder.path(name), encoding: .utf8)) ?? ""
        try replace(name, with: before + line + "\n")
    }

    /// In one step: a driver may read it at any time.
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

    /// Ends the rig, which takes its testbed away.
    package func end() async throws {
        rig.closeInput()
        guard try await rig.wait(.seconds(10)) == .exited(0) else {
            throw Failed("the rig ended badly: \(rig.errors.text)")
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
