import ArgumentParser
import Glibc

/// The program. Exit status 0: done; 1: failed at run time; 2: usage or configuration.
@main
struct Streambox: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "streambox",
        abstract: "Takes live sources in, encodes them once per output group, and keeps every target on air.",
        version: "streambox \(version)",
        subcommands: [
            Run.self, Check.self, Plan.self, Probe.self, StatusCommand.self, ReloadCommand.self, GroupCommand.self,
            TargetCommand.self, HandoverCommand.self,
            TapCommand.self, RecordingCommand.self, DiskCommand.self,
        ])

    static func main() async {
        // A reader of ours that goes away is an error to handle, not an end.
        signal(SIGPIPE, SIG_IGN)
        // Swift's library reads a program's arguments there and gives nothing of those that the kernel handed to
        // `main`; without it every command, `--version` too, would be taken for none.
        guard !CommandLine.arguments.isEmpty else {
            complain(
                "streambox: its arguments cannot be read, because /proc is not mounted; run: mount -t proc proc /proc")
            Glibc.exit(1)
        }
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            complain(failure.description)
            Glibc.exit(failure.status)
        } catch {
            // The parser's own: help and version go to stdout with 0, everything else is a mistake in usage.
            let text = fullMessage(for: error)
            guard exitCode(for: error) != .success else {
                print(text)
                Glibc.exit(0)
            }
            complain(text)
            Glibc.exit(2)
        }
    }

    private static func complain(_ text: String) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        let priority = Journal.reads(STDERR_FILENO, environment: processEnvironment()) ? "<3>" : ""
        StandardOutput.tryWrite(lines.map { "\(priority)\($0)\n" }.joined(), to: STDERR_FILENO)
    }
}

/// Why a command ends without having done its work.
struct Failure: Error, CustomStringConvertible {
    var status: CInt
    var description: String

    static func atRunTime(_ error: any Error) -> Failure { Failure(status: 1, description: "streambox: \(error)") }
    static func inConfiguration(_ error: any Error) -> Failure { Failure(status: 2, description: "\(error)") }
}
