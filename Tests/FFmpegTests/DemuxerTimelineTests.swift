import FFmpeg
import Testing

/// FFmpeg's timestamps beyond 33 bits.
@Suite struct DemuxerTimelineTests {
    private let wrap: Int64 = 1 << 33
    private let second: Int64 = 90_000

    @Test("times far from the wrap are the stream's own, and continue after the wrap")
    func adds() {
        let timeline = DemuxerTimeline(first: wrap - 100 * second)
        #expect(timeline.time(of: wrap - 100 * second) == wrap - 100 * second)
        #expect(timeline.time(of: wrap + 5 * second) == wrap + 5 * second)
        #expect(timeline.time(of: 5 * second) == wrap + 5 * second)
    }

    @Test("times within a minute before the wrap are negative, and small after it")
    func subtracts() {
        let timeline = DemuxerTimeline(first: 3 * wrap - 10 * second)
        #expect(timeline.time(of: wrap - 5 * second) == -5 * second)
        #expect(timeline.time(of: 7 * wrap + 5 * second) == 5 * second)
    }

    @Test("times just after the wrap stay the same")
    func begins() {
        let timeline = DemuxerTimeline(first: wrap + 3)
        #expect(timeline.time(of: wrap + 5 * second) == 5 * second)
        #expect(timeline.time(of: wrap - second) == wrap - second)
    }
}
