import Testing

@testable import FFmpeg
@testable import Supervision

/// The problems of sources.
@Suite struct SourceTroubleTests {
    private let start = ContinuousClock().now

    /// Relays that are live from half a second after their start, and end.
    private func statistics(
        _ cause: FailureCause, lasting: Duration, times: Int, reachedEndOfFile: Bool = false
    ) -> ProcessStatistics {
        let statistics = ProcessStatistics()
        var begin = start
        for number in 1...times {
            statistics.stateChanged(.starting, wanted: true, starts: number, now: begin)
            statistics.stateChanged(.live, wanted: true, starts: number, now: begin + .milliseconds(500))
            begin += .milliseconds(500) + lasting
            let exit = ChildExit(status: .exited(0), asked: false, cause: cause, log: LogExcerpt())
            statistics.ended(exit, started: .now, reachedEndOfFile: reachedEndOfFile, now: begin)
            statistics.stateChanged(.starting, wanted: true, starts: number + 1, now: begin)
        }
        statistics.stateChanged(.live, wanted: true, starts: times + 1, now: begin)
        return statistics
    }

    private func trouble(_ statistics: ProcessStatistics, after time: Duration, isFetched: Bool = true) -> String? {
        let live = statistics.now.liveSince ?? start
        return statistics.now.sourceTrouble(isListener: !isFetched, isFetched: isFetched, now: live + time)
    }

    @Test("a pull is cut off repeatedly -> a problem while it is live, until it lasts")
    func flapping() throws {
        let statistics = statistics(.reset, lasting: .milliseconds(1500), times: 3)
        let words = try #require(trouble(statistics, after: .seconds(5)))
        #expect(words.hasPrefix("it does not last, and ended 3 times in a row: the peer closed the connection"))
        #expect(trouble(statistics, after: .seconds(30)) == nil)
    }

    @Test("a pull ends once, or after it has lasted -> no problem")
    func once() {
        #expect(trouble(statistics(.reset, lasting: .milliseconds(1500), times: 1), after: .seconds(1)) == nil)
        #expect(trouble(statistics(.reset, lasting: .seconds(30), times: 5), after: .seconds(1)) == nil)
    }

    @Test("a file ends repeatedly -> no problem, unless it lasts an instant only")
    func files() {
        #expect(
            trouble(statistics(.ended, lasting: .seconds(5), times: 5, reachedEndOfFile: true), after: .seconds(1))
                == nil)
        let instants = statistics(.ended, lasting: .milliseconds(100), times: 5, reachedEndOfFile: true)
        #expect(trouble(instants, after: .seconds(1)) != nil)
    }

    @Test("senders of a listener come and go -> no problem")
    func listener() {
        #expect(
            trouble(statistics(.ended, lasting: .seconds(2), times: 5), after: .seconds(1), isFetched: false) == nil)
    }
}
