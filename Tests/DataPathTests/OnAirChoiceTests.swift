import Testing

@testable import DataPath

@Suite struct OnAirChoiceTests {
    private let second: Int64 = 1_000_000_000

    private final class Driven {
        private var choice = OnAirChoice(patience: 1_000_000_000)
        var onAir: Int? { choice.onAir }
        @discardableResult func keyframe(from source: Int, now: Int64) -> Bool { choice.keyframe(from: source, now: now) }
        func picture(now: Int64) { choice.picture(now: now) }
        func ended(_ source: Int) { choice.ended(source) }
        func isSilent(now: Int64) -> Bool { choice.isSilent(now: now) }
    }

    @Test("the first source that has a keyframe takes the air")
    func first() {
        let choice = Driven()
        #expect(choice.onAir == nil && choice.isSilent(now: 0))
        #expect(choice.keyframe(from: 3, now: 0))
        #expect(choice.onAir == 3 && !choice.isSilent(now: 0))
    }

    @Test("a source of higher priority takes over at once, one of lower priority waits for silence")
    func priorities() {
        let choice = Driven()
        choice.keyframe(from: 1, now: 0)
        #expect(!choice.keyframe(from: 2, now: second - 1))
        #expect(choice.onAir == 1)
        #expect(choice.keyframe(from: 0, now: second - 1))
        #expect(choice.onAir == 0)
        #expect(!choice.keyframe(from: 1, now: 2 * second - 2))
        #expect(choice.keyframe(from: 1, now: 2 * second - 1))
    }

    @Test("each picture of the source on air keeps it there")
    func pictures() {
        let choice = Driven()
        choice.keyframe(from: 0, now: 0)
        for half in 1...20 {
            choice.picture(now: Int64(half) * second / 2)
            #expect(!choice.keyframe(from: 1, now: Int64(half) * second / 2 + second - 1))
        }
        #expect(choice.isSilent(now: 11 * second))
    }

    @Test("an end frees the air only when it is that of the source on air")
    func ends() {
        let choice = Driven()
        choice.keyframe(from: 0, now: 0)
        choice.ended(1)
        #expect(choice.onAir == 0 && !choice.keyframe(from: 1, now: 1))
        choice.ended(0)
        #expect(choice.onAir == nil && choice.isSilent(now: 1))
        #expect(choice.keyframe(from: 1, now: 1))
    }

    @Test("a source that comes back after its silence takes the air again")
    func comesBack() {
        let choice = Driven()
        choice.keyframe(from: 0, now: 0)
        choice.keyframe(from: 1, now: 2 * second)
        #expect(choice.onAir == 1)
        #expect(choice.keyframe(from: 0, now: 2 * second + 1))
        #expect(choice.onAir == 0)
    }
}
