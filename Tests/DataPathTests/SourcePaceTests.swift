import MPEGTS
import Testing

@testable import DataPath

/// Tests which sources are held back, and for how long.
@Suite struct SourcePaceTests {
    private static let second: Int64 = 1_000_000_000
    private static let frame: Int64 = 3000

    /// A source of 30 frames a second that gives each frame as soon as it may.
    private struct Source {
        var pace = SourcePace(most: 4 * SourcePaceTests.second)
        var now: Int64 = 1000 * SourcePaceTests.second
        var dts: Int64 = 126_000
        var changes: [Bool] = []
        var waited: Int64 = 0

        /// Gives this many seconds of media.
        ///
        /// - Parameter speed: The speed of the sender, where it is not held back; 0 for all at once.
        /// - Returns: The seconds that passed.
        @discardableResult
        mutating func give(_ seconds: Double, speed: Double = 0) -> Double {
            let start = now
            var sent = now
            for _ in 0..<Int(seconds * 30) {
                if speed > 0 {
                    sent += Int64(Double(SourcePaceTests.second) / 30 / speed)
                    now = max(now, sent)
                }
                let (wait, change) = pace.note(Ticks.onWire(dts), now: now)
                if let change { changes.append(change) }
                if let wait {
                    waited += wait - now
                    now = wait
                }
                dts += SourcePaceTests.frame
            }
            return Double(now - start) / Double(SourcePaceTests.second)
        }

        /// Gives nothing for a while.
        mutating func beSilent(_ seconds: Int64) { now += seconds * SourcePaceTests.second }
    }

    @Test("a file that comes at once passes in real time, except for the allowed lead")
    func file() {
        var source = Source()
        #expect(abs(source.give(120) - 116) < 0.2)
        #expect(source.changes == [true])
    }

    @Test("a source at twice real time is held back to it, and reported once")
    func fast() {
        var source = Source()
        #expect(abs(source.give(120, speed: 2) - 116) < 0.2)
        #expect(source.changes == [true])
    }

    @Test("a source in real time is never held back after its burst at the start")
    func live() {
        var source = Source()
        source.give(3.5)
        source.give(3600, speed: 1)
        #expect(source.waited == 0 && source.changes.isEmpty)
    }

    @Test("a clock that runs fast by a thousandth is not held back within hours")
    func drift() {
        var source = Source()
        source.give(10_000, speed: 1.001)
        #expect(source.waited == 0)
    }

    @Test("media that a network delayed passes at once")
    func stall() {
        var source = Source()
        source.give(60, speed: 1)
        for _ in 0..<5 {
            source.beSilent(25)
            #expect(source.give(25) == 0)
            source.give(10, speed: 1)
        }
        #expect(source.waited == 0 && source.changes.isEmpty)
    }

    @Test("after a long silence a source may make up for half a minute")
    func silence() {
        var source = Source()
        source.give(60, speed: 1)
        source.beSilent(3600)
        #expect(abs(source.give(120) - 86) < 0.5)
    }

    @Test("a playlist of whole segments is held back to real time without gaps")
    func segments() {
        var source = Source()
        var waits: [Double] = []
        // Three segments exist at the start, and another one every ten seconds.
        for segment in 0..<60 {
            let available = 1000 * Self.second + Int64(max(0, segment - 2)) * 10 * Self.second
            waits.append(Double(max(0, available - source.now)) / Double(Self.second))
            source.now = max(source.now, available)
            source.give(10)
        }
        // No segment is late: frames arrive all the time.
        #expect(waits.allSatisfy { $0 == 0 }, "\(waits)")
        #expect(source.changes == [true])
    }

    @Test("a jump of the source's time, ahead or back, does not count")
    func jumps() {
        var source = Source()
        source.give(10, speed: 1)
        source.dts += 3600 * Ticks.perSecond
        source.give(10, speed: 1)
        source.dts -= 2000 * Ticks.perSecond
        source.give(10, speed: 1)
        #expect(source.waited == 0)
        #expect(abs(source.give(60) - 56) < 0.5)
    }

    @Test("the wrap of 33 bits does not count")
    func wrap() {
        var source = Source()
        source.dts = Ticks.wrap - 5 * Ticks.perSecond
        source.give(60, speed: 1)
        #expect(source.waited == 0 && source.changes.isEmpty)
    }

    @Test("a file that is fetched again keeps its lead")
    func following() {
        var source = Source()
        var taken = 0.0
        for _ in 0..<5 {
            taken += source.give(20)
            source.pace = source.pace.following()
            source.dts = 126_000
            source.beSilent(1)
            taken += 1
        }
        #expect(abs(taken - 97) < 1, "\(taken)")
    }

    @Test("a source that is no longer ahead is reported once, ten seconds later")
    func calm() {
        var source = Source()
        source.give(20)
        source.give(4, speed: 0.5)
        #expect(source.changes == [true])
        source.give(60, speed: 1)
        #expect(source.changes == [true, false])
    }
}
