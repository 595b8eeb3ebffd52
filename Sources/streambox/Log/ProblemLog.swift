import Logging
import Status

/// Decides when the log reports that a problem of the status began or is over. Status and log use the same sentence.
struct ProblemLog {
    enum Change: Equatable {
        case began(Problem)
        case over(Problem)

        func log(to logger: Logger) {
            switch self {
            case .began(let problem):
                logger.error(
                    "a problem needs the operator",
                    metadata: [
                        "problem": "\(problem.problem.rawValue)", "subject": "\(problem.subject)",
                        "reason": "\(problem.sentence)",
                    ])
            case .over(let problem):
                logger.notice(
                    "the problem is over",
                    metadata: ["problem": "\(problem.problem.rawValue)", "subject": "\(problem.subject)"])
            }
        }
    }

    private struct Kind: Hashable {
        var problem: Problem.Kind
        var subject: String
    }

    private struct Entry {
        var problem: Problem
        /// The time of the last snapshot with the problem.
        var last: ContinuousClock.Instant
        /// How long the problem has been there. The attempts in between, during which it is away, do not count.
        var lasted = Duration.zero
        /// Whether the last snapshot had the problem.
        var isThere = true
        var isReported = false
    }

    private var entries: [Kind: Entry] = [:]

    /// A problem that goes away within this time is not reported.
    private static let patience = Duration.seconds(5)
    /// A problem that comes back within this time is the same problem: it may be away during each new attempt.
    private static let pause = Duration.seconds(30)
    /// After a longer absence a problem has to last for the whole ``patience`` again. An attempt takes less time.
    private static let longestAttempt = Duration.seconds(4)
    /// The most time between two snapshots that counts for `lasted`. If more time passes between them, a problem that
    /// both have may have been away in between.
    private static let longestSight = Duration.seconds(4)

    /// - Parameter others: Problems that are logged elsewhere.
    /// - Returns: The changes to log, in a stable order.
    mutating func note(_ problems: [Problem], but others: [Problem] = [], now: ContinuousClock.Instant) -> [Change] {
        var changes: [Change] = []
        for problem in problems where !others.contains(problem) {
            let kind = Kind(problem: problem.problem, subject: problem.subject)
            var entry = entries[kind] ?? Entry(problem: problem, last: now)
            if entry.isThere {
                entry.lasted += min(entry.last.duration(to: now), Self.longestSight)
            } else if entry.last.duration(to: now) > Self.longestAttempt {
                entry.lasted = .zero
            }
            entry.problem = problem
            entry.last = now
            entry.isThere = true
            if !entry.isReported, entry.lasted >= Self.patience {
                entry.isReported = true
                changes.append(.began(problem))
            }
            entries[kind] = entry
        }
        let there = Set(problems.map { Kind(problem: $0.problem, subject: $0.subject) })
        for kind in entries.keys where !there.contains(kind) { entries[kind]?.isThere = false }
        let over = entries.filter { $0.value.last.duration(to: now) >= Self.pause }
        for (kind, entry) in over.sorted(by: {
            ($0.key.problem.rawValue, $0.key.subject) < ($1.key.problem.rawValue, $1.key.subject)
        }) {
            entries[kind] = nil
            if entry.isReported { changes.append(.over(entry.problem)) }
        }
        return changes
    }
}
