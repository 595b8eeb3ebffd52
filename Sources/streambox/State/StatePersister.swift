import Logging
import Status
import Supervision

/// Writes the files that outlast a restart. If the folder cannot be written, streams continue, and the problem is
/// logged once.
struct StatePersister: Sendable {
    let disk: Disk
    let problems: ProblemBoard
    let logger: Logger

    private static let problem = Problem.Kind.stateFileUnwritable

    /// - Returns: Why the file could not be written. `nil` if it was written, or if there is no state folder.
    func keep<Value>(_ value: Value, in file: StateFile<Value>) async -> String? {
        let subject = file.path ?? file.name
        do {
            try await file.store(value, by: disk)
            if problems.clear(Self.problem, subject: subject) {
                logger.notice("a state file is written again", metadata: ["file": "\(subject)"])
            }
            return nil
        } catch {
            // The service stops, and ended the child that writes. That is no fault of the disk.
            guard !Task.isCancelled else { return "\(error)" }
            let isSilent = (error as? Disk.Failure)?.isSilent ?? false
            let advice =
                isSilent
                ? "check whether its file system hangs"
                : "make the folder writable for the service's user, or choose another with `state:`"
            let sentence = "\(error), so this state is lost at a restart; \(advice)"
            if problems.report(Problem(Self.problem, subject: subject, sentence: sentence)) {
                logger.error(
                    "a state file cannot be written", metadata: ["file": "\(subject)", "reason": "\(sentence)"])
            }
            return "\(error)"
        }
    }
}
