import MediaTypes
import Testing

@Suite struct FrameRateTests {
    @Test("a rate is reduced to lowest terms, and equal rates are equal")
    func lowestTerms() {
        let rate = FrameRate(60_000, 2002)
        #expect(rate.numerator == 30_000 && rate.denominator == 1001)
        #expect(rate == FrameRate(30_000, 1001) && FrameRate(50, 2) == FrameRate(25))
    }

    @Test(
        "a rate is written as FFmpeg reads it",
        arguments: [(FrameRate(60, 2), "30"), (FrameRate(30_000, 1001), "30000/1001")])
    func description(rate: FrameRate, text: String) {
        #expect("\(rate)" == text)
    }

    @Test("the duration of a frame is rounded to the nearest nanosecond")
    func frameDuration() {
        #expect(FrameRate(25).frameDuration == .milliseconds(40))
        #expect(FrameRate(30).frameDuration == .nanoseconds(33_333_333))
        #expect(FrameRate(30_000, 1001).frameDuration == .nanoseconds(33_366_667))
    }

    @Test("the frames in a duration are rounded up, and are at least one")
    func frames() {
        #expect(FrameRate(30).frames(in: .seconds(2)) == 60)
        #expect(FrameRate(30_000, 1001).frames(in: .seconds(2)) == 60)
        #expect(FrameRate(25).frames(in: .milliseconds(41)) == 2)
        #expect(FrameRate(25).frames(in: .zero) == 1)
    }
}
