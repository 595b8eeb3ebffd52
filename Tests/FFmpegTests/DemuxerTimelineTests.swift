import FFmpeg
import Testing

/// How FFmpeg counts beyond 33 bits.
@Suite struct DemuxerTimelineTests {
    private let wrap: Int64 = 1 << 33
    private let second: Int64 = 90_000

    @Test("far from the wrap the times are the stream's own, and those behind the wrap go on")
    func adds() {
        let timeline = DemuxerTimeline(first: wrap - 100 * second)
        #expect(timeline.time(of: wrap - 100 * second) == wrap - 100 * second)
        #expect(timeline.time(of: wrap + 5 * second) == wrap + 5 * second)
        #expect(timeline.time(of: 5 * second) == wrap + 5 * second)
    }

    @Test("within a minute of the wrap the times before it are negative, and those behind it small")
    func subtracts() {
        let timeline = DemuxerTimeline(first: 3 * wrap - 10 * second)
        #expect(timeline.time(of: wrap - 5 * second) == -5 * second)
        #expect(timeline.time(of: 7 * wrap + 5 * second) == 5 * second)
    }

    @Test("just behind the wrap nothing is added")
    func begins() {
        let timeline = DemuxerTimeline(first: wrap + 3)
        #expect(timeline.time(of: wrap + 5 * second) == 5 * second)
        #expect(timeline.time(of: wrap - second) == wrap - second)
    }
}
