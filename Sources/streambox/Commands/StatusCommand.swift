import ArgumentParser
import Control
import Glibc
import Status

/// Shows the running service to a person or a program.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows the running service: sources, groups, targets, problems.")

    @OptionGroup var service: ServiceOptions

    @Flag(help: "Prints one JSON object for programs.")
    var json = false

    @Flag(help: "Shows the status again every second, until Ctrl-C.")
    var watch = false

    func run() async throws {
        let isTerminal = isatty(STDOUT_FILENO) == 1
        // https://no-color.org: set and not empty.
        let isColoured = isTerminal && (processEnvironment()["NO_COLOR"] ?? "").isEmpty
        repeat {
            let text = try render(coloured: isColoured)
            // A terminal is cleared first; a file gets one status after the other.
            print(watch && isTerminal ? "\u{1B}[H\u{1B}[2J" + text : text, terminator: "")
            fflush(nil)
            if watch { try await Task.sleep(for: .seconds(1)) }
        } while watch
    }

    private func render(coloured: Bool) throws -> String {
        guard let status = try service.ask(ControlRequest(.status)).status else {
            throw Failure(
                status: 1,
                description: "streambox: the service sent no status; check that it has the version of this command")
        }
        guard json else { return StatusTable.render(status, coloured: coloured) }
        return String(decoding: try StatusJSON.render(status, isPretty: !watch), as: UTF8.self)
    }
}
