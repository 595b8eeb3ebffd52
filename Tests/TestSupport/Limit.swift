import Foundation

/// Time limits for tests. Instrumented builds are several times slower: `STREAMBOX_TEST_SLOW=3` multiplies every limit
/// by 3.
package enum Limit {
    /// What every limit is multiplied by; 1 unless `STREAMBOX_TEST_SLOW` is a number above 1.
    package static let factor: Double = {
        let asked = ProcessInfo.processInfo.environment["STREAMBOX_TEST_SLOW"].flatMap(Double.init)
        return max(1, asked ?? 1)
    }()

    /// Whether `scripts/test --sanitize` runs: sanitizers keep memory for themselves, so that a bound on it says
    /// nothing.
    package static let isInstrumented = ProcessInfo.processInfo.environment["STREAMBOX_TEST_INSTRUMENTED"] != nil

    package static func scaled(_ limit: Duration) -> Duration { limit * factor }

    package static func seconds(_ count: Double) -> Duration { scaled(.seconds(count)) }
}

/// A condition that did not come true in time.
package struct WaitedInVain: Error, CustomStringConvertible, Sendable {
    package let what: String
    package let limit: Duration
    /// Where the wait stands in the tests, as `file:line`.
    package let place: String
    /// What was last seen, where the waiting side could tell.
    package let seen: String?

    package var description: String {
        "waited \(limit) for \(what) (\(place))" + (seen.map { "; last seen: \($0)" } ?? "")
    }
}

/// Asks again and again until `value` gives something, and hands it back.
///
/// - Parameters:
///   - what: completes the sentence "waited 30 s for …".
///   - limit: how long to ask, before `Limit.factor`.
/// - Throws: `WaitedInVain`, `CancellationError`, or what `value` throws.
@discardableResult
package func eventually<Value>(
    _ what: @autoclosure () -> String, within limit: Duration = .seconds(40),
    every pause: Duration = .milliseconds(20),
    isolation: isolated (any Actor)? = #isolation, file: String = #fileID, line: Int = #line,
    _ value: () async throws -> Value?
) async throws -> Value {
    let limit = Limit.scaled(limit)
    let start = ContinuousClock.now
    while true {
        // The last look begins behind the limit: one before it may have been long on its way.
        let isLast = ContinuousClock.now - start >= limit
        if let value = try await value() { return value }
        guard !isLast else {
            throw WaitedInVain(what: what(), limit: limit, place: "\(file):\(line)", seen: nil)
        }
        try await Task.sleep(for: pause)
    }
}

/// Asks again and again until `condition` is true. See the other `eventually`.
package func eventually(
    _ what: @autoclosure () -> String, within limit: Duration = .seconds(40),
    every pause: Duration = .milliseconds(20),
    isolation: isolated (any Actor)? = #isolation, file: String = #fileID, line: Int = #line,
    _ condition: () async throws -> Bool
) async throws {
    let _: Bool = try await eventually(
        what(), within: limit, every: pause, isolation: isolation, file: file, line: line
    ) { try await condition() ? true : nil }
}

extension Duration {
    /// The duration in seconds, for reckoning and printing.
    package var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
