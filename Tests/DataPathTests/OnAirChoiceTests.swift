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
        func picture(of source: Int, now: Int64) { choice.delivered(source, now: now) }
        func ended(_ source: Int, now: Int64 = 0) { choice.ended(source, now: now) }
        func forgive(_ source: Int) { choice.forgive(source) }
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
            choice.picture(of: 0, now: Int64(half) * second / 2)
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

    /// Milliseconds at which source 0 is on air, when it comes and goes while source 1, or the slate, is always there.
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
                    choice.picture(of: 0, now: now * millisecond)
                }
                if !slate { choice.picture(of: 1, now: now * millisecond) }
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
        "a source that comes and goes ten times a second takes the air twice, and not again", arguments: [true, false])
    func flapping(slate: Bool) {
        #expect(flapping(on: 50, off: 50, times: 600, slate: slate).taken == 2)
    }

    @Test("one that comes and goes slowly is let on air less and less often")
    func relapsing() {
        let (taken, _) = flapping(on: 3000, off: 1000, times: 20, slate: false)
        #expect((3...5).contains(taken), "\(taken)")
    }

    @Test("one that was on air for long comes back at once, however often")
    func healthy() {
        #expect(flapping(on: OnAirChoice.healthy / 1_000_000 + 100, off: 1000, times: 10, slate: false).taken == 10)
        #expect(flapping(on: OnAirChoice.healthy / 1_000_000 + 100, off: 1000, times: 10, slate: true).taken == 10)
    }

    @Test("where there is nothing else to show the worst source is let on air at once")
    func nothingElse() {
        let (_, choice) = flapping(on: 50, off: 50, times: 100, slate: true)
        #expect(!choice.keyframe(from: 0, slate: true, now: 100 * second))
        #expect(choice.keyframe(from: 0, slate: false, now: 100 * second + 1))
    }

    @Test("one that is plugged in anew has nothing to make good")
    func forgiven() {
        let (_, choice) = flapping(on: 50, off: 50, times: 100, slate: true)
        choice.forgive(0)
        #expect(choice.keyframe(from: 0, slate: true, now: 100 * second))
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
