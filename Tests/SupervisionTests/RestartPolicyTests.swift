import Supervision
import TestSupport
import Testing

@Suite struct RestartPolicyTests {
    /// A policy with its random numbers.
    private final class Driven {
        private var policy: RestartPolicy
        private var random = SeededRandom(seed: 7)
        init(_ policy: RestartPolicy) { self.policy = policy }
        func pause(_ healthyFor: Duration = .zero, isComplete: Bool = false) -> Duration {
            policy.pause(healthyFor: healthyFor, isComplete: isComplete, random: &random)
        }
    }

    /// The bound of the pause behind the burst's end and `count` more.
    private func bound(_ policy: RestartPolicy, _ count: Int) -> Duration {
        var bound = policy.base
        for _ in 0..<count where bound < policy.cap { bound = bound * 2 }
        return max(policy.floor, min(bound, policy.cap))
    }

    @Test("the first ends are answered at once", arguments: [RestartPolicy.publisher, .pull, .encoder, .relay])
    func burst(policy: RestartPolicy) {
        let driven = Driven(policy)
        for _ in 0..<policy.burst { #expect(driven.pause() == .zero) }
        #expect(driven.pause() > .zero)
    }

    @Test(
        "a peer that refuses is asked again at once, and then after at least half a second, a second, two and four",
        arguments: [RestartPolicy.publisher, .pull])
    func refused(policy: RestartPolicy) {
        let driven = Driven(policy)
        let pauses = (0..<5).map { _ in driven.pause() }
        #expect(pauses[0] == .zero)
        for (pause, least) in zip(pauses[1...], [500, 1000, 2000, 4000]) {
            #expect(pause >= .milliseconds(least), "\(pauses)")
        }
    }

    @Test("pauses lie between half of a bound that doubles up to 30 s and the bound, for ever")
    func growth() async throws {
        try await withSeededRandom { random in
            var longest = Duration.zero
            for _ in 0..<200 {
                var policy = RestartPolicy.publisher
                _ = policy.pause(healthyFor: .zero, random: &random)
                for count in 0..<60 {
                    let pause = policy.pause(healthyFor: .zero, random: &random)
                    #expect(
                        pause >= max(policy.floor, bound(policy, count) / 2) && pause <= bound(policy, count),
                        "\(count): \(random.hint)")
                    longest = max(longest, pause)
                }
            }
            #expect(longest > .seconds(29) && longest <= .seconds(30), "\(random.hint)")
        }
    }

    @Test("pauses use the whole of the upper half, so that many do not come back in step")
    func jitter() async throws {
        try await withSeededRandom { random in
            var pauses = Set<Duration>()
            for _ in 0..<200 {
                var policy = RestartPolicy.relay
                for _ in 0..<9 { _ = policy.pause(healthyFor: .zero, random: &random) }
                pauses.insert(policy.pause(healthyFor: .zero, random: &random))
            }
            #expect(pauses.count > 150, "\(random.hint)")
            #expect(pauses.min()! < .seconds(18) && pauses.max()! > .seconds(25), "\(random.hint)")
        }
    }

    @Test("a pull that is cut off after a moment each time is asked again after pauses that grow")
    func cutOff() {
        let driven = Driven(.pull)
        let pauses = (0..<4).map { _ in driven.pause(.seconds(1.5)) }
        for (pause, least) in zip(pauses, [0, 500, 1000, 2000]) { #expect(pause >= .milliseconds(least), "\(pauses)") }
        #expect(driven.pause(.seconds(30)) == .zero)
    }

    @Test("a file that came to its end starts over at once, if it is one")
    func files() {
        let driven = Driven(.pull)
        for _ in 0..<5 { #expect(driven.pause(.seconds(1), isComplete: true) == .zero) }
        #expect(driven.pause(.milliseconds(100), isComplete: true) > .zero)
        #expect(driven.pause(.seconds(20), isComplete: true) == .zero)
    }

    @Test("a life that was healthy long enough has the ends before it forgiven")
    func forgiven() {
        let driven = Driven(RestartPolicy(burst: 1, forgivenAfter: .seconds(30)))
        for _ in 0..<10 { _ = driven.pause(.seconds(29)) }
        #expect(driven.pause(.seconds(29)) > .zero)
        #expect(driven.pause(.seconds(30)) == .zero)
        #expect(driven.pause() <= .milliseconds(500))
    }
}
