import Synchronization

/// Problems of the service itself, beside those of its streams: written by its parts, read by whoever makes a snapshot.
public final class ProblemBoard: Sendable {
    private let entries = Mutex<[String: Problem]>([:])

    public init() {}

    /// In a stable order.
    public var problems: [Problem] {
        entries.withLock { $0.values.sorted { ($0.problem, $0.subject) < ($1.problem, $1.subject) } }
    }

    /// - Returns: Whether this is news: it was not there, or in other words.
    @discardableResult
    public func report(_ problem: Problem) -> Bool {
        entries.withLock { $0.updateValue(problem, forKey: Self.key(problem.problem, problem.subject)) != problem }
    }

    /// - Returns: Whether it was there.
    @discardableResult
    public func clear(_ problem: String, subject: String) -> Bool {
        entries.withLock { $0.removeValue(forKey: Self.key(problem, subject)) != nil }
    }

    private static func key(_ problem: String, _ subject: String) -> String { "\(problem) \(subject)" }
}
