import Testing

@testable import Supervision

/// Rates of groups, from readings of their counters.
@Suite struct RateMeterTests {
    private let meter = RateMeter()
    private let start = ContinuousClock.now

    /// 30 frames a second; every two seconds a keyframe of ten times the bytes of another frame.
    private func counters(at seconds: Double) -> RateMeter.Counters {
        let frames = Int(seconds * 30)
        return .init(
            frames: frames, bytes: frames * 1000 + (frames + 59) / 60 * 9000,
            streamSeconds: frames == 0 ? nil : 10 + seconds)
    }

    @Test(
        "bits arrive in bursts -> a steady rate, however often it is read",
        arguments: [0.2, 0.7, 1, 2])
    func bits(every: Double) {
        var rates: [RateMeter.Rates] = []
        for look in stride(from: 0.0, to: 40, by: every) {
            rates.append(meter.rates(of: "hd", counters(at: look), at: start + .seconds(look)))
        }
        let (perSecond, settled) = ((30 * 1000 + 4500) * 8.0, rates.dropFirst(Int(12 / every)))
        #expect(settled.allSatisfy { abs($0.bitsPerSecond / perSecond - 1) < 0.06 }, "\(settled.map(\.bitsPerSecond))")
        #expect(settled.allSatisfy { abs($0.fps - 30) < 1 && abs($0.speed - 1) < 0.05 })
        let mean = settled.map(\.bitsPerSecond).reduce(0, +) / Double(settled.count)
        #expect(abs(mean / perSecond - 1) < 0.01)
    }

    @Test("the first frame arrives -> the speed does not count the start of the timeline")
    func beginning() {
        #expect(meter.rates(of: "hd", counters(at: 0), at: start).speed == 0)
        #expect(meter.rates(of: "hd", counters(at: 1), at: start + .seconds(1)).speed == 0)
        #expect(abs(meter.rates(of: "hd", counters(at: 2), at: start + .seconds(2)).speed - 1) < 0.1)
    }

    @Test("readings are rare -> they are compared; a group that gives nothing -> zero")
    func sparse() {
        _ = meter.rates(of: "hd", counters(at: 1), at: start)
        #expect(abs(meter.rates(of: "hd", counters(at: 3601), at: start + .seconds(3600)).fps - 30) < 0.1)
        #expect(meter.rates(of: "hd", counters(at: 3601), at: start + .seconds(3604)).fps == 0)
    }
}
