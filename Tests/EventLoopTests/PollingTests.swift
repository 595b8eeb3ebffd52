import Synchronization
import TestSupport
import Testing

@testable import EventLoop

/// The order and time of an event loop's actions.
@Suite struct PollingTests {
    @Test("timers fire in the order of their times; cancelled ones do not fire")
    func timers() async throws {
        let loop = EventLoop()
        let kept = Mutex<[Int]>([])
        // The loop runs this on its thread.
        loop.execute {
            let now = EventLoop.now()
            let third = loop.at(now + 3_000_000) { kept.withLock { $0.append(3) } }
            loop.at(now + 20_000_000) { kept.withLock { $0.append(4) } }
            loop.at(now + 1_000_000) {
                kept.withLock { $0.append(1) }
                loop.cancel(third)
                loop.at(now + 2_000_000) { kept.withLock { $0.append(2) } }
            }
            for _ in 0..<10_000 { loop.cancel(loop.at(now + 60_000_000_000) {}) }
        }
        try await eventually("the last") { kept.withLock { $0.last == 4 } }
        #expect(kept.withLock { $0 } == [1, 2, 4])
        loop.execute { loop.stop() }
    }

    @Test("calls from another thread run in order")
    func calls() async throws {
        let loop = EventLoop()
        let made = Mutex<[Int]>([])
        for number in 0..<1000 { loop.execute { made.withLock { $0.append(number) } } }
        try await eventually("all") { made.withLock { $0.count == 1000 } }
        #expect(made.withLock { $0 } == Array(0..<1000))
        loop.execute { loop.stop() }
    }
}
