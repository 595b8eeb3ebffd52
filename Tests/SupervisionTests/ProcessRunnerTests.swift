import FFmpeg
import Synchronization
import Testing

@testable import Supervision

/// A supervised process whose clock a test advances.
@Suite(.timeLimit(.minutes(1))) struct ProcessRunnerTests {
    private enum Note: Sendable, Equatable {
        case started
        case state(ProcessMachine.Actual)
        case inputEnded
    }

    private struct Rig {
        let clock = ManualClock()
        let journal = Journal<Note>()
        let runner: ProcessRunner
        /// The processes, in their order.
        private let children: AsyncStream<ChildHandle>
        /// Ends the process that runs.
        let ends: AsyncStream<Void>.Continuation

        init(hasInput: Bool = false, blamesHangs: Bool = false) {
            let (children, started) = AsyncStream.makeStream(of: ChildHandle.self)
            let (ending, ends) = AsyncStream.makeStream(of: Void.self)
            let journal = journal
            self.children = children
            self.ends = ends
            let endInput: (@Sendable () async -> Void)? = hasInput ? { @Sendable in journal.add(.inputEnded) } : nil
            let live = { @Sendable (child: ChildHandle) async -> Void in
                journal.add(.started)
                started.yield(child)
                for await _ in ending { return }
            }
            runner = ProcessRunner(
                machine: ProcessMachine(policy: .publisher, stallPatience: .seconds(2)),
                statistics: ProcessStatistics(), changed: { journal.add(.state($0)) }, endInput: endInput,
                blamesHangs: blamesHangs, clock: clock, live: live)
        }

        func next() async -> ChildHandle? { await children.first { _ in true } }
    }

    @Test("a process that ends starts again at once, and then after a pause")
    func restart() async throws {
        let rig = Rig()
        let running = Task { await rig.runner.run() }
        rig.runner.report(.want(true))
        for count in 1...2 {
            await rig.journal.until(.started, times: count)
            rig.ends.yield()
        }
        await rig.journal.until(.state(.pausing))
        let pause = await rig.clock.untilSleeping { $0 >= .milliseconds(500) && $0 <= .seconds(1) }
        #expect(rig.journal.all.count { $0 == .started } == 2)
        rig.clock.advance(by: pause)
        await rig.journal.until(.started, times: 3)
        rig.runner.finish()
        rig.ends.yield()
        await running.value
    }

    @Test("a stop ends the input first, and asks the process to end after a time")
    func stop() async throws {
        let rig = Rig(hasInput: true)
        let running = Task { await rig.runner.run() }
        rig.runner.report(.want(true))
        let child = try #require(await rig.next())
        rig.runner.finish()
        await rig.clock.untilSleeping(for: ProcessRunner.endOfInputPatience)
        #expect(rig.journal.all.last == .inputEnded && child.requested == nil)
        rig.clock.advance(by: ProcessRunner.endOfInputPatience)
        await child.untilAsked()
        #expect(child.requested == .gracefully)
        rig.ends.yield()
        await running.value
        #expect(rig.journal.all.last == .state(.idle))
    }

    @Test("a process that stalls for too long is killed and counts as stuck")
    func stall() async throws {
        let rig = Rig(blamesHangs: true)
        let running = Task { await rig.runner.run() }
        rig.runner.report(.want(true))
        let child = try #require(await rig.next())
        rig.runner.report(.delivering)
        rig.runner.report(.stalled)
        await rig.clock.untilSleeping(for: .seconds(2))
        #expect(child.requested == nil)
        rig.clock.advance(by: .seconds(2))
        await child.untilAsked()
        #expect(child.requested == .now && child.blame == .stuck)
        rig.runner.finish()
        rig.ends.yield()
        await running.value
    }

    @Test("a process that recovers in time is kept")
    func recovery() async throws {
        let rig = Rig()
        let running = Task { await rig.runner.run() }
        rig.runner.report(.want(true))
        let child = try #require(await rig.next())
        rig.runner.report(.delivering)
        rig.runner.report(.stalled)
        await rig.journal.until(.state(.stalled))
        rig.runner.report(.recovered)
        await rig.journal.until(.state(.live), times: 2)
        await rig.clock.untilSleeping(for: .seconds(2))
        rig.clock.advance(by: .seconds(2))
        rig.runner.finish()
        await child.untilAsked()
        #expect(child.requested == .gracefully)
        rig.ends.yield()
        await running.value
    }
}
