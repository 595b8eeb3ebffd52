import Foundation

/// Time limits for tests. Instrumented builds are several times slower: `STREAMBOX_TEST_SLOW=3` multiplies every limit
/// by 3.
package enum Limit {
    /// The factor of every limit; 1 unless `STREAMBOX_TEST_SLOW` is a number above 1.
    package static let factor: Double = {
        let configured = ProcessInfo.processInfo.environment["STREAMBOX_TEST_SLOW"].flatMap(Double.init)
        return max(1, configured ?? 1)
    }()

    /// Whether `scripts/test --sanitize` runs. Sanitizers keep memory for themselves, so memory limits mean nothing.
    package static let isInstrumented = ProcessInfo.processInfo.environment["STREAMBOX_TEST_INSTRUMENTED"] != nil

    package static func scaled(_ limit: Duration) -> Duration { limit * factor }

    package static func seconds(_ count: Double) -> Duration { scaled(.seconds(count)) }
}

/// A condition that did not come true in time.
package struct WaitedInVain: Error, CustomStringConvertible, Sendable {
    package let what: String
    package let limit: Duration
    /// The place of the wait in the tests, as `file:line`.
    package let place: String
    /// The last value, if the wait knows one.
    package let seen: String?

    package var description: String {
        "waited \(limit) for \(what) (\(place))" + (seen.map { "; last seen: \($0)" } ?? "")
    }
}

/// Calls `value` again and again until it returns a value.
///
/// - Parameters:
///   - what: Completes the sentence "waited 30 s for …".
///   - limit: How long to wait, before `Limit.factor`.
/// - Returns: The value.
/// - Throws: `WaitedInVain` after the limit, `CancellationError`, or an error of `value`.
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
        // The last call begins after the limit: the call before it may have taken long.
        let isLast = ContinuousClock.now - start >= limit
        if let value = try await value() { return value }
        guard !isLast else {
            throw WaitedInVain(what: what(), limit: limit, place: "\(file):\(line)", seen: nil)
        }
        try await Task.sleep(for: pause)
    }
}

/// Calls `condition` again and again until it returns true. See the other `eventually`.
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
    /// The duration in seconds, for calculations and messages.
    package var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
