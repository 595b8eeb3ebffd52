import BoxConfiguration
import Logging
import Redaction
import ServiceManager
import Status
import Supervision

/// Reads the configuration again and applies it to the running service. Two reloads at the same time could apply an
/// older file last: callers go through a ``LatestRun``.
struct Reload: Sendable {
    let supervisor: Supervisor
    let disk: Disk
    let encoders: EncoderManager
    /// The gaps of the FFmpeg in use. Another FFmpeg is used only from the next start on.
    let gaps: FFmpegGaps
    let statusService: StatusService
    /// The path of the configuration file, if the user gave one.
    let path: String?
    let environment: [String: String]
    /// The folder of the file that lists the taps.
    let runtime: String
    let secrets: SecretBook
    let problems: ProblemBoard
    /// The service manager, which is notified of the reload. `nil` if none started the service.
    let manager: ServiceManager?
    let logger: Logger

    private static let problem = Problem.Kind.reloadFailed
    private static let subject = "configuration"

    /// - Returns: One line for each change.
    /// - Throws: A sentence that says why nothing has changed, or several with line and column.
    func callAsFunction() async throws -> [String] {
        manager?.reloading("reading the configuration again")
        do {
            let (file, changes) = try await apply()
            report(changes, of: file)
            return changes
        } catch {
            report(error)
            throw error
        }
    }

    private func apply() async throws -> (LoadedConfiguration, changes: [String]) {
        let (file, known) = try await LoadedConfiguration.again(path, environment: environment, by: disk)
        secrets.learn(known)
        let changes = try await supervisor.reload(file.configuration)
        statusService.apply(file.configuration.status)
        gaps.report(for: await supervisor.configuration)
        problems.clear(Self.problem, subject: Self.subject)
        do {
            try TapFile.write(await supervisor.openTaps, in: runtime)
        } catch {
            // The new configuration is in force already; only `streambox tap` has old ports.
            logger.error("the list of taps cannot be written", metadata: ["reason": "\(error)"])
        }
        return (file, changes)
    }

    private func report(_ changes: [String], of file: LoadedConfiguration) {
        file.logNotices(encoders: encoders.catalogue, to: logger)
        logger.notice("reloaded", metadata: ["config": "\(file.name)", "changes": "\(changes.count)"])
        for change in changes { logger.notice("configuration changed", metadata: ["change": "\(change)"]) }
        manager?.reloaded("reloaded: \(changes.isEmpty ? "nothing differs" : changes.joined(separator: "; "))")
    }

    private func report(_ error: any Error) {
        let lines = "\(error)".split(separator: "\n")
        for line in lines {
            logger.error("not reloaded, the service runs on unchanged", metadata: ["reason": "\(line)"])
        }
        let sentence = "not reloaded, the service runs on unchanged: \(lines.first ?? ""); fix it and reload"
        problems.report(Problem(Self.problem, subject: Self.subject, sentence: sentence))
        manager?.reloaded(sentence)
    }
}
