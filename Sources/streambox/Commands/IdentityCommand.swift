import ArgumentParser
import Glibc
import Supervision

/// Tells which file lies at a path; run by the service in a process of its own, because a disk may hang.
struct IdentityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "identity", abstract: "Tells which file lies at a path, for the service.", shouldDisplay: false)

    @Argument(help: "The path.")
    var path: String

    func run() { StandardOutput.write(FileLook.answer(for: path), to: STDOUT_FILENO) }
}
