import Foundation
import TestSupport

/// The compiled C parts of the lab.
struct LabParts: Sendable {
    let rig: String
    let nodes: String
    /// The folder with libva's driver.
    let drivers: String
    /// The folder with NVIDIA's libraries.
    let nvidia: String
    /// ALSA's plug-in of the sound cards.
    let sound: String
    /// Announces devices on the real netlink.
    let announcer: String

    private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("C").path

    /// Compiles the parts once for all tests of this process. Further callers wait for the result.
    static func built() async throws -> LabParts { try await parts.value }

    private static let parts = Task { try await build() }

    /// Compiles into a folder beside the tests, and renames complete files: several test processes may do so at the
    /// same time.
    private static func build() async throws -> LabParts {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        // The simulation of NVIDIA has the structures of the headers with which the FFmpeg in use was built.
        let root = ProcessInfo.processInfo.environment["STREAMBOX_TEST_ROOT"]
        let variant = root.map { "-" + URL(fileURLWithPath: $0).deletingLastPathComponent().lastPathComponent } ?? ""
        let folder = URL(fileURLWithPath: tests).deletingLastPathComponent().path + "/lab\(variant)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let parts = LabParts(
            rig: "\(folder)/rig", nodes: "\(folder)/nodes.so", drivers: folder, nvidia: "\(folder)/nvidia",
            sound: "\(folder)/sound.so",
            announcer: "\(folder)/announce")
        try FileManager.default.createDirectory(atPath: parts.nvidia, withIntermediateDirectories: true)
        let library = ["-shared", "-fPIC", "-pthread"]
        try await compile(["rig", "camera"], into: parts.rig, try await packages("umockdev-1.0", "libdrm"))
        try await compile(["announce"], into: parts.announcer, [])
        try await compile(["nodes"], into: parts.nodes, library + ["-ldl"])
        try await compile(["sound"], into: parts.sound, library + ["-DPIC", "-lm"] + (try await packages("alsa")))
        try await compile(
            ["va", "va_objects", "va_memory", "va_encode", "va_scale", "faults"], into: "\(folder)/lab_drv_video.so",
            library + (try await packages("libva", "libdrm", "x264", without: "-lx264")))
        let soname: (String) -> String = { "-Wl,-soname,\($0)" }
        try await compile(["cuda", "faults"], into: "\(parts.nvidia)/libcuda.so.1", library + [soname("libcuda.so.1")])
        try await compile(
            ["nvenc", "faults"], into: "\(parts.nvidia)/libnvidia-encode.so.1",
            library + (root.map { ["-I\($0)/usr/include"] } ?? []) + [soname("libnvidia-encode.so.1")]
                + (try await packages("x264", without: "-lx264")))
        return parts
    }

    private static func packages(_ names: String..., without left: String? = nil) async throws -> [String] {
        let flags = try await TestProcess.run("pkg-config", ["--cflags", "--libs"] + names).success("pkg-config").text
        return flags.split(whereSeparator: \.isWhitespace).map(String.init).filter { $0 != left }
    }

    private static func compile(_ names: [String], into path: String, _ options: [String]) async throws {
        let temporary = "\(path).\(getpid())"
        let files = names.map { "\(sources)/\($0).c" }
        _ = try await TestProcess.run(
            "clang", ["-O1", "-Wall", "-Wextra", "-Werror", "-o", temporary] + files + options, within: .seconds(60)
        )
        .success("clang \(names[0])")
        guard rename(temporary, path) == 0 else {
            throw Failed("cannot rename \(temporary): \(String(cString: strerror(errno)))")
        }
    }
}
