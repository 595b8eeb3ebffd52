import Testing

@testable import Supervision

/// The rate of a call, compared with the measured one.
@Suite struct CallRateTests {
    /// A call, with its own clock.
    private struct Call {
        var rate = CallRate()
        let begin = ContinuousClock.now
        var bytes: Int64 = 0
        var seconds = 0.0

        /// Continues at so many Mbit/s, noted twice a second.
        ///
        /// - Returns: When it had another rate, in seconds, and how many times the one before.
        mutating func bring(_ megabits: Double, for duration: Double) -> [(at: Double, times: Double)] {
            var changes: [(at: Double, times: Double)] = []
            for _ in 0..<Int(duration * 2) {
                seconds += 0.5
                bytes += Int64(megabits * 1_000_000 / 16)
                if let times = rate.note(bytes, at: begin + .seconds(seconds)) { changes.append((seconds, times)) }
            }
            return changes
        }
    }

    @Test(
        "a call twice as fast or slow for ten seconds -> another rate",
        arguments: [6.0, 1.0, 0.25, 0.1])
    func changes(rate: Double) throws {
        var call = Call()
        let unmeasured = call.bring(0.5, for: 2)
        call.rate.measured()
        let steady = call.bring(0.5, for: 20)
        #expect(unmeasured.isEmpty && steady.isEmpty)
        let changes = call.bring(rate, for: 25)
        let change = try #require(changes.first)
        #expect(changes.count == 1 && (32...34.5).contains(change.at), "\(changes)")
        #expect(abs(change.times - rate / 0.5) < 0.1 * rate / 0.5)
        // That is the one by which the next is judged.
        let next = call.bring(rate * 1.8, for: 40)
        #expect(next.isEmpty)
    }

    @Test("a call is faster for under ten seconds, or to and fro -> the same rate")
    func keeps() {
        var call = Call()
        var changes = call.bring(1, for: 2)
        call.rate.measured()
        changes += call.bring(1, for: 10)
        for _ in 0..<5 { changes += call.bring(8, for: 8) + call.bring(1, for: 8) }
        for _ in 0..<5 { changes += call.bring(8, for: 6) + call.bring(0.1, for: 6) }
        changes += call.bring(1.8, for: 40) + call.bring(0.6, for: 40)
        #expect(changes.isEmpty, "\(changes)")
    }

    @Test("frequent changes -> at most one in thirty seconds, none before the measurement")
    func calm() throws {
        var call = Call()
        let unmeasured = call.bring(0.5, for: 10) + call.bring(6, for: 40)
        call.rate.measured()
        let steady = call.bring(6, for: 10)
        #expect(unmeasured.isEmpty && steady.isEmpty)
        let slower = call.bring(1, for: 14)
        let faster = call.bring(12, for: 60)
        let first = try #require(slower.first)
        let second = try #require(faster.first)
        #expect((30...31).contains(second.at - first.at), "\(first) \(second)")
    }
}
