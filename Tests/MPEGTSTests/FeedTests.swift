import TestSupport
import Testing

@testable import MPEGTS

@Suite struct FeedTests {
    private let segment = Feed.segmentCapacity

    @Test("the last whole GOP stays up to the upper limit, however old and large it is")
    func lastGOP() {
        withSeededRandomNow { random in
            let source = SyntheticFeed(Feed.Limits(duration: 1, bytes: 1, maximumBytes: 16 << 20))
            for _ in 0..<20 {
                source.appendGOP(of: 40, packets: 50...200, using: &random)
                let keys = source.units.filter(\.isKeyframe).map(\.start)
                guard keys.count > 1 else { continue }
                // From the keyframe before the newest one.
                #expect(source.feed.byteCount >= source.bytes.count - keys[keys.count - 2], "\(random.hint)")
                #expect(source.feed.entries.suffix(2).map(\.position) == keys.suffix(2), "\(random.hint)")
                // Before that, no more than the rest of its segment.
                #expect(source.feed.byteCount <= source.bytes.count - keys[keys.count - 2] + segment, "\(random.hint)")
            }
            #expect(source.feed.truncations == 0)
        }
    }

    @Test("frames are counted by presentation time, whatever their decoding order")
    func shownFrames() {
        let feed = Feed()
        let times: [(dts: Int64, pts: Int64)] = [(0, 2), (1, 5), (2, 3), (3, 4), (4, 8), (5, 6), (6, 7)]
        for time in times {
            _ = feed.reserve(188)
            feed.commit(188, pts: time.pts * 3000, dts: time.dts * 3000, isVideo: true, entry: nil)
        }
        #expect([1, 2, 4, 5, 7, 8].map { feed.frames(shownUntil: $0 * 3000) } == [0, 1, 3, 4, 6, 7])
        #expect(feed.frames(until: 4 * 3000) == 5)
    }

    @Test("memory exceeds the upper limit by at most a unit and a segment", arguments: [1, 3, 700, 1300, 3000])
    func bound(_ packets: Int) {
        let most = 4 << 20
        let source = SyntheticFeed(Feed.Limits(bytes: 1 << 20, maximumBytes: most))
        var random = SeededRandom()
        for index in 0..<12_000 where source.bytes.count < 40 << 20 {
            // One keyframe and then none: an endless GOP.
            source.append(packets: Int.random(in: 1...packets, using: &random), isKeyframe: index == 0)
            #expect(source.feed.byteCount <= source.feed.heldBytes)
            #expect(source.feed.heldBytes <= most + max(segment, packets * 188), "\(random.hint)")
        }
        if source.bytes.count > most { #expect(source.feed.truncations > 0 && source.feed.entries.isEmpty) }
    }

    @Test("the codecs change at every frame -> memory stays bounded")
    func manyEras() {
        let source = SyntheticFeed(Feed.Limits(duration: .max, bytes: 4 << 20, maximumBytes: 8 << 20))
        for _ in 0..<2000 {
            source.feed.beginEra()
            source.append(packets: 1, isKeyframe: true, step: 1)
            #expect(source.feed.heldBytes <= 8 << 20)
        }
    }

    @Test("data older than the duration is evicted when a newer GOP is whole")
    func duration() {
        withSeededRandomNow { random in
            let source = SyntheticFeed(Feed.Limits(duration: 2 * Ticks.perSecond))
            for _ in 0..<30 { source.appendGOP(of: 30, packets: 10...60, using: &random) }
            let oldest = source.feed.entries.first.map(\.dts) ?? 0
            // Two seconds, and the rest of their first segment.
            #expect(source.feed.newestDTS! - oldest <= 4 * Ticks.perSecond)
            #expect(source.feed.newestDTS! - oldest >= 2 * Ticks.perSecond - 60 * 3000)
        }
    }

    @Test("memory is reused only if no reader and no process can refer to it")
    func reuse() {
        let source = SyntheticFeed(Feed.Limits(duration: 1, bytes: 1))
        var isReturned = true
        source.feed.isReturned = { isReturned }
        /// Whether the memory of an evicted segment is kept for the next one.
        func keeps() -> Bool {
            let segment = source.feed.firstSegment
            var has = false
            while source.feed.firstSegment == segment {
                source.append(packets: 400, isKeyframe: true)
                has = source.feed.spare != nil
            }
            return has
        }
        for _ in 0..<3 { _ = keeps() }
        #expect(keeps())
        let reader = source.feed.makeReader()
        let given = reader.next()!
        let before = Array(given)
        for _ in 0..<8 { _ = keeps() }
        #expect(given.elementsEqual(before))
        withExtendedLifetime(reader) {}
        isReturned = false
        _ = keeps()
        #expect(!keeps())
        isReturned = true
        source.feed.lendForGood()
        #expect(!keeps())
        for _ in 0..<3 { _ = keeps() }
        #expect(keeps())
    }

    @Test("a reader for a time begins at the newest keyframe before it, else at the oldest")
    func notAfter() {
        withSeededRandomNow { random in
            let source = SyntheticFeed(Feed.Limits())
            for _ in 0..<5 { source.appendGOP(of: 10, packets: 1...9, using: &random) }
            let entries = Array(source.feed.entries)
            #expect(source.feed.makeReader(notAfter: entries[2].pts).firstEntry == entries[2])
            #expect(source.feed.makeReader(notAfter: entries[3].pts - 1).firstEntry == entries[2])
            #expect(source.feed.makeReader(notAfter: 0).firstEntry == entries[0])
            #expect(source.feed.makeReader(notAfter: .max).firstEntry == entries[4])
            source.feed.beginEra()
            source.append(packets: 1, isKeyframe: true)
            #expect(source.feed.makeReader(notAfter: entries[2].pts).firstEntry == source.feed.entries.last)
        }
    }

    @Test("bytes that a reader received do not change, however far the feed is")
    func givenBytesStay() {
        withSeededRandomNow { random in
            let source = SyntheticFeed(Feed.Limits(duration: 1, bytes: 1, maximumBytes: 1 << 20))
            source.appendGOP(of: 20, packets: 50...100, using: &random)
            let reader = source.feed.makeReader()
            let given = reader.next()!
            for _ in 0..<30 { source.appendGOP(of: 20, packets: 50...200, using: &random) }
            #expect(given.elementsEqual(source.bytes[..<given.count]))
            withExtendedLifetime(reader) {}
        }
    }
}
