import Synchronization

/// The problems of the service itself, apart from those of its streams. The parts of the service report them, and each
/// snapshot includes them.
package final class ProblemBoard: Sendable {
    private struct Key: Hashable {
        var problem: Problem.Kind
        var subject: String
    }

    private let entries = Mutex<[Key: Problem]>([:])

    package init() {}

    /// The problems in a stable order.
    package var problems: [Problem] {
        entries.withLock { $0.values.sorted { ($0.problem.rawValue, $0.subject) < ($1.problem.rawValue, $1.subject) } }
    }

    /// - Returns: Whether the problem is new, or has another sentence than before.
    @discardableResult
    package func report(_ problem: Problem) -> Bool {
        entries.withLock {
            $0.updateValue(problem, forKey: Key(problem: problem.problem, subject: problem.subject)) != problem
        }
    }

    /// - Returns: Whether there was such a problem.
    @discardableResult
    package func clear(_ problem: Problem.Kind, subject: String) -> Bool {
        entries.withLock { $0.removeValue(forKey: Key(problem: problem, subject: subject)) != nil }
    }
}
