import Control
import Logging
import Status
import Supervision
import SystemSupport

/// Carries out the requests of the control socket.
struct ControlHandler: ControlledService {
    let supervisor: Supervisor
    /// Returns one line for each change.
    let reload: LatestRun<[String]>
    let stopped: StateFile<StoppedOutputs>
    let persister: StatePersister
    let status: SharedStatus
    let logger: Logger

    /// How long the supervisor may take to answer.
    private static let patience = Duration.seconds(5)

    func answer(_ request: ControlRequest) async -> ControlReply {
        let reply = await carryOut(request)
        // The next status shows the change.
        if request.command != .status { await status.expire() }
        return reply
    }

    private func carryOut(_ request: ControlRequest) async -> ControlReply {
        do {
            switch request.command {
            case .status:
                guard let snapshot = await status.snapshot(within: Self.patience) else {
                    return ControlReply(.refused, "the supervisor does not answer")
                }
                return ControlReply(.done, "", status: snapshot)
            case .reload: return await reloaded()
            case .startGroup: return try await set(true, .group(try name(of: request)))
            case .stopGroup: return try await set(false, .group(try name(of: request)))
            case .startTarget: return try await set(true, .target(try name(of: request)))
            case .stopTarget: return try await set(false, .target(try name(of: request)))
            case .handover:
                return ControlReply(.done, try await supervisor.handOver(try name(of: request), to: request.encoder))
            }
        } catch let error as NameMissing {
            return ControlReply(.mistaken, error.description)
        } catch let error as OperatorError {
            return ControlReply(error.isMistake ? .mistaken : .refused, error.description)
        } catch {
            return ControlReply(.refused, "\(error)")
        }
    }

    private func name(of request: ControlRequest) throws -> String {
        guard let name = request.name else { throw NameMissing() }
        return name
    }

    private struct NameMissing: Error, CustomStringConvertible {
        var description: String { "the request needs a `name`" }
    }

    private func reloaded() async -> ControlReply {
        do {
            let changes = try await reload()
            return ControlReply(
                .done, changes.isEmpty ? "reloaded: nothing differs" : "reloaded: " + changes.joined(separator: "\n"))
        } catch let failure as Failure {
            return ControlReply(failure.status == 2 ? .mistaken : .refused, failure.description)
        } catch {
            return ControlReply(.refused, "\(error)")
        }
    }

    private func set(_ isWanted: Bool, _ output: Supervisor.Output) async throws -> ControlReply {
        try await supervisor.setWanted(isWanted, output)
        let subject =
            switch output {
            case .group(let name): "group \(name)"
            case .target(let name): "target \(name)"
            }
        logger.notice(
            isWanted ? "started by the operator" : "stopped by the operator", metadata: ["subject": "\(subject)"])
        let why = await persister.keep(await supervisor.stoppedOutputs, in: stopped)
        return ControlReply(
            .done,
            "\(subject) \(isWanted ? "started" : "stopped")"
                + (why.map { ", until the service is restarted: \($0)" } ?? ""))
    }
}
