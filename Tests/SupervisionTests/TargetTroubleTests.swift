import Status
import Testing

@testable import FFmpeg
@testable import Supervision

/// When a target's failures are a problem, and in which words.
@Suite struct TargetTroubleTests {
    private let start = ContinuousClock().now

    private func exit(_ cause: FailureCause?, _ lines: String...) -> ChildExit {
        var log = LogExcerpt()
        for line in lines { log.append(line, isError: true) }
        return ChildExit(status: .exited(1), asked: cause == nil, cause: cause, log: log)
    }

    /// A process that is started at one moment, goes live at another unless that is `nil`, and ends.
    private func live(
        _ ledger: ProcessLedger, _ number: Int, from begin: Duration, live: Duration?, until end: Duration,
        _ exit: ChildExit
    ) {
        ledger.stands(.starting, wanted: true, starts: number, now: start + begin)
        if let live { ledger.stands(.live, wanted: true, starts: number, now: start + live) }
        ledger.ended(exit, started: .now, now: start + end)
        ledger.stands(.pausing, wanted: true, starts: number, now: start + end)
    }

    @Test("a target that is cut off each time after a moment is a problem also while it is live, until it has lasted")
    func flapping() throws {
        let ledger = ProcessLedger()
        live(ledger, 1, from: .zero, live: .seconds(1), until: .seconds(6), exit(.reset))
        #expect(ledger.now.targetTrouble(now: start + .seconds(6)) == nil)
        live(ledger, 2, from: .seconds(6), live: .seconds(7), until: .seconds(12), exit(.reset))
        #expect(ledger.now.targetTrouble(now: start + .seconds(12))?.contains("the peer closed the connection") == true)
        ledger.stands(.starting, wanted: true, starts: 3, now: start + .seconds(13))
        ledger.stands(.live, wanted: true, starts: 3, now: start + .seconds(14))
        let trouble = try #require(ledger.now.targetTrouble(now: start + .seconds(20)))
        #expect(trouble.contains("2 times in a row") && trouble.contains("the peer closed the connection"))
        #expect(ledger.now.targetTrouble(now: start + .seconds(44)) == nil)
        #expect(ledger.now.connects == 3)
        // It had lasted: this is the first of a new row.
        ledger.ended(exit(.reset), started: .now, now: start + .seconds(60))
        ledger.stands(.pausing, wanted: true, starts: 3, now: start + .seconds(60))
        #expect(ledger.now.failures == 1 && ledger.now.targetTrouble(now: start + .seconds(60)) == nil)
    }

    @Test("what the operator stops and starts begins anew")
    func stopped() {
        let ledger = ProcessLedger()
        for number in 1...3 { live(ledger, number, from: .zero, live: nil, until: .seconds(1), exit(.refused)) }
        #expect(ledger.now.targetTrouble(now: start + .seconds(1)) != nil)
        ledger.stands(.idle, wanted: false, starts: 3, now: start + .seconds(2))
        ledger.stands(.starting, wanted: true, starts: 4, now: start + .seconds(3))
        #expect(ledger.now.targetTrouble(now: start + .seconds(4)) == nil)
    }

    @Test("a target that has been connecting for long is a problem before it has failed")
    func connecting() {
        let ledger = ProcessLedger()
        ledger.stands(.starting, wanted: true, starts: 1, now: start)
        #expect(ledger.now.targetTrouble(now: start + .seconds(9)) == nil)
        #expect(
            ledger.now.targetTrouble(now: start + .seconds(12))?.contains("has been connecting for 12 seconds") == true)
        ledger.stands(.live, wanted: true, starts: 1, now: start + .seconds(13))
        #expect(
            ledger.now.targetTrouble(now: start + .seconds(14)) == nil && ledger.now.connects == 1
                && ledger.now.liveSince == start + .seconds(13))
    }

    @Test("a target that takes less than it is sent is degraded until all arrives, also over one lost connection")
    func slow() {
        let ledger = ProcessLedger()
        ledger.stands(.starting, wanted: true, starts: 1, now: start)
        ledger.stands(.live, wanted: true, starts: 1, now: start)
        #expect(ledger.now.targetState(isWanted: true) == .live)
        ledger.reaches(0.87)
        #expect(
            ledger.now.targetState(isWanted: true) == .degraded && ledger.now.targetState(isWanted: false) == .stopped)
        ledger.ended(exit(.stuck), started: .now, skips: 2, skippedTicks: 90_000, now: start + .seconds(60))
        ledger.stands(.starting, wanted: true, starts: 2, now: start + .seconds(61))
        #expect(
            ledger.now.targetState(isWanted: true) == .connecting && ledger.now.share == 0.87
                && ledger.now.skippedTicks == 90_000)
        ledger.stands(.live, wanted: true, starts: 2, now: start + .seconds(62))
        ledger.reaches(nil)
        #expect(ledger.now.targetState(isWanted: true) == .live)
    }

    @Test("a target that fails again and again, or is stopped, is no slow one any more")
    func noLongerSlow() {
        let ledger = ProcessLedger()
        ledger.reaches(0.5)
        live(ledger, 1, from: .zero, live: nil, until: .seconds(1), exit(.reset))
        #expect(ledger.now.share == 0.5)
        live(ledger, 2, from: .seconds(2), live: nil, until: .seconds(3), exit(.reset))
        #expect(ledger.now.share == nil)
        ledger.reaches(0.5)
        ledger.stands(.idle, wanted: false, starts: 2, now: start + .seconds(4))
        #expect(ledger.now.share == nil)
        ledger.reaches(0.5)
        ledger.couldNotStart("no folder")
        #expect(ledger.now.share == nil)
        ledger.reaches(0.5)
        ledger.beginAnew()
        #expect(ledger.now.share == nil)
    }

    @Test("a target that hangs after a steady time has failed once, whatever was before")
    func hangsAfterLong() {
        let ledger = ProcessLedger()
        live(ledger, 1, from: .zero, live: nil, until: .seconds(1), exit(.reset))
        ledger.stands(.starting, wanted: true, starts: 2, now: start + .seconds(2))
        ledger.stands(.live, wanted: true, starts: 2, now: start + .seconds(3))
        ledger.stands(.stalled, wanted: true, starts: 2, now: start + .seconds(3600))
        ledger.stands(.ending, wanted: true, starts: 2, now: start + .seconds(3602))
        ledger.ended(exit(.stuck), started: .now, now: start + .seconds(3602))
        #expect(ledger.now.failures == 1)
    }

    @Test("a target that takes nothing names the network, and a recording its disk")
    func blocked() throws {
        let ledger = ProcessLedger()
        ledger.stands(.starting, wanted: true, starts: 1, now: start)
        ledger.stands(.live, wanted: true, starts: 1, now: start + .seconds(1))
        ledger.stands(.stalled, wanted: true, starts: 1, now: start + .seconds(40))
        for ends in [false, true] {
            if ends {
                ledger.ended(exit(.stuck), started: .now, now: start + .seconds(42))
                ledger.stands(.pausing, wanted: true, starts: 1, now: start + .seconds(42))
            }
            let network = try #require(ledger.now.targetTrouble(now: start + .seconds(42)))
            let disk = try #require(ledger.now.targetTrouble(now: start + .seconds(42), isRecording: true))
            #expect(network.contains("the network to it") && !network.contains("disk"), "\(network)")
            #expect(disk.contains("the disk that it writes to") && !disk.contains("network"), "\(disk)")
        }
    }

    @Test("the peer's own words are quoted")
    func words() {
        let ledger = ProcessLedger()
        live(
            ledger, 1, from: .zero, live: nil, until: .seconds(1),
            exit(.rejected, "[rtmp @ 0x55] Server error: bitrate too high"))
        let trouble = ledger.now.targetTrouble(now: start + .seconds(1))
        #expect(
            trouble
                == """
                the peer did not let us in and says “bitrate too high”; check the key or the passphrase, and that \
                nobody else uses it
                """
        )
    }
}
