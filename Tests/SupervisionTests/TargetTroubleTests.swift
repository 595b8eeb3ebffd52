import Status
import Testing

@testable import FFmpeg
@testable import Supervision

/// The problems of targets, and their sentences.
@Suite struct TargetTroubleTests {
    private let start = ContinuousClock().now

    private func exit(_ cause: FailureCause?, _ lines: String...) -> ChildExit {
        var log = LogExcerpt()
        for line in lines { log.append(line, isError: true) }
        return ChildExit(status: .exited(1), asked: cause == nil, cause: cause, log: log)
    }

    /// A process that is started at one moment, goes live at another unless that is `nil`, and ends.
    private func live(
        _ statistics: ProcessStatistics, _ number: Int, from begin: Duration, live: Duration?, until end: Duration,
        _ exit: ChildExit
    ) {
        statistics.stateChanged(.starting, wanted: true, starts: number, now: start + begin)
        if let live { statistics.stateChanged(.live, wanted: true, starts: number, now: start + live) }
        statistics.ended(exit, started: .now, now: start + end)
        statistics.stateChanged(.pausing, wanted: true, starts: number, now: start + end)
    }

    @Test("a target is cut off repeatedly -> a problem while live, until it lasts")
    func flapping() throws {
        let statistics = ProcessStatistics()
        live(statistics, 1, from: .zero, live: .seconds(1), until: .seconds(6), exit(.reset))
        #expect(statistics.now.targetTrouble(now: start + .seconds(6)) == nil)
        live(statistics, 2, from: .seconds(6), live: .seconds(7), until: .seconds(12), exit(.reset))
        #expect(
            statistics.now.targetTrouble(now: start + .seconds(12))?.contains("the peer closed the connection") == true)
        statistics.stateChanged(.starting, wanted: true, starts: 3, now: start + .seconds(13))
        statistics.stateChanged(.live, wanted: true, starts: 3, now: start + .seconds(14))
        let trouble = try #require(statistics.now.targetTrouble(now: start + .seconds(20)))
        #expect(trouble.contains("2 times in a row") && trouble.contains("the peer closed the connection"))
        #expect(statistics.now.targetTrouble(now: start + .seconds(44)) == nil)
        #expect(statistics.now.connects == 3)
        // It had lasted: this is the first of a new row.
        statistics.ended(exit(.reset), started: .now, now: start + .seconds(60))
        statistics.stateChanged(.pausing, wanted: true, starts: 3, now: start + .seconds(60))
        #expect(statistics.now.failures == 1 && statistics.now.targetTrouble(now: start + .seconds(60)) == nil)
    }

    @Test("an operator stops and starts a target -> its failures are forgotten")
    func stopped() {
        let statistics = ProcessStatistics()
        for number in 1...3 {
            live(statistics, number, from: .zero, live: nil, until: .seconds(1), exit(.connectionRefused))
        }
        #expect(statistics.now.targetTrouble(now: start + .seconds(1)) != nil)
        statistics.stateChanged(.idle, wanted: false, starts: 3, now: start + .seconds(2))
        statistics.stateChanged(.starting, wanted: true, starts: 4, now: start + .seconds(3))
        #expect(statistics.now.targetTrouble(now: start + .seconds(4)) == nil)
    }

    @Test("a target connects for long -> a problem before it has failed")
    func connecting() {
        let statistics = ProcessStatistics()
        statistics.stateChanged(.starting, wanted: true, starts: 1, now: start)
        #expect(statistics.now.targetTrouble(now: start + .seconds(9)) == nil)
        #expect(
            statistics.now.targetTrouble(now: start + .seconds(12))?.contains("has been connecting for 12 seconds")
                == true)
        statistics.stateChanged(.live, wanted: true, starts: 1, now: start + .seconds(13))
        #expect(
            statistics.now.targetTrouble(now: start + .seconds(14)) == nil && statistics.now.connects == 1
                && statistics.now.liveSince == start + .seconds(13))
    }

    @Test("a target takes less than it is sent -> degraded, also over one lost connection")
    func slow() {
        let statistics = ProcessStatistics()
        statistics.stateChanged(.starting, wanted: true, starts: 1, now: start)
        statistics.stateChanged(.live, wanted: true, starts: 1, now: start)
        #expect(statistics.now.targetState(isWanted: true) == .live)
        statistics.reaches(0.87)
        #expect(
            statistics.now.targetState(isWanted: true) == .degraded
                && statistics.now.targetState(isWanted: false) == .stopped)
        statistics.ended(exit(.stuck), started: .now, skips: 2, skippedTicks: 90_000, now: start + .seconds(60))
        statistics.stateChanged(.starting, wanted: true, starts: 2, now: start + .seconds(61))
        #expect(
            statistics.now.targetState(isWanted: true) == .connecting && statistics.now.share == 0.87
                && statistics.now.skippedTicks == 90_000)
        statistics.stateChanged(.live, wanted: true, starts: 2, now: start + .seconds(62))
        statistics.reaches(nil)
        #expect(statistics.now.targetState(isWanted: true) == .live)
    }

    @Test("a slow target fails repeatedly, or is stopped -> it no longer counts as slow")
    func noLongerSlow() {
        let statistics = ProcessStatistics()
        statistics.reaches(0.5)
        live(statistics, 1, from: .zero, live: nil, until: .seconds(1), exit(.reset))
        #expect(statistics.now.share == 0.5)
        live(statistics, 2, from: .seconds(2), live: nil, until: .seconds(3), exit(.reset))
        #expect(statistics.now.share == nil)
        statistics.reaches(0.5)
        statistics.stateChanged(.idle, wanted: false, starts: 2, now: start + .seconds(4))
        #expect(statistics.now.share == nil)
        statistics.reaches(0.5)
        statistics.couldNotStart("no folder")
        #expect(statistics.now.share == nil)
        statistics.reaches(0.5)
        statistics.beginRun()
        #expect(statistics.now.share == nil)
    }

    @Test("a target hangs after a steady time -> one failure, whatever was before")
    func hangsAfterLong() {
        let statistics = ProcessStatistics()
        live(statistics, 1, from: .zero, live: nil, until: .seconds(1), exit(.reset))
        statistics.stateChanged(.starting, wanted: true, starts: 2, now: start + .seconds(2))
        statistics.stateChanged(.live, wanted: true, starts: 2, now: start + .seconds(3))
        statistics.stateChanged(.stalled, wanted: true, starts: 2, now: start + .seconds(3600))
        statistics.stateChanged(.ending, wanted: true, starts: 2, now: start + .seconds(3602))
        statistics.ended(exit(.stuck), started: .now, now: start + .seconds(3602))
        #expect(statistics.now.failures == 1)
    }

    @Test("a target accepts no data -> the trouble names the network, or a recording's disk")
    func blocked() throws {
        let statistics = ProcessStatistics()
        statistics.stateChanged(.starting, wanted: true, starts: 1, now: start)
        statistics.stateChanged(.live, wanted: true, starts: 1, now: start + .seconds(1))
        statistics.stateChanged(.stalled, wanted: true, starts: 1, now: start + .seconds(40))
        for ends in [false, true] {
            if ends {
                statistics.ended(exit(.stuck), started: .now, now: start + .seconds(42))
                statistics.stateChanged(.pausing, wanted: true, starts: 1, now: start + .seconds(42))
            }
            let network = try #require(statistics.now.targetTrouble(now: start + .seconds(42)))
            let disk = try #require(statistics.now.targetTrouble(now: start + .seconds(42), isRecording: true))
            #expect(network.contains("the network to it") && !network.contains("disk"), "\(network)")
            #expect(disk.contains("the disk that it writes to") && !disk.contains("network"), "\(disk)")
        }
    }

    @Test("a peer gives a reason -> the trouble quotes it")
    func words() {
        let statistics = ProcessStatistics()
        live(
            statistics, 1, from: .zero, live: nil, until: .seconds(1),
            exit(.rejected, "[rtmp @ 0x55] Server error: bitrate too high"))
        let trouble = statistics.now.targetTrouble(now: start + .seconds(1))
        #expect(
            trouble
                == """
                the peer rejected the stream and says “bitrate too high”; check the key or the passphrase, and \
                whether another sender uses it
                """
        )
    }
}
