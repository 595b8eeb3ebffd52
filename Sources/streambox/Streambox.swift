import ArgumentParser
import BuildInformation
import Glibc

/// The program. Exit status 0: done; 1: failed at run time; 2: wrong usage or configuration.
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

    /// Replaces the parser's own `--version`, which cannot be combined with ``verbose`` and is only shown in the help.
    @Flag(help: .hidden)
    var version = false

    @Flag(help: "With --version: also prints the commit, the Swift version and the dependencies of the build.")
    var verbose = false

    /// Runs before every subcommand, so that `streambox run --version` prints the version and starts nothing.
    func validate() throws {
        if version {
            let lines = verbose ? BuildInformation.current.lines : []
            throw CleanExit.message((["streambox \(Self.version)"] + lines).joined(separator: "\n"))
        }
        if verbose { throw ValidationError("--verbose needs --version") }
    }

    static func main() async {
        // A write to a closed pipe returns an error instead of ending the program.
        signal(SIGPIPE, SIG_IGN)
        // Swift's standard library reads the arguments from /proc and not from `main`. Without /proc it finds none, and
        // every command, even `--version`, would print the help.
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
            // An error of the parser. Help and version go to standard output with status 0; the rest is wrong usage.
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
