import BoxConfiguration
import Logging
import Redaction
import ServiceManager
import Status
import Supervision

/// Reads the configuration again and has the service go on by it. Two at the same time could apply an older file last:
/// callers go through a ``LatestRun``.
struct Reload: Sendable {
    let supervisor: Supervisor
    let disk: Disk
    let keeper: EncoderManager
    /// Of the FFmpeg that runs: another one is used from the next start on.
    let gaps: FFmpegGaps
    let publication: StatusService
    /// The file asked for, as ``LoadedConfiguration`` takes it.
    let path: String?
    let environment: [String: String]
    /// Where the taps are told.
    let runtime: String
    let secrets: SecretBook
    let problems: ProblemBoard
    /// Is told of it.
    let manager: ServiceManager?
    let logger: Logger

    private static let problem = Problem.Kind.reloadFailed
    private static let subject = "configuration"

    /// - Returns: What changed, a line each.
    /// - Throws: A sentence, or several with line and column, that say why nothing has changed.
    func callAsFunction() async throws -> [String] {
        manager?.reloading("reading the configuration again")
        do {
            let (file, known) = try await LoadedConfiguration.again(path, environment: environment, by: disk)
            secrets.learn(known)
            let changes = try await supervisor.reload(file.configuration)
            publication.apply(file.configuration.status)
            gaps.tell(of: await supervisor.configuration)
            problems.clear(Self.problem, subject: Self.subject)
            do {
                try TapFile.write(await supervisor.openTaps, in: runtime)
            } catch {
                // The new configuration is in force already; only `streambox tap` has old ports.
                logger.error("\(error)")
            }
            for notice in file.notices { logger.warning("\(notice)") }
            for notice in MissingEncoders.notices(of: file, keeper.catalogue) { logger.warning("\(notice)") }
            logger.notice("reloaded", metadata: ["config": "\(file.name)", "changes": "\(changes.count)"])
            for change in changes { logger.notice("reload: \(change)") }
            manager?.reloaded("reloaded: \(changes.isEmpty ? "nothing differs" : changes.joined(separator: "; "))")
            return changes
        } catch {
            for line in "\(error)".split(separator: "\n") {
                logger.error("not reloaded, everything goes on as before: \(line)")
            }
            let first = "\(error)".split(separator: "\n").first ?? ""
            let why = "not reloaded, everything goes on as before: \(first); mend it and reload"
            problems.report(Problem(Self.problem, subject: Self.subject, sentence: why))
            manager?.reloaded(why)
            throw error
        }
    }
}
