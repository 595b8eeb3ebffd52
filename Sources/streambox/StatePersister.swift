import Logging
import Status
import Supervision

/// Writes down what is to outlast a restart. A folder that cannot be written keeps nothing off the air: it is a
/// problem, told once.
struct StatePersister: Sendable {
    let disk: Disk
    let problems: ProblemBoard
    let logger: Logger

    private static let problem = Problem.Kind.stateFile

    /// - Returns: Why it could not be written; `nil` when it was, or there is no place for it.
    func keep<Value>(_ value: Value, in file: StateFile<Value>) async -> String? {
        let subject = file.path ?? file.name
        do {
            try await file.store(value, by: disk)
            if problems.clear(Self.problem, subject: subject) { logger.notice("\(subject) is written again") }
            return nil
        } catch {
            // The service stops: what is not written is no problem of the disk's.
            guard !Task.isCancelled else { return "\(error)" }
            let isSilent = (error as? Disk.Failure)?.isSilent ?? false
            let advice =
                isSilent
                ? "see whether its file system hangs"
                : "make the folder writable for the service's user, or choose another with `state:`"
            let sentence = "\(error): what is kept over a restart is not; \(advice)"
            if problems.report(Problem(Self.problem, subject: subject, sentence: sentence)) {
                logger.error("\(sentence)")
            }
            return "\(error)"
        }
    }
}
