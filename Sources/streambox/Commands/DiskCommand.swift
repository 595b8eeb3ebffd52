import ArgumentParser
import Glibc
import Supervision
import SystemPackage

/// Reads or writes a file. The service runs it in a process of its own, because a disk may hang.
struct DiskCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disk", abstract: "Reads or writes a file, for the service.", shouldDisplay: false)

    @Argument(help: "The task and the file.")
    var words: [String]

    func run() throws {
        guard let task = DiskTask(words) else { throw ValidationError("\(words.joined(separator: " ")) is no task") }
        Glibc.exit(task.run(environment: processEnvironment(), input: .standardInput, output: .standardOutput))
    }
}
