import MPEGTS
import Testing

@testable import DataPath

/// Tests the mapping of times for a process that converts audio.
@Suite struct AudioTimelineMapTests {
    private static let begin: Int64 = 5_000_017

    @Test("a process gets milliseconds, and its output gets the source's times")
    func times() {
        var timeline = AudioTimelineMap()
        #expect(timeline.sourceTime(of: 0) == nil)
        #expect(timeline.processTimestamp(for: Self.begin) == 0)
        #expect(timeline.processTimestamp(for: Self.begin + 26 * 90) == 26)
        // To the nearest millisecond.
        #expect(timeline.processTimestamp(for: Self.begin + 52 * 90 + 44) == 52)
        #expect(timeline.processTimestamp(for: Self.begin + 78 * 90 + 45) == 79)
        #expect(timeline.sourceTime(of: 1920) == Self.begin + 1920)
        // An encoder begins before the first sample.
        #expect(timeline.sourceTime(of: Ticks.onWire(-1920)) == Self.begin - 1920)
    }

    @Test("a time that goes back becomes the newest time")
    func back() {
        var timeline = AudioTimelineMap()
        let stamps = [0, 100, 70, 90, 120].map { timeline.processTimestamp(for: Self.begin + $0 * 90) }
        #expect(stamps == [0, 100, 100, 100, 120])
        #expect(timeline.sourceTime(of: 120 * 90) == Self.begin + 120 * 90)
    }

    @Test(
        "a pause of more than a second is a second for the process",
        arguments: [1000, 1001, 3_600_000])
    func pause(milliseconds: Int64) {
        var timeline = AudioTimelineMap()
        _ = timeline.processTimestamp(for: Self.begin)
        #expect(timeline.processTimestamp(for: Self.begin + 20 * 90) == 20)
        let next = Self.begin + (20 + milliseconds) * 90
        #expect(timeline.processTimestamp(for: next) == 1020)
        #expect(timeline.processTimestamp(for: next + 20 * 90) == 1040)
        // Output for the time before the pause, with the silence behind it, and output for the time after it.
        #expect(timeline.sourceTime(of: 1019 * 90) == Self.begin + 1019 * 90)
        #expect(timeline.sourceTime(of: 1020 * 90) == next)
        #expect(timeline.sourceTime(of: 1041 * 90) == next + 21 * 90)
    }

    @Test("many pauses without output take no memory, and the last one counts")
    func manyPauses() {
        var timeline = AudioTimelineMap()
        for number in 0..<1000 { _ = timeline.processTimestamp(for: Self.begin + Int64(number) * 10 * Ticks.perSecond) }
        #expect(timeline.newest == 999 * Ticks.perSecond)
        #expect(timeline.sourceTime(of: timeline.newest) == Self.begin + 9990 * Ticks.perSecond)
    }

    @Test("audio continues where the timestamps on the wire wrap")
    func wrap() {
        var timeline = AudioTimelineMap()
        // Thirty hours.
        for second in 0..<108_000 {
            let time = Self.begin + Int64(second) * Ticks.perSecond
            #expect(timeline.processTimestamp(for: time) == UInt32(second * 1000))
            let given = timeline.sourceTime(of: Ticks.onWire(Int64(second) * Ticks.perSecond))
            guard given == time else {
                Issue.record("\(second) s: \(String(describing: given))")
                return
            }
        }
    }
}
