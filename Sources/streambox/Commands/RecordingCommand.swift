import ArgumentParser
import Glibc
import Supervision

/// Prepares, checks and prunes the folder of a recording. The service runs it in a process of its own, because a disk
/// may hang.
struct RecordingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recording", abstract: "Looks after the folder of a recording, for the service.",
        shouldDisplay: false)

    @Argument(help: "take, tidy or keep")
    var task: String

    @Argument(help: "The folder.")
    var folder: String

    @Argument(help: "The target.")
    var name: String

    @Argument(help: "The take to tidy, or the bytes to keep.")
    var number: Int64?

    func run() async throws {
        guard let task = RecordingTask(task, number: number) else { throw ValidationError("\(self.task) is no task") }
        do {
            StandardOutput.write(try await task.run(folder: folder, name: name), to: STDOUT_FILENO)
        } catch {
            // The service reads the error from standard output.
            StandardOutput.write("\(error)", to: STDOUT_FILENO)
            Glibc.exit(1)
        }
    }
}
