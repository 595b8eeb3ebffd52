import Testing
import TransportStream

@testable import DataPath

/// Which encoder is too slow.
@Suite struct LagWatchTests {
    private let second: Int64 = 1_000_000_000

    /// The seconds at which it was told, when the lag is looked at ten times a second.
    private func told(_ change: LagWatch.Change = .tooSlow, for seconds: Int = 20, _ lag: (Double) -> Double) -> [Int] {
        var watch = LagWatch()
        var told: [Int] = []
        for tenth in 0..<(seconds * 10) {
            let now = Double(tenth) / 10
            if watch.look(lag: Int64(lag(now) * Double(Ticks.perSecond)), now: Int64(now * Double(second))).change == change { told.append(Int(now)) }
        }
        return told
    }

    @Test("one that falls behind further and further is told once it is far behind")
    func slow() {
        #expect(told { $0 * 0.5 }.first == 6)
    }

    @Test("one that resumed far behind and catches up is left alone")
    func catchingUp() {
        #expect(told { max(0, 5 - $0 * 0.8) }.isEmpty)
    }

    @Test("one that is given seconds at once, at whatever moment, is left alone as long as it catches up")
    func burst() {
        for tenth in 40..<60 {
            let begin = Double(tenth) / 10
            #expect(told { $0 < begin ? 0.1 : max(0.1, 4 - ($0 - begin) * 0.5) }.isEmpty)
        }
    }

    @Test("one that is given seconds at once and does not catch up is told")
    func burstTooSlow() {
        #expect(told { $0 < 5 ? 0.1 : 4 }.count == 1)
    }

    @Test("one that is a little behind all the time is left alone")
    func steady() {
        #expect(told { _ in 2.4 }.isEmpty)
    }

    @Test("one that stays far behind is told once")
    func stuck() {
        #expect(told { _ in 3 }.count == 1)
    }

    @Test("one that was too slow and catches up is told, and told again when it falls behind anew")
    func catchingUpAgain() {
        let lag = { (now: Double) in (8..<14).contains(now) ? 0.1 : now * 0.5 }
        #expect(told(.keepsUp, lag).count == 1)
        #expect(told(.tooSlow, lag).count == 2)
    }
}
