import Foundation
import TestSupport

/// The C parts of the lab, compiled.
struct LabParts: Sendable {
    let rig: String
    let nodes: String
    /// The folder with libva's driver.
    let drivers: String

    private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("C").path

    /// Once for all tests of this process; who comes meanwhile waits.
    static func built() async throws -> LabParts { try await parts.value }

    private static let parts = Task { try await build() }

    /// Compiles into a folder beside the tests, and renames what is complete: test processes may do so at the same time.
    private static func build() async throws -> LabParts {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let folder = URL(fileURLWithPath: tests).deletingLastPathComponent().path + "/lab"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let flags = try await Program.run("pkg-config", ["--cflags", "--libs", "umockdev-1.0", "libva"]).success("pkg-config").text
        let libraries = flags.split(whereSeparator: \.isWhitespace).map(String.init)
        let parts = LabParts(rig: "\(folder)/rig", nodes: "\(folder)/nodes.so", drivers: folder)
        try await compile("rig.c", into: parts.rig, libraries)
        try await compile("nodes.c", into: parts.nodes, ["-shared", "-fPIC", "-ldl"])
        try await compile("va.c", into: "\(folder)/lab_drv_video.so", ["-shared", "-fPIC"] + libraries)
        return parts
    }

    private static func compile(_ source: String, into path: String, _ options: [String]) async throws {
        let temporary = "\(path).\(getpid())"
        _ = try await Program.run("clang", ["-O1", "-Wall", "-Werror", "-o", temporary, "\(sources)/\(source)"] + options, within: .seconds(60))
            .success("clang \(source)")
        guard rename(temporary, path) == 0 else { throw Failed("cannot rename \(temporary): \(String(cString: strerror(errno)))") }
    }
}
