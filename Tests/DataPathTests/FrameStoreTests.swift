import Testing
import TransportStream

@testable import DataPath

/// What is kept of a source's frames.
struct FrameStoreTests {
    private func store(_ count: Int, width: Int = 64, height: Int = 64, every ticks: Int64 = 3000) throws -> FrameStore {
        var store = FrameStore(layout: FrameLayout(width: width, height: height, tag: 0, byteCount: width * height * 3 / 2))
        for number in 0..<count { store.append(try #require(store.room()), time: Int64(number) * ticks) }
        return store
    }

    @Test("a frame is kept until its picture has come out, and its room is used again")
    func delivery() throws {
        var store = try store(5)
        let room = try #require(store.first?.memory)
        store.deliver(1)
        #expect(store.first?.number == 2 && store.delivered == 2 && store.end == 5)
        #expect(store.frame(from: 3)?.number == 3 && store.frame(from: 0)?.number == 2 && store.frame(from: 5) == nil)
        let rooms = [try #require(store.room()), try #require(store.room())]
        #expect(rooms.contains { $0 === room })
        store.deliver(4)
        #expect(store.first == nil && store.delivered == 5)
    }

    @Test("times never stand still or go back")
    func times() throws {
        var store = try store(0)
        for time in [10, 10, 5, 20] as [Int64] { store.append(try #require(store.room()), time: time) }
        #expect((0..<4).compactMap { store.frame(from: $0)?.time } == [10, 11, 12, 20])
    }

    @Test("it is full with four seconds, or with as many bytes as it may have")
    func bounds() throws {
        #expect(try !store(100).isFull && store(122).isFull)
        // 8.8 MB a frame, which is not touched.
        #expect(try !store(28, width: 3200, height: 1840).isFull && store(30, width: 3200, height: 1840).isFull)
    }
}
