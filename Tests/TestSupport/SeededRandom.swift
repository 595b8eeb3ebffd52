import Foundation

/// Repeatable random numbers. The seed is `STREAMBOX_TEST_SEED`, or random once per process.
///
/// SplitMix64. The same seed gives the same sequence on every machine.
package struct SeededRandom: RandomNumberGenerator, Sendable {
    /// The seed of this process.
    package static let processSeed: UInt64 = chosenSeed ?? UInt64.random(in: 1...UInt64(UInt32.max))

    /// The seed in `STREAMBOX_TEST_SEED`.
    static let chosenSeed = ProcessInfo.processInfo.environment["STREAMBOX_TEST_SEED"].flatMap { UInt64($0) }

    package let seed: UInt64
    private var state: UInt64

    package init(seed: UInt64 = SeededRandom.processSeed) {
        self.seed = seed
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// How to repeat a run, for the message of an expectation.
    package var hint: String { "repeat with STREAMBOX_TEST_SEED=\(seed)" }
}

/// Runs `body` with seeded random numbers; when it throws, the seed is printed.
///
/// - Parameter usual: The seed without `STREAMBOX_TEST_SEED`; `nil` for the random one of the process.
package func withSeededRandom<Result>(
    usual: UInt64? = nil, isolation: isolated (any Actor)? = #isolation, file: String = #fileID, line: Int = #line,
    _ body: (inout SeededRandom) async throws -> Result
) async throws -> Result {
    var random = SeededRandom(seed: SeededRandom.chosenSeed ?? usual ?? SeededRandom.processSeed)
    do {
        return try await body(&random)
    } catch {
        complain("\(file):\(line): failed; \(random.hint)")
        throw error
    }
}
