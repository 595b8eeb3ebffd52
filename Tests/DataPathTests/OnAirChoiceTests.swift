import Testing

@testable import DataPath

@Suite struct OnAirChoiceTests {
    private let second: Int64 = 1_000_000_000

    private final class Driven {
        private var choice = OnAirChoice(patience: 1_000_000_000)
        var onAir: Int? { choice.onAir }
        @discardableResult func keyframe(from source: Int, slate: Bool = false, now: Int64) -> Bool {
            choice.delivered(source, now: now)
            return choice.keyframe(from: source, slateIsOnAir: slate, now: now)
        }
        func frame(of source: Int, now: Int64) { choice.delivered(source, now: now) }
        func ended(_ source: Int, now: Int64 = 0) { choice.ended(source, now: now) }
        func forgive(_ source: Int) { choice.forgive(source) }
        func isSilent(now: Int64) -> Bool { choice.isSilent(now: now) }
    }

    @Test("the first source that has a keyframe goes on air")
    func first() {
        let choice = Driven()
        #expect(choice.onAir == nil && choice.isSilent(now: 0))
        #expect(choice.keyframe(from: 3, now: 0))
        #expect(choice.onAir == 3 && !choice.isSilent(now: 0))
    }

    @Test("a preferred source takes over at once, another one waits for silence")
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

    @Test("a source on air stays there while it delivers frames")
    func frames() {
        let choice = Driven()
        choice.keyframe(from: 0, now: 0)
        for half in 1...20 {
            choice.frame(of: 0, now: Int64(half) * second / 2)
            #expect(!choice.keyframe(from: 1, now: Int64(half) * second / 2 + second - 1))
        }
        #expect(choice.isSilent(now: 11 * second))
    }

    @Test("only the end of the source on air lets another one replace it")
    func ends() {
        let choice = Driven()
        choice.keyframe(from: 0, now: 0)
        choice.ended(1)
        #expect(choice.onAir == 0 && !choice.keyframe(from: 1, now: 1))
        choice.ended(0)
        #expect(choice.onAir == nil && choice.isSilent(now: 1))
        #expect(choice.keyframe(from: 1, now: 1))
    }

    /// Drives source 0, which comes and goes, while source 1, or the slate, is always there. Counts how often source 0
    /// goes on air.
    private func flapping(on: Int64, off: Int64, times: Int, slate: Bool) -> (taken: Int, choice: Driven) {
        let choice = Driven()
        let millisecond = second / 1000
        var taken = 0
        var now: Int64 = 0
        for _ in 0..<times {
            let start = now
            while now < start + on {
                if choice.onAir != 0 {
                    if choice.keyframe(from: 0, slate: slate && choice.onAir == nil, now: now * millisecond) {
                        taken += 1
                    }
                } else {
                    choice.frame(of: 0, now: now * millisecond)
                }
                if !slate { choice.frame(of: 1, now: now * millisecond) }
                now += 10
            }
            choice.ended(0, now: now * millisecond)
            let gap = now
            while now < gap + off {
                if !slate { choice.keyframe(from: 1, now: now * millisecond) }
                now += 10
            }
        }
        return (taken, choice)
    }

    @Test(
        "a source that comes and goes ten times a second goes on air twice only", arguments: [true, false])
    func flapping(slate: Bool) {
        #expect(flapping(on: 50, off: 50, times: 600, slate: slate).taken == 2)
    }

    @Test("a source that comes and goes slowly goes on air less and less often")
    func relapsing() {
        let (taken, _) = flapping(on: 3000, off: 1000, times: 20, slate: false)
        #expect((3...5).contains(taken), "\(taken)")
    }

    @Test("a source that was on air for long returns at once, however often")
    func healthy() {
        #expect(flapping(on: OnAirChoice.healthy / 1_000_000 + 100, off: 1000, times: 10, slate: false).taken == 10)
        #expect(flapping(on: OnAirChoice.healthy / 1_000_000 + 100, off: 1000, times: 10, slate: true).taken == 10)
    }

    @Test("a source goes on air at once where there is nothing else to show")
    func nothingElse() {
        let (_, choice) = flapping(on: 50, off: 50, times: 100, slate: true)
        #expect(!choice.keyframe(from: 0, slate: true, now: 100 * second))
        #expect(choice.keyframe(from: 0, slate: false, now: 100 * second + 1))
    }

    @Test("a source that is plugged in again does not have to settle")
    func forgiven() {
        let (_, choice) = flapping(on: 50, off: 50, times: 100, slate: true)
        choice.forgive(0)
        #expect(choice.keyframe(from: 0, slate: true, now: 100 * second))
    }

    @Test("a source that returns after its silence goes on air again")
    func comesBack() {
        let choice = Driven()
        choice.keyframe(from: 0, now: 0)
        choice.keyframe(from: 1, now: 2 * second)
        #expect(choice.onAir == 1)
        #expect(choice.keyframe(from: 0, now: 2 * second + 1))
        #expect(choice.onAir == 0)
    }
}
