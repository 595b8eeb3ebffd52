import Supervision
import TestSupport
import Testing

@Suite struct RestartPolicyTests {
    /// A policy with its random numbers.
    private final class Driven {
        private var policy: RestartPolicy
        private var random = SeededRandom(seed: 7)
        init(_ policy: RestartPolicy) { self.policy = policy }
        func pause(_ healthyFor: Duration = .zero, reachedEndOfFile: Bool = false) -> Duration {
            policy.delayAfterEnd(healthyFor: healthyFor, reachedEndOfFile: reachedEndOfFile, random: &random)
        }
    }

    /// The bound of the pause after the immediate restarts and `count` more ends.
    private func bound(_ policy: RestartPolicy, _ count: Int) -> Duration {
        var bound = policy.firstBound
        for _ in 0..<count where bound < policy.longestPause { bound = bound * 2 }
        return max(policy.shortestPause, min(bound, policy.longestPause))
    }

    @Test(
        "the first ends are followed by a start at once", arguments: [RestartPolicy.publisher, .pull, .encoder, .relay])
    func immediateRestarts(policy: RestartPolicy) {
        let driven = Driven(policy)
        for _ in 0..<policy.immediateRestarts { #expect(driven.pause() == .zero) }
        #expect(driven.pause() > .zero)
    }

    @Test(
        "a peer that refuses is asked again at once, then after 0.5, 1, 2 and 4 s",
        arguments: [RestartPolicy.publisher, .pull])
    func refused(policy: RestartPolicy) {
        let driven = Driven(policy)
        let pauses = (0..<5).map { _ in driven.pause() }
        #expect(pauses[0] == .zero)
        for (pause, least) in zip(pauses[1...], [500, 1000, 2000, 4000]) {
            #expect(pause >= .milliseconds(least), "\(pauses)")
        }
    }

    @Test("a pause is at least half of a bound that doubles up to 30 s, and at most it")
    func growth() async throws {
        try await withSeededRandom { random in
            var longest = Duration.zero
            for _ in 0..<200 {
                var policy = RestartPolicy.publisher
                _ = policy.delayAfterEnd(healthyFor: .zero, random: &random)
                for count in 0..<60 {
                    let pause = policy.delayAfterEnd(healthyFor: .zero, random: &random)
                    #expect(
                        pause >= max(policy.shortestPause, bound(policy, count) / 2) && pause <= bound(policy, count),
                        "\(count): \(random.hint)")
                    longest = max(longest, pause)
                }
            }
            #expect(longest > .seconds(29) && longest <= .seconds(30), "\(random.hint)")
        }
    }

    @Test("pauses are spread over the whole upper half of the bound")
    func jitter() async throws {
        try await withSeededRandom { random in
            var pauses = Set<Duration>()
            for _ in 0..<200 {
                var policy = RestartPolicy.relay
                for _ in 0..<9 { _ = policy.delayAfterEnd(healthyFor: .zero, random: &random) }
                pauses.insert(policy.delayAfterEnd(healthyFor: .zero, random: &random))
            }
            #expect(pauses.count > 150, "\(random.hint)")
            #expect(pauses.min()! < .seconds(18) && pauses.max()! > .seconds(25), "\(random.hint)")
        }
    }

    @Test("a pull that is cut off soon each time is asked again after growing pauses")
    func cutOff() {
        let driven = Driven(.pull)
        let pauses = (0..<4).map { _ in driven.pause(.seconds(1.5)) }
        for (pause, least) in zip(pauses, [0, 500, 1000, 2000]) { #expect(pause >= .milliseconds(least), "\(pauses)") }
        #expect(driven.pause(.seconds(30)) == .zero)
    }

    @Test("a file that reached its end starts again at once, unless it is too short")
    func files() {
        let driven = Driven(.pull)
        for _ in 0..<5 { #expect(driven.pause(.seconds(1), reachedEndOfFile: true) == .zero) }
        #expect(driven.pause(.milliseconds(100), reachedEndOfFile: true) > .zero)
        #expect(driven.pause(.seconds(20), reachedEndOfFile: true) == .zero)
    }

    @Test("a process that was healthy long enough resets the earlier ends")
    func forgiven() {
        let driven = Driven(RestartPolicy(immediateRestarts: 1, forgivenAfter: .seconds(30)))
        for _ in 0..<10 { _ = driven.pause(.seconds(29)) }
        #expect(driven.pause(.seconds(29)) > .zero)
        #expect(driven.pause(.seconds(30)) == .zero)
        #expect(driven.pause() <= .milliseconds(500))
    }
}
