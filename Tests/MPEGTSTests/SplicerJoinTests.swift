import TestSupport
import Testing

@testable import MPEGTS

/// The presentation times where one source follows another, and where the times of a source step back.
@Suite struct SplicerJoinTests {
    private static let rates: [Int64] = [3750, 3600, 3000, 3003, 1800, 1500]

    @Test("sources of any reorder depth and rate join without a gap in presentation")
    func joins() {
        withSeededRandomNow { random in
            for _ in 0..<100 { self.join(using: &random) }
        }
    }

    private func join(using random: inout SeededRandom) {
        let line = Line()
        // The duration of each frame in ticks.
        var frames: [Int64] = []
        for _ in 0..<Int.random(in: 2...7, using: &random) {
            let frame = Self.rates.randomElement(using: &random)!
            let levels = Int.random(in: 0...4, using: &random)
            var writer = Splicer.Writer(.following)
            line.now += Int64.random(in: 0...frame, using: &random)
            var start = Int64.random(in: 0..<Ticks.wrap, using: &random)
            var last: Int64?
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                var group = SyntheticFrames.group(
                    levels: levels, subgroups: Int.random(in: 3...6, using: &random), frame: frame, start: start)
                if let last, Bool.random(using: &random) { group = asMultiplexed(group, after: last) }
                line.write([SyntheticFrames.bytes(group)], as: &writer)
                frames += Array(repeating: frame, count: group.count)
                let end = group[group.count - 1].dts
                last = end
                start =
                    end
                    + (Int.random(in: 0...2, using: &random) > 0
                        ? Int64.random(in: -(frame - 400)...frame, using: &random)
                        : [-1_000_000, -60_000, 1_000_000].randomElement(using: &random)!)
            }
        }
        Wire.expectValid(line.output, random.hint)
        let units = ReferenceUnit.all(line.output)
        #expect(units.count == frames.count, "\(random.hint)")
        let steps = zip(units, units.dropFirst()).map { $1.dts - $0.dts }
        #expect(steps.min()! >= 90, "\(random.hint)")
        let shown = zip(units.map(\.pts), frames).sorted { $0.0 < $1.0 }
        for (one, next) in zip(shown, shown.dropFirst()) {
            let gap = next.0 - one.0
            #expect(gap >= 300 && 2 * gap <= 3 * max(one.1, next.1), "\(gap) ticks at \(one.0); \(random.hint)")
        }
    }

    /// The times that FFmpeg's multiplexer writes for times that step back.
    private func asMultiplexed(_ group: [SyntheticFrames.Frame], after end: Int64) -> [SyntheticFrames.Frame] {
        var last = end
        var result = group
        for index in result.indices {
            if result[index].dts <= last, last - result[index].dts < 45_000 {
                result[index].dts = last + 1
                result[index].pts = max(result[index].pts, result[index].dts)
            }
            last = result[index].dts
        }
        return result
    }

    @Test(
        "a source with or without B-frames begins one frame after the last shown one",
        arguments: [(0, 2), (2, 0), (1, 3)])
    func reorderDepth(_ before: Int, _ after: Int) {
        let line = Line()
        line.write(
            SyntheticFrames.bytes(SyntheticFrames.group(levels: before, subgroups: 4, frame: 3000, start: 0)),
            .following)
        line.write(
            SyntheticFrames.bytes(SyntheticFrames.group(levels: after, subgroups: 4, frame: 3000, start: 700_000)),
            .following)
        let shown = ReferenceUnit.all(line.output).map(\.pts).sorted()
        #expect(zip(shown, shown.dropFirst()).allSatisfy { $1 - $0 == 3000 }, "\(shown)")
        Wire.expectValid(line.output, "")
    }

    @Test("a source that arrives later than a frame plus the delay begins as much later")
    func pause() {
        let line = Line()
        line.write(
            SyntheticFrames.bytes(SyntheticFrames.group(levels: 0, subgroups: 9, frame: 3000, start: 0)), .following
        )
        line.now += Ticks.perSecond
        line.write(
            SyntheticFrames.bytes(SyntheticFrames.group(levels: 2, subgroups: 3, frame: 3000, start: 0)), .following
        )
        let shown = ReferenceUnit.all(line.output).map(\.pts)
        #expect(shown[10] - shown[9] == Ticks.perSecond + 3000)
    }

    @Test(
        "a next piece steps back by less than a frame -> its keyframe stays, no gap",
        arguments: [false, true])
    func stepBack(isMultiplexed: Bool) {
        let line = Line()
        var writer = Splicer.Writer(.following)
        let first = SyntheticFrames.group(levels: 2, subgroups: 4, frame: 3000, start: 500_000)
        let end = first[first.count - 1].dts
        var second = SyntheticFrames.group(levels: 2, subgroups: 4, frame: 3000, start: end - 1170)
        if isMultiplexed { second = asMultiplexed(second, after: end) }
        for piece in [first, second] { line.write([SyntheticFrames.bytes(piece)], as: &writer) }
        let shown = ReferenceUnit.all(line.output).map(\.pts).sorted()
        #expect(
            shown.count == first.count + second.count && zip(shown, shown.dropFirst()).allSatisfy { $1 - $0 == 3000 },
            "\(shown)")
        #expect(line.feed.entries.count == 2)
        Wire.expectValid(line.output, "")
    }

    @Test("audio frames one tick apart: the first one is taken")
    func audioTicksApart() {
        let line = Line()
        let frame = SyntheticFrames.Frame(pts: 0, dts: 0, isKeyframe: true)
        var bytes = SyntheticFrames.bytes([frame])
        for (number, pts) in [0, 1920, 1921, 1922, 3840].enumerated() {
            bytes += SyntheticFrames.audio(pts: Int64(pts), counter: UInt8(number))
        }
        line.write(bytes, .following)
        let units = ReferenceUnit.all(line.output).of(.audio).map(\.pts)
        #expect(units.map { $0 - (units.first ?? 0) } == [0, 1920, 3840])
    }

    @Test("frames that are shown before the last one and have not arrived are counted")
    func outstanding() {
        let line = Line()
        var writer = Splicer.Writer(.following)
        let counts = SyntheticFrames.group(levels: 2, subgroups: 2, frame: 3000, start: 0).map { frame in
            line.write([SyntheticFrames.bytes([frame])], as: &writer)
            return line.splicer.outstanding
        }
        #expect(counts == [0, 3, 2, 1, 0, 3, 2, 1, 0])
    }
}
