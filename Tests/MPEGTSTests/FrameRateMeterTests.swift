import MediaTypes
import Testing

@testable import MPEGTS

@Suite struct FrameRateMeterTests {
    /// Decoding times in ticks.
    private func times(_ rate: Double, seconds: Double, from start: Double = 0, milliseconds: Bool = false) -> [Int64] {
        (0..<Int(rate * seconds)).map { number in
            let time = start + Double(number) / rate
            return milliseconds ? Int64((time * 1000).rounded()) * 90 : Int64((time * 90_000).rounded())
        }
    }

    /// Each rate that was found, and the time in seconds.
    private func found(_ times: [Int64]) -> [(rate: String, after: Double)] {
        var meter = FrameRateMeter()
        return times.compactMap { time in
            meter.note(Ticks.onWire(time)) ? (rate: "\(meter.rate!)", after: Double(time - times[0]) / 90_000) : nil
        }
    }

    @Test(
        "a steady rate is known after a second, or after two frames",
        arguments: [
            (1, "1"), (2, "2"), (4, "4"), (12.5, "25/2"), (15, "15"), (24_000.0 / 1001, "24000/1001"), (25, "25"),
            (30_000.0 / 1001, "30000/1001"), (30, "30"),
            (50, "50"), (60_000.0 / 1001, "60000/1001"), (60, "60"), (120, "120"),
        ] as [(Double, String)], [false, true])
    func steady(_ rate: (perSecond: Double, name: String), milliseconds: Bool) {
        let all = found(times(rate.perSecond, seconds: 20, milliseconds: milliseconds))
        #expect(all.map(\.rate) == [rate.name])
        #expect(all.allSatisfy { $0.after <= max(1.2, 2 / rate.perSecond) })
    }

    @Test("the rate changes -> the new rate is known two seconds later")
    func change() {
        let all = found(times(25, seconds: 20) + times(50, seconds: 20, from: 20))
        #expect(all.map(\.rate) == ["25", "50"])
        #expect(all[1].after < 22.5)
    }

    @Test("pauses, steps back and the wrap have no effect on the rate")
    func pauses() {
        #expect(
            found(times(30, seconds: 5) + times(30, seconds: 5, from: 8) + times(30, seconds: 5, from: 40)).map(\.rate)
                == ["30"])
        #expect(found(times(30, seconds: 5, from: 100) + times(30, seconds: 5)).map(\.rate) == ["30"])
        #expect(found([0, 3000, 81_000] + times(30, seconds: 5, from: 1)).map(\.rate) == ["30"])
        #expect(found(times(25, seconds: 5, from: Double(Ticks.wrap) / 90_000 - 1.1)).map(\.rate) == ["25"])
    }

    @Test("two units with the same time count as one frame")
    func fields() {
        #expect(found(times(25, seconds: 5).flatMap { [$0, $0] }).map(\.rate) == ["25"])
    }

    @Test("a rate that always varies -> its average")
    func variable() {
        // Half a second at 30, half a second at 10.
        let all = found((0..<60).flatMap { times($0.isMultiple(of: 2) ? 30 : 10, seconds: 0.5, from: Double($0) / 2) })
        #expect(all.map(\.rate) == ["20"])
    }

    @Test("a rate that alternates every ten seconds is followed less and less")
    func toAndFro() {
        let all = found((0..<18).flatMap { times($0.isMultiple(of: 2) ? 30 : 15, seconds: 10, from: Double($0) * 10) })
        #expect((2...5).contains(all.count), "\(all)")
    }

    /// 640x360, progressive, 30 frames a second.
    private static let parameterSet: [UInt8] = [
        0x67, 0x42, 0xC0, 0x1E, 0xDA, 0x02, 0x80, 0xBF, 0xE5, 0xC0, 0x44, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00,
        0x03, 0x00, 0xF0, 0x3C, 0x58, 0xBA, 0x80,
    ]

    private func format(announcing rate: Int?, isInterlaced: Bool = false) throws -> VideoFormat {
        var format = try #require(VideoFormat(h264: Self.parameterSet))
        #expect(format.frameRate == FrameRate(30, 1) && !format.isInterlaced)
        format.frameRate = rate.map { FrameRate($0, 1) }
        format.isInterlaced = isInterlaced
        return format
    }

    @Test(
        "the announced rate is used if it is plausible and agrees with the measured one",
        arguments: [
            (30, nil, 30), (60, nil, 60), (1000, nil, nil), (nil, nil, nil), (nil, 15, 15), (1000, 15, 15), (100, 4, 4),
            (30, 29, 30), (25, 50, 50), (120, 120, 120),
        ] as [(Int?, Int?, Int?)])
    func paced(announced: Int?, measured: Int?, expected: Int?) throws {
        let found = try format(announcing: announced).paced(by: measured.map { FrameRate($0, 1) }).frameRate
        #expect(found == expected.map { FrameRate($0, 1) })
    }

    @Test(
        "fields arrive one by one -> two of them count as one frame",
        arguments: [(25, 50, 25), (30, 60, 30), (nil, 50, 25), (1000, 60, 30), (25, 25, 25), (50, 50, 50)]
            as [(Int?, Int, Int)])
    func interlaced(announced: Int?, measured: Int, expected: Int) throws {
        let found = try format(announcing: announced, isInterlaced: true).paced(by: FrameRate(measured, 1))
            .frameRate
        #expect(found == FrameRate(expected, 1))
    }
}
