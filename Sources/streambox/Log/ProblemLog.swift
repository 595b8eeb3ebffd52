import Logging
import Status

/// Tells the log when a problem of the status begins and when it is over: what an operator has to do stands in both in
/// the same words.
struct ProblemLog {
    enum Change: Equatable {
        case began(Problem)
        case over(Problem)

        func log(to logger: Logger) {
            switch self {
            case .began(let problem):
                logger.error(
                    "\(problem.sentence)",
                    metadata: ["problem": "\(problem.problem.rawValue)", "subject": "\(problem.subject)"])
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
        /// When it was seen last.
        var last: ContinuousClock.Instant
        /// For how long it has been seen, without the attempts between.
        var lasted = Duration.zero
        /// It was there at the last look.
        var isThere = true
        var isTold = false
    }

    private var entries: [Kind: Entry] = [:]

    /// What mends itself within so long is no news.
    private static let patience = Duration.seconds(5)
    /// One that comes and goes with every attempt is the same one.
    private static let pause = Duration.seconds(30)
    /// After a break longer than this it has to last from the beginning: an attempt takes less.
    private static let longestAttempt = Duration.seconds(4)
    /// What two looks show of the time between them: one that is there at both may have been away for most of a longer
    /// one.
    private static let longestSight = Duration.seconds(4)

    /// - Parameter others: Those that have a line of their own.
    /// - Returns: What is news, in a stable order.
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
            if !entry.isTold, entry.lasted >= Self.patience {
                entry.isTold = true
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
            if entry.isTold { changes.append(.over(entry.problem)) }
        }
        return changes
    }
}
