import Foundation
import TestSupport

/// A small tmpfs that is mounted at a folder for the service alone: the service runs in a mount namespace of its own.
struct PrivateDisk {
    let folder: String
    let daemon: Daemon
    private static let isRoot = geteuid() == 0

    /// Mounts the disk and starts the service, as root or in a user namespace.
    ///
    /// - Parameters:
    ///   - size: The size of the disk as mount(8) reads it, such as `256k`.
    ///   - options: Further options of `streambox run`.
    init(_ stage: Stage, size: String, at folder: String, config: String, options: String = "") async throws {
        let mount = "mount -t tmpfs -o size=\(size) tmpfs \(folder)"
        let program = try await stage.program("unshare", Self.arguments(mount, "run --config \(config) \(options)"))
        self.folder = folder
        daemon = stage.daemon(program, config)
    }

    /// Arguments of `unshare` that mount something and then run a command of streambox.
    static func arguments(_ mount: String, _ command: String) -> [String] {
        [isRoot ? "-m" : "-Urm", "sh", "-c", "\(mount) && exec \(Daemon.path) \(command)"]
    }

    /// Runs a shell command in the folder, as the service sees it.
    ///
    /// - Returns: The standard output.
    /// - Throws: `Failed` if the command fails.
    @discardableResult
    func run(_ command: String) async throws -> String {
        let namespaces = Self.isRoot ? ["-m"] : ["-U", "--preserve-credentials", "-m"]
        let shell = ["sh", "-c", "cd \(folder) && { \(command); }"]
        return try await TestProcess.run("nsenter", ["-t", "\(daemon.program.pid)"] + namespaces + shell)
            .success(command).text
    }
}
