import MPEGTS
import Testing

@Suite struct TicksTests {
    @Test("a timestamp is extended to the time nearest to the reference, across the wrap")
    func extend() {
        let wrap = Ticks.wrap
        #expect(Ticks.extend(5, near: wrap - 5) == wrap + 5)
        #expect(Ticks.extend(wrap - 5, near: 5) == -5)
        #expect(Ticks.extend(wrap - 5, near: wrap + 5) == wrap - 5)
        #expect(Ticks.extend(7, near: 3 * wrap + 9) == 3 * wrap + 7)
        #expect(Ticks.onWire(Ticks.extend(123, near: 7 * wrap - 1)) == 123)
        #expect(Ticks.onWire(-5) == wrap - 5)
    }

    @Test("nanoseconds become whole ticks without overflow")
    func nanoseconds() {
        #expect(Ticks.fromNanoseconds(1_000_000_000) == 90_000)
        #expect(Ticks.fromNanoseconds(11_111) == 0)
        #expect(Ticks.fromNanoseconds(11_112) == 1)
        #expect(Ticks.fromNanoseconds(.max) == Int64.max / 100_000 * 9 + Int64.max % 100_000 * 9 / 100_000)
    }
}
