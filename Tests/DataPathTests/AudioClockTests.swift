import MPEGTS
import Testing

@testable import DataPath

/// Tests the mapping of times for a process that converts audio.
@Suite struct AudioClockTests {
    private static let begin: Int64 = 5_000_017

    @Test("a process gets milliseconds, and its output gets the source's times")
    func times() {
        var clock = AudioClock()
        #expect(clock.time(of: 0) == nil)
        #expect(clock.stamp(Self.begin) == 0)
        #expect(clock.stamp(Self.begin + 26 * 90) == 26)
        // To the nearest millisecond.
        #expect(clock.stamp(Self.begin + 52 * 90 + 44) == 52)
        #expect(clock.stamp(Self.begin + 78 * 90 + 45) == 79)
        #expect(clock.time(of: 1920) == Self.begin + 1920)
        // An encoder begins before the first sample.
        #expect(clock.time(of: Ticks.onWire(-1920)) == Self.begin - 1920)
    }

    @Test("a time that goes back becomes the newest time")
    func back() {
        var clock = AudioClock()
        let stamps = [0, 100, 70, 90, 120].map { clock.stamp(Self.begin + $0 * 90) }
        #expect(stamps == [0, 100, 100, 100, 120])
        #expect(clock.time(of: 120 * 90) == Self.begin + 120 * 90)
    }

    @Test(
        "a pause of more than a second is a second for the process",
        arguments: [1000, 1001, 3_600_000])
    func pause(milliseconds: Int64) {
        var clock = AudioClock()
        _ = clock.stamp(Self.begin)
        #expect(clock.stamp(Self.begin + 20 * 90) == 20)
        let next = Self.begin + (20 + milliseconds) * 90
        #expect(clock.stamp(next) == 1020)
        #expect(clock.stamp(next + 20 * 90) == 1040)
        // Output for the time before the pause, with the silence behind it, and output for the time after it.
        #expect(clock.time(of: 1019 * 90) == Self.begin + 1019 * 90)
        #expect(clock.time(of: 1020 * 90) == next)
        #expect(clock.time(of: 1041 * 90) == next + 21 * 90)
    }

    @Test("many pauses without output take no memory, and the last one counts")
    func manyPauses() {
        var clock = AudioClock()
        for number in 0..<1000 { _ = clock.stamp(Self.begin + Int64(number) * 10 * Ticks.perSecond) }
        #expect(clock.newest == 999 * Ticks.perSecond)
        #expect(clock.time(of: clock.newest) == Self.begin + 9990 * Ticks.perSecond)
    }

    @Test("audio continues where the timestamps on the wire wrap")
    func wrap() {
        var clock = AudioClock()
        // Thirty hours.
        for second in 0..<108_000 {
            let time = Self.begin + Int64(second) * Ticks.perSecond
            #expect(clock.stamp(time) == UInt32(second * 1000))
            let given = clock.time(of: Ticks.onWire(Int64(second) * Ticks.perSecond))
            guard given == time else {
                Issue.record("\(second) s: \(String(describing: given))")
                return
            }
        }
    }
}
