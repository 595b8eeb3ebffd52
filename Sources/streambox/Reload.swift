import Configuration
import FFmpeg
import Logging
import Redaction
import Supervision

/// Reads the configuration again and has the service go on by it.
struct Reload: Sendable {
    let supervisor: Supervisor
    let keeper: EncoderKeeper
    /// The one that runs: another one is used from the next start on.
    let ffmpeg: FFmpegVersion
    /// The file asked for, as ``LoadedConfiguration`` takes it.
    let path: String?
    let environment: [String: String]
    /// Where the taps are told.
    let runtime: String
    let secrets: SecretBook
    let logger: Logger

    /// - Returns: What changed, a line each.
    /// - Throws: A sentence, or several with line and column, that say why nothing has changed.
    func callAsFunction() async throws -> [String] {
        do {
            let file = try LoadedConfiguration(path, environment: environment)
            secrets.learn(file.configuration.secretValues(environment: environment))
            try CodecObjections.check(file, against: ffmpeg)
            let changes = try await supervisor.reload(file.configuration)
            try TapFile.write(await supervisor.openTaps, in: runtime)
            for notice in file.notices { logger.warning("\(notice)") }
            for notice in MissingEncoders.notices(of: file, keeper.catalogue) { logger.warning("\(notice)") }
            logger.notice("reloaded", metadata: ["config": "\(file.name)", "changes": "\(changes.count)"])
            for change in changes { logger.notice("reload: \(change)") }
            return changes
        } catch {
            for line in "\(error)".split(separator: "\n") { logger.error("not reloaded, everything goes on as before: \(line)") }
            throw error
        }
    }
}
