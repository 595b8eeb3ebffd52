import Testing

@testable import RTMPIngest

/// The limits of what clients can cause: delays for wrong keys, reports in the log, changes of the publisher.
@Suite struct ListenerTests {
    private static let second: Int64 = 1_000_000_000

    @Test("each wrong key delays the next answer; a right key or time ends the delay")
    func delays() {
        var throttle = ClientThrottle()
        throttle.addConnection(from: "a", now: 0)
        var delays: [Int64] = []
        for _ in 0..<9 {
            delays.append(throttle.delay(for: "a", now: 0) / 1_000_000)
            throttle.recordFailure(from: "a", now: 0)
        }
        #expect(delays == [0, 0, 0, 100, 200, 400, 800, 1000, 1000])
        #expect(throttle.delay(for: "b", now: 0) == 0)
        // One failure is forgotten every ten seconds.
        #expect(throttle.delay(for: "a", now: 60 * Self.second) / 1_000_000 == 100)
        #expect(throttle.delay(for: "a", now: 70 * Self.second) == 0)
        throttle.removeConnection(from: "a", now: 0)
        #expect(throttle.delay(for: "a", now: 0) > 0)
        throttle.recordSuccess(from: "a")
        #expect(throttle.delay(for: "a", now: 0) == 0)
    }

    @Test("of evicted keys, one in each interval is checked for each network")
    func earlyChecks() {
        var throttle = ClientThrottle()
        throttle.addConnection(from: "a", now: 0)
        throttle.addConnection(from: "b", now: 0)
        let checks = (0..<100).map { throttle.mayCheckEarly(from: "a", every: 33, now: $0) }
        #expect(checks.filter { $0 }.count == 4 && checks[0] && checks[33])
        #expect(
            throttle.mayCheckEarly(from: "b", every: 33, now: 100)
                && !throttle.mayCheckEarly(from: "unknown", every: 33, now: 100))
    }

    @Test("any number of networks -> the number of entries stays bounded")
    func bounded() {
        var throttle = ClientThrottle()
        for number in 0..<100_000 {
            let network = "10.\(number >> 16).\(number >> 8 & 255).\(number & 255)"
            throttle.addConnection(from: network, now: Int64(number))
            throttle.recordFailure(from: network, now: Int64(number))
            throttle.removeConnection(from: network, now: Int64(number))
        }
        #expect(throttle.count <= ClientThrottle.maximumEntries)
        // The newest networks are remembered.
        for _ in 0..<3 { throttle.recordFailure(from: "10.1.134.159", now: 100_000) }
        #expect(throttle.delay(for: "10.1.134.159", now: 100_000) > 0)
    }

    @Test("the first few events are reported one by one, the others as a number")
    func reports() {
        var reports = ReportLimit()
        let reported = (0..<100).map { _ in reports.note(now: 0) }
        #expect(reported.prefix(5) == [0, 0, 0, 0, 0] && reported.dropFirst(5).allSatisfy { $0 == nil })
        #expect(reports.note(now: 60 * Self.second) == 95 && reports.note(now: 60 * Self.second) == 0)
    }

    @Test("a publisher that reconnects endlessly waits; after a few breaks it does not")
    func takeovers() {
        var limiter = TakeoverRateLimiter()
        #expect((0..<5).map { _ in limiter.take(now: 0) } == [0, 0, 0, 0, 0])
        #expect(limiter.take(now: 0) == 2 * Self.second)
        #expect(limiter.take(now: 2 * Self.second) == 0)
        // A client that asks without a pause may publish every two seconds.
        let taken = (2000...102_000).filter { limiter.take(now: Int64($0) * 1_000_000) == 0 }
        #expect(taken.count == 50)
        // After ten seconds without a change, five changes are free again.
        #expect((0..<5).allSatisfy { _ in limiter.take(now: 200 * Self.second) == 0 })
    }
}
