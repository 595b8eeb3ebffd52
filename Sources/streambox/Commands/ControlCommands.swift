import ArgumentParser
import BoxConfiguration
import Control
import Glibc
import Status

/// How a command finds the running service.
struct ServiceOptions: ParsableArguments {
    @Option(help: "The configuration file of the running service.")
    var config: String?

    @Option(help: "The runtime folder of the running service; else as its configuration has it.")
    var runtime: String?

    /// Asks the service, and prints what a person reads.
    ///
    /// - Throws: ``Failure``: 1 when it is refused or nobody answers, 2 when the request is wrong.
    @discardableResult
    func ask(_ request: ControlRequest) throws -> ControlReply {
        let reply: ControlReply
        do {
            reply = try ControlClient(path: try socket()).send(request)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure.atRunTime(error)
        }
        switch reply.outcome {
        case .done: return reply
        case .refused: throw Failure(status: 1, description: "streambox: \(reply.message)")
        case .mistaken: throw Failure(status: 2, description: "streambox: \(reply.message)")
        }
    }

    private func socket() throws -> String { ServicePaths.controlSocket(in: try folder()) }

    /// Its runtime folder.
    func folder() throws -> String {
        if let runtime { return runtime }
        let environment = processEnvironment()
        // The unit's service has a folder that a shell does not know of, and a login has one that the service does not
        // know of.
        let isUsed = { (folder: String) in access(ServicePaths.controlSocket(in: folder), F_OK) == 0 || errno == EACCES
        }
        let folder: String?
        do {
            folder = ServicePaths.runtime(
                try LoadedConfiguration(config, environment: environment).configuration, environment: environment)
        } catch {
            // The service goes on by what it read before its file had a mistake, and can be asked what is wrong.
            guard [nil, LoadedConfiguration.usual].contains(config), isUsed(ServicePaths.ofUnit) else { throw error }
            return ServicePaths.ofUnit
        }
        guard let found = [folder, ServicePaths.ofUnit].compactMap({ $0 }).first(where: isUsed) ?? folder else {
            throw Failure(
                status: 1,
                description:
                    """
                    streambox: no runtime folder is configured; name the one that the service printed with \
                    --runtime, or set `runtime:`
                    """
            )
        }
        return found
    }
}

/// The running service, for a person or for a program.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows the running service: sources, groups, targets, problems.")

    @OptionGroup var service: ServiceOptions

    @Flag(help: "One JSON object for programs.")
    var json = false

    @Flag(help: "Shows it again every second, until Ctrl-C.")
    var watch = false

    func run() async throws {
        let isTerminal = isatty(STDOUT_FILENO) == 1
        // https://no-color.org: set and not empty.
        let isColoured = isTerminal && (processEnvironment()["NO_COLOR"] ?? "").isEmpty
        repeat {
            let text = try render(coloured: isColoured)
            // A terminal is cleared; a file gets one after the other.
            print(watch && isTerminal ? "\u{1B}[H\u{1B}[2J" + text : text, terminator: "")
            fflush(nil)
            if watch { try await Task.sleep(for: .seconds(1)) }
        } while watch
    }

    private func render(coloured: Bool) throws -> String {
        guard let status = try service.ask(ControlRequest(.status)).status else {
            throw Failure(status: 1, description: "streambox: the service gave no status; is it of the same version?")
        }
        guard json else { return StatusTable.render(status, coloured: coloured) }
        return String(decoding: try StatusJSON.render(status, isPretty: !watch), as: UTF8.self)
    }
}

struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Has the running service read its configuration again; what is the same in it is not touched.")

    @OptionGroup var service: ServiceOptions

    func run() throws { print(try service.ask(ControlRequest(.reload)).message) }
}

/// What is done to a group or a target.
enum StartOrStop: String, ExpressibleByArgument, CaseIterable {
    case start, stop
}

struct GroupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "group", abstract: "Starts or stops a group with its targets; the wish outlasts a restart.")

    @Argument(help: "start or stop")
    var action: StartOrStop
    @Argument(help: "The group.")
    var name: String
    @OptionGroup var service: ServiceOptions

    func run() throws {
        print(try service.ask(ControlRequest(action == .start ? .startGroup : .stopGroup, name: name)).message)
    }
}

struct TargetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "target", abstract: "Starts or stops a target; the wish outlasts a restart.")

    @Argument(help: "start or stop")
    var action: StartOrStop
    @Argument(help: "The target.")
    var name: String
    @OptionGroup var service: ServiceOptions

    func run() throws {
        print(try service.ask(ControlRequest(action == .start ? .startTarget : .stopTarget, name: name)).message)
    }
}

struct HandoverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "handover",
        abstract: "Hands a group over to another encoder, or to a fresh process of the one in use; no picture is lost.")

    @Argument(help: "The group.")
    var group: String
    @Option(help: "The encoder, for instance libx264 or h264_vaapi@0000:03:00.0. It is tried first.")
    var encoder: String?
    @OptionGroup var service: ServiceOptions

    func run() throws { print(try service.ask(ControlRequest(.handover, name: group, encoder: encoder)).message) }
}
