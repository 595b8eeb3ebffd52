import Synchronization
import TestSupport
import Testing

@testable import SystemSupport

/// Calls of one job while it runs.
@Suite struct LatestRunTests {
    /// A file that is read and applied: reading is quick, and applying ends when the test says so.
    private final class SlowReload: Sendable {
        private struct State {
            var file = 0
            var applied: [Int] = []
            var running = 0
            var mostRunning = 0
        }

        private let state = Mutex(State())
        private let permits: AsyncStream<Void>
        private let permit: AsyncStream<Void>.Continuation

        init() { (permits, permit) = AsyncStream.makeStream() }

        func write(_ version: Int) { state.withLock { $0.file = version } }
        func endOne() { permit.yield() }
        var applied: [Int] { state.withLock(\.applied) }
        var running: Int { state.withLock(\.running) }
        var mostRunning: Int { state.withLock(\.mostRunning) }

        func reload() async throws -> String {
            let version = state.withLock { state in
                state.running += 1
                state.mostRunning = max(state.mostRunning, state.running)
                return state.file
            }
            for await _ in permits { break }
            state.withLock { state in
                state.applied.append(version)
                state.running -= 1
            }
            guard version != 13 else { throw Failed("version 13 is mistaken") }
            return "applied \(version)"
        }
    }

    @Test("calls during a run share one run that begins afterwards", arguments: [1, 7])
    func coalesced(count: Int) async throws {
        let slow = SlowReload()
        let turns = LatestRun { try await slow.reload() }
        slow.write(1)
        let first = Task { try await turns() }
        try await eventually("the first run") { slow.running == 1 }
        slow.write(2)
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<count { group.addTask { try await turns() } }
            try await eventually("the later callers") { await turns.waiting.count == count }
            slow.endOne()
            #expect(try await first.value == "applied 1")
            try await eventually("the second run") { slow.running == 1 }
            slow.endOne()
            for try await answer in group { #expect(answer == "applied 2") }
        }
        #expect(slow.applied == [1, 2] && slow.mostRunning == 1)
    }

    @Test("a run that fails fails for its own callers only")
    func failing() async throws {
        let slow = SlowReload()
        let turns = LatestRun { try await slow.reload() }
        slow.write(1)
        let first = Task { try await turns() }
        try await eventually("the first run") { slow.running == 1 }
        slow.write(13)
        let second = Task { try await turns() }
        try await eventually("the second caller") { await turns.waiting.count == 1 }
        slow.endOne()
        #expect(try await first.value == "applied 1")
        try await eventually("the second run") { slow.running == 1 }
        slow.write(14)
        let third = Task { try await turns() }
        try await eventually("the third caller") { await turns.waiting.count == 1 }
        slow.endOne()
        let error = await #expect(throws: Failed.self) { try await second.value }
        #expect(error?.description == "version 13 is mistaken")
        slow.endOne()
        #expect(try await third.value == "applied 14")
        #expect(slow.applied == [1, 13, 14] && slow.mostRunning == 1)
    }

    @Test("a cancelled caller returns at once, and the run continues for the others")
    func cancelled() async throws {
        let slow = SlowReload()
        let turns = LatestRun { try await slow.reload() }
        let first = Task { try await turns() }
        try await eventually("the first run") { slow.running == 1 }
        let second = Task { try await turns() }
        try await eventually("the second caller") { await turns.waiting.count == 1 }
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        slow.write(2)
        slow.endOne()
        slow.endOne()
        #expect(try await second.value == "applied 2")
        #expect(slow.applied == [0, 2])
    }
}
