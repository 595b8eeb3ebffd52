import MPEGTS
import Testing

@testable import DataPath

/// Tests which frames of a source are kept.
struct FrameStoreTests {
    /// Makes a store with this many frames, 30 a second.
    private func store(_ count: Int, width: Int = 64, height: Int = 64) -> FrameStore {
        var store = FrameStore(
            format: FrameFormat(width: width, height: height, fourCC: 0, byteCount: width * height * 3 / 2),
            mostBytes: 256 << 20, longestSpan: 4 * Ticks.perSecond)
        for number in 0..<count { put(Int64(number) * 3000, into: &store) }
        return store
    }

    private func put(_ time: Int64, into store: inout FrameStore) {
        if let room = store.takeMemory() { store.append(room, time: time) } else { Issue.record("no memory") }
    }

    @Test("a frame is kept until it has come out encoded, and its memory is used again")
    func delivery() {
        var store = store(5)
        let room = store.first?.memory
        store.removeDelivered(through: 1)
        #expect(store.first?.number == 2 && store.nextToDeliver == 2 && store.nextNumber == 5)
        #expect([3, 0, 5].map { store.firstFrame(atOrAfter: $0)?.number } == [3, 2, nil])
        let rooms = [store.takeMemory(), store.takeMemory()]
        #expect(rooms.contains { $0 === room })
        store.removeDelivered(through: 4)
        #expect(store.first == nil && store.nextToDeliver == 5)
    }

    @Test("a time that is not later than the one before is moved behind it")
    func times() {
        var store = store(0)
        for time in [10, 10, 5, 20] as [Int64] { put(time, into: &store) }
        #expect((0..<4).compactMap { store.firstFrame(atOrAfter: $0)?.time } == [10, 11, 12, 20])
    }

    @Test("a store is full with four seconds of frames, or with its most bytes")
    func bounds() {
        #expect(!store(100).isFull && store(122).isFull)
        // 8.8 MB a frame, whose pages are never touched.
        #expect(!store(28, width: 3200, height: 1840).isFull && store(30, width: 3200, height: 1840).isFull)
    }
}
