import Synchronization

/// Problems of the service itself, beside those of its streams: written by its parts, read by whoever makes a snapshot.
package final class ProblemBoard: Sendable {
    private struct Key: Hashable {
        var problem: Problem.Kind
        var subject: String
    }

    private let entries = Mutex<[Key: Problem]>([:])

    package init() {}

    /// In a stable order.
    package var problems: [Problem] {
        entries.withLock { $0.values.sorted { ($0.problem.rawValue, $0.subject) < ($1.problem.rawValue, $1.subject) } }
    }

    /// - Returns: Whether this is news: it was not there, or in other words.
    @discardableResult
    package func report(_ problem: Problem) -> Bool {
        entries.withLock {
            $0.updateValue(problem, forKey: Key(problem: problem.problem, subject: problem.subject)) != problem
        }
    }

    /// - Returns: Whether it was there.
    @discardableResult
    package func clear(_ problem: Problem.Kind, subject: String) -> Bool {
        entries.withLock { $0.removeValue(forKey: Key(problem: problem, subject: subject)) != nil }
    }
}
