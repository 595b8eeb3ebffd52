import ArgumentParser
import Control

/// A command that sends one request to the running service and prints the answer.
protocol ControlCommand: ParsableCommand {
    var service: ServiceOptions { get }
    var request: ControlRequest { get }
}

extension ControlCommand {
    func run() throws { print(try service.ask(request).message) }
}

struct ReloadCommand: ControlCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Makes the running service read its configuration again; unchanged parts keep running.")

    @OptionGroup var service: ServiceOptions

    var request: ControlRequest { ControlRequest(.reload) }
}

/// The action of ``GroupCommand`` and ``TargetCommand``.
enum StartOrStop: String, ExpressibleByArgument, CaseIterable {
    case start, stop
}

struct GroupCommand: ControlCommand {
    static let configuration = CommandConfiguration(
        commandName: "group",
        abstract: "Starts or stops a group with its targets; a restart of the service keeps the choice.")

    @Argument(help: "start or stop")
    var action: StartOrStop
    @Argument(help: "The group.")
    var name: String
    @OptionGroup var service: ServiceOptions

    var request: ControlRequest { ControlRequest(action == .start ? .startGroup : .stopGroup, name: name) }
}

struct TargetCommand: ControlCommand {
    static let configuration = CommandConfiguration(
        commandName: "target", abstract: "Starts or stops a target; a restart of the service keeps the choice.")

    @Argument(help: "start or stop")
    var action: StartOrStop
    @Argument(help: "The target.")
    var name: String
    @OptionGroup var service: ServiceOptions

    var request: ControlRequest { ControlRequest(action == .start ? .startTarget : .stopTarget, name: name) }
}

struct HandoverCommand: ControlCommand {
    static let configuration = CommandConfiguration(
        commandName: "handover",
        abstract: "Hands a group over to another encoder, or to a new process of the same one; no frame is lost.")

    @Argument(help: "The group.")
    var group: String
    @Option(help: "The encoder, such as libx264 or h264_vaapi@0000:03:00.0. The service tries it first.")
    var encoder: String?
    @OptionGroup var service: ServiceOptions

    var request: ControlRequest { ControlRequest(.handover, name: group, encoder: encoder) }
}
