import TestSupport
import Testing

@testable import MPEGTS

@Suite struct FeedReaderTests {
    @Test("readers of any speed skip whole units only, to keyframes, announced and counted")
    func paces() {
        withSeededRandomNow { random in
            for _ in 0..<15 {
                let source = SyntheticFeed(
                    Feed.Limits(
                        duration: Int64.random(in: 3000...900_000, using: &random),
                        bytes: Int.random(in: 1...2 << 20, using: &random), maximumBytes: 3 << 20))
                var readers: [CheckedReader] = []
                var stalled: [Int] = []
                for round in 0..<300 {
                    if readers.count < 8, round % 7 == 0 {
                        readers.append(CheckedReader(source))
                        stalled.append(0)
                    }
                    let size = Int.random(in: 1...400, using: &random)
                    source.append(packets: size, isKeyframe: Int.random(in: 0..<12, using: &random) == 0)
                    for index in readers.indices {
                        if stalled[index] > 0 {
                            stalled[index] -= 1
                            continue
                        }
                        if Int.random(in: 0..<30, using: &random) == 0 {
                            stalled[index] = Int.random(in: 1...60, using: &random)
                        }
                        // The first reader takes everything, the others as much as a pipe would.
                        var budget = index == 0 ? Int.max : Int.random(in: 0...90_000, using: &random)
                        while budget > 0 {
                            let count = min(budget, Int.random(in: 1...20_000, using: &random))
                            guard readers[index].read(count) else { break }
                            budget -= count
                        }
                    }
                }
                #expect(
                    readers.allSatisfy { $0.complaints.isEmpty },
                    "\(readers.flatMap(\.complaints).prefix(4)); \(random.hint)")
                #expect(readers.contains { $0.reader.skips > 0 }, "\(random.hint)")
                #expect(readers.allSatisfy { $0.reader.delivered == $0.delivered })
            }
        }
    }

    @Test("a reader that keeps up loses nothing, whatever other readers do")
    func keepsUp() {
        withSeededRandomNow { random in
            let source = SyntheticFeed(Feed.Limits(duration: 1, bytes: 1, maximumBytes: 1 << 20))
            source.append(packets: 3, isKeyframe: true)
            let quick = source.feed.makeReader()
            let stuck = source.feed.makeReader()
            #expect(stuck.next() != nil)
            stuck.consume(1)
            var read = quick.takeAll()
            for _ in 0..<100 {
                source.appendGOP(of: 5, packets: 20...200, using: &random)
                read += quick.takeAll()
            }
            #expect(read == source.bytes && quick.skips == 0)
        }
    }

    @Test("a reader one byte into a unit finishes it before it jumps")
    func midUnit() {
        let source = SyntheticFeed(Feed.Limits(duration: 1, bytes: 1, maximumBytes: 1 << 20))
        source.append(packets: 10, isKeyframe: true)
        source.append(packets: 10, isKeyframe: false)
        let reader = source.feed.makeReader()
        _ = reader.next()
        reader.consume(1881)
        for index in 0..<100 { source.append(packets: 100, isKeyframe: index % 10 == 0) }
        let rest = reader.next()
        #expect(rest.map(Array.init) == Array(source.bytes[1881..<3760]))
        #expect(reader.skips == 0)
        reader.consume(1879)
        let announcement = reader.next().map(Array.init) ?? []
        #expect(reader.skips == 1 && announcement.count == 752)
        #expect(TransportBytes.packets(announcement).map(TransportBytes.pid) == [0, 0x1000, 0x100, 0x101])
        // Without payload, marked discontinuous, with the counter before the next one.
        #expect(TransportBytes.packets(announcement).map { Array($0)[3] } == [0x20, 0x21, 0x22, 0x23])
        reader.consume(752)
        let newest = source.units.last { $0.isKeyframe }!
        #expect(reader.takeAll() == Array(source.bytes[newest.start...]))
    }

    @Test("a reader of an empty feed waits for the first keyframe")
    func waits() {
        let source = SyntheticFeed(Feed.Limits())
        let reader = source.feed.makeReader()
        #expect(reader.next() == nil && reader.firstEntry == nil && reader.lag == 0)
        source.append(packets: 5, isKeyframe: false)
        #expect(reader.next() == nil)
        source.append(packets: 5, isKeyframe: true)
        #expect(reader.takeAll() == Array(source.bytes[940...]))
        #expect(reader.firstEntry?.position == 940 && reader.skips == 0)
    }

    @Test("a reader is overrun in the newest GOP -> it waits for the next keyframe")
    func waitsAgain() {
        let source = SyntheticFeed(Feed.Limits(bytes: 1 << 20, maximumBytes: 1 << 20))
        source.append(packets: 5, isKeyframe: true)
        let reader = source.feed.makeReader()
        for _ in 0..<100 { source.append(packets: 200, isKeyframe: false) }
        #expect(reader.takeAll() == [] && reader.skips == 1)
        source.append(packets: 7, isKeyframe: true)
        let read = reader.takeAll()
        #expect(Array(read[752...]) == Array(source.bytes.suffix(7 * 188)) && reader.skips == 1)
    }

    @Test("the codecs change -> a reader gets everything before, and ends")
    func era() {
        let source = SyntheticFeed(Feed.Limits())
        source.append(packets: 5, isKeyframe: true)
        let reader = source.feed.makeReader()
        let late = source.feed.makeReader()
        source.append(packets: 5, isKeyframe: false)
        #expect(reader.takeAll().count == 1880)
        source.feed.beginEra()
        #expect(!reader.isFinished)
        source.append(packets: 3, isKeyframe: true)
        #expect(reader.takeAll().isEmpty && reader.isFinished)
        #expect(late.takeAll() == Array(source.bytes[..<1880]) && late.isFinished)
        let next = source.feed.makeReader()
        #expect(next.takeAll() == Array(source.bytes[1880...]) && !next.isFinished)
    }

    @Test("a waiting reader belongs to the first era that begins")
    func waitsForEra() {
        let source = SyntheticFeed(Feed.Limits())
        source.append(packets: 5, isKeyframe: false)
        let reader = source.feed.makeReader()
        source.feed.beginEra()
        source.append(packets: 3, isKeyframe: true)
        #expect(reader.takeAll() == Array(source.bytes[940...]) && !reader.isFinished)
    }

    @Test(
        "framesBehind counts unread frames, and all since the jump while it waits"
    )
    func framesBehind() {
        let source = SyntheticFeed(Feed.Limits(duration: 1, bytes: 1, maximumBytes: 1 << 20))
        let waiting = source.feed.makeReader()
        #expect(waiting.framesBehind == 0)
        for index in 0..<4 { source.append(packets: 2, isKeyframe: index == 0) }
        let reader = source.feed.makeReader()
        #expect(reader.framesBehind == 4)
        _ = reader.next()
        reader.consume(376)
        #expect(reader.framesBehind == 3)
        // In the middle of a frame.
        _ = reader.next()
        reader.consume(100)
        #expect(reader.framesBehind == 3)
        _ = reader.takeAll()
        #expect(reader.framesBehind == 0)
        // Its position is evicted, and there is no keyframe to continue with.
        for _ in 0..<100 { source.append(packets: 100, isKeyframe: false) }
        #expect(reader.next() == nil)
        #expect(reader.skips == 1 && reader.framesBehind == 100 && reader.skipped.frames == 0)
        source.append(packets: 1, isKeyframe: true)
        #expect(reader.next() != nil)
        #expect(reader.framesBehind == 1 && reader.skipped.frames == 100)
    }

    @Test("the lag is the number of unread bytes")
    func lag() {
        let source = SyntheticFeed(Feed.Limits())
        source.append(packets: 4, isKeyframe: true)
        let reader = source.feed.makeReader()
        #expect(reader.lag == 752)
        _ = reader.next()
        reader.consume(52)
        #expect(reader.lag == 700 && reader.delivered == 52)
    }

    @Test(
        "a reader is overrun in the middle of a frame -> FFmpeg decodes without a message",
        arguments: [RecordedStream.busy, .bFrames, .hevc])
    func decodes(_ stream: RecordedStream) async throws {
        let bytes = try await stream.bytes()
        var random = SeededRandom()
        // Small units and a small window, so that every stall is overrun.
        let line = Line(fillsSilence: true, limits: Feed.Limits(duration: 1, bytes: 1, maximumBytes: 1 << 20))
        var begun: FeedReader?
        var output: [UInt8] = []
        var isSlow = false
        var passes = 0
        while passes < 60, begun.map({ $0.skips < 2 }) ?? true {
            passes += 1
            var writer = Splicer.Writer(.following)
            var parser = UnitParser()
            parser.read([bytes]) { unit, parser in
                if unit.kind == .video { line.now += 3000 }
                _ = line.splicer.accept(unit, of: &writer, from: parser, now: line.now)
                let reader = begun ?? line.feed.makeReader()
                begun = reader
                // A few bytes at a time until it is overrun, then as fast as they arrive.
                if reader.lag > 900_000 { isSlow = false }
                var budget = isSlow ? Int.random(in: 1...9, using: &random) : Int.max
                while budget > 0, let bytes = reader.next() {
                    let count = min(budget, bytes.count)
                    output += UnsafeRawBufferPointer(rebasing: bytes[..<count])
                    reader.consume(count)
                    budget -= count
                }
            }
            if begun?.lag == 0 { isSlow = true }
        }
        let reader = try #require(begun)
        output += reader.takeAll()
        #expect(reader.skips > 0, "\(random.hint)")
        Wire.expectValid(output, random.hint)
        try await Wire.expectDecodes(output, random.hint)
    }
}
