import Logging
import Status
import Supervision

/// Writes down what is to outlast a restart. A folder that cannot be written keeps nothing off the air: it is a problem, told
/// once.
struct StateKeeper: Sendable {
    let problems: ProblemBoard
    let logger: Logger

    private static let problem = Problem.Kind.stateFile

    /// - Returns: Why it could not be written; `nil` when it was, or there is no place for it.
    func keep<Value>(_ value: Value, in file: StateFile<Value>) async -> String? {
        let subject = file.path ?? file.name
        do {
            try await Offload.run { Result { try file.write(value) } }.get()
            if problems.clear(Self.problem, subject: subject) { logger.notice("\(subject) is written again") }
            return nil
        } catch {
            let sentence = "\(error): what is kept over a restart is not; make the folder writable for the service's user, or choose another with `state:`"
            if problems.report(Problem(Self.problem, subject: subject, sentence: sentence)) { logger.error("\(sentence)") }
            return "\(error)"
        }
    }
}
