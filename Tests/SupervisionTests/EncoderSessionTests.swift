import DataPath
import EncoderSelection
import FFmpeg
import TestSupport
import Testing

@testable import Supervision

/// The encoder of a group or a source, without processes.
@Suite(.timeLimit(.minutes(1))) struct EncoderSessionTests {
    private enum Note: Sendable, Equatable {
        case begin
        case state(GroupMachine.Actual)
        case settled(Int, after: Duration?)
        case promoted(Int)
        case keepsUp
        case tooSlow(Int)
        case handedOver(HandoverCause, gap: Duration)
        case ended(HandoverCause?)
        case end(requests: Int)
    }

    /// Writes down all that the session tells its delegate.
    private final class Recorder: EncoderSessionDelegate {
        /// The session handles it as an event of its own.
        typealias Request = GroupMachine.Event

        private let journal: Journal<Note>

        init(_ journal: Journal<Note>) { self.journal = journal }

        func begin(in session: isolated Session, _ tasks: inout DiscardingTaskGroup) { journal.add(.begin) }

        func prepare(
            _ generation: GroupMachine.Generation, _ beginning: EncoderGeneration.Beginning,
            in session: isolated Session
        ) async throws -> EncoderGeneration.Ready? {
            let (attachment, input, output) = try await session.dataPath.attachEncoder(
                to: "hd", in: "main", needsKeyframe: true, isFresh: true, startPatience: session.startPatience
            ) { _ in }
            let command = FFmpegCommand(role: .encoder, arguments: ["\(generation)", "\(beginning)"])
            return EncoderGeneration.Ready(command: command, attachment: attachment, input: input, output: output)
        }

        func handle(_ request: Request, in session: isolated Session, _ tasks: inout DiscardingTaskGroup) {
            session.handle(request, in: &tasks)
        }

        func isTooSlow(
            _ generation: GroupMachine.Generation, in session: isolated Session, _ tasks: inout DiscardingTaskGroup
        ) {
            journal.add(.tooSlow(generation))
        }

        func note(_ event: EncoderSessionEvent, in session: isolated Session) {
            switch event {
            case .stateChanged: journal.add(.state(session.machine.actual))
            case .settled(let generation, let gap): journal.add(.settled(generation, after: gap))
            case .promoted(let generation): journal.add(.promoted(generation))
            case .keepsUp: journal.add(.keepsUp)
            case .handedOver(let cause, let gap): journal.add(.handedOver(cause, gap: gap))
            case .ended(let end): journal.add(.ended(end.cause))
            }
        }

        func end(in session: isolated Session, leaving requests: [Request]) {
            journal.add(.end(requests: requests.count))
        }
    }

    private struct Rig {
        let base: RunnerRig
        let journal = Journal<Note>()
        let session: EncoderSession<Recorder>
        var launcher: ScriptedLauncher { base.launcher }
        var clock: ManualClock { base.clock }

        init() async {
            base = await RunnerRig.withEncoders()
            session = EncoderSession(
                "hd", patience: .group, context: base.context, dataPath: base.dataPath, logger: ServiceContext.silent,
                delegate: Recorder(journal))
        }

        /// The first generation, which is on air.
        func live() async -> ScriptedLauncher.Launch {
            session.report(.want(true))
            let launch = await launcher.next()
            deliver(1)
            await journal.until(.state(.live))
            return launch
        }

        /// The first frame of a generation is in the output.
        func deliver(_ generation: Int, after gap: Duration? = nil) {
            session.report(.delivering(nil, after: gap), of: generation)
        }

        /// The notes since the session went live for the first time.
        var notesSinceLive: [Note] { Array(journal.all.drop { $0 != .state(.live) }.dropFirst()) }
    }

    /// Runs a session beside a test, and ends it.
    private func withSession(_ body: (Rig) async throws -> Void) async throws {
        let rig = await Rig()
        let running = Task { await rig.session.run() }
        do {
            try await body(rig)
        } catch {
            running.cancel()
            throw error
        }
        rig.session.finish()
        rig.base.endProcesses()
        await running.value
        await rig.base.dataPath.stop()
    }

    @Test("a wanted session starts an encoder and is live with its first frame")
    func start() async throws {
        try await withSession { rig in
            let launch = await rig.live()
            #expect(launch.command.arguments == ["1", "fresh"])
            #expect(
                rig.journal.all == [
                    .begin, .state(.starting), .keepsUp, .promoted(1), .state(.live),
                ])
        }
    }

    @Test("a crashed encoder is followed at once by one that resumes")
    func crash() async throws {
        try await withSession { rig in
            await rig.live().crash()
            let next = await rig.launcher.next()
            #expect(next.command.arguments == ["2", "resumed"])
            rig.deliver(2, after: .milliseconds(90))
            await rig.journal.until(.state(.live), times: 2)
            #expect(
                rig.notesSinceLive == [
                    .ended(.crash), .state(.starting), .handedOver(.crash, gap: .milliseconds(90)), .keepsUp,
                    .promoted(2), .state(.live),
                ])
        }
    }

    @Test("an encoder that crashes five times in a row is started again after a pause")
    func pause() async throws {
        try await withSession { rig in
            rig.session.report(.want(true))
            for _ in 0..<5 { await rig.launcher.next().crash() }
            await rig.journal.until(.state(.pausing))
            let pause = await rig.clock.untilSleeping { $0 <= .milliseconds(500) }
            #expect(pause >= .milliseconds(250) && rig.launcher.launches.count == 5)
            rig.clock.advance(by: pause)
            #expect(await rig.launcher.next().command.arguments == ["6", "resumed"])
        }
    }

    @Test("an encoder that gives nothing is killed and replaced")
    func stall() async throws {
        try await withSession { rig in
            let launch = await rig.live()
            rig.session.report(.stalled, of: 1)
            #expect(await rig.launcher.next().command.arguments == ["2", "resumed"])
            #expect(launch.stop == .now)
            await rig.journal.until(.state(.starting), times: 2)
            #expect(rig.notesSinceLive == [.state(.ending), .ended(.stall), .state(.starting)])
        }
    }

    @Test("a planned handover promotes the next encoder, then kills the former one")
    func handover() async throws {
        try await withSession { rig in
            let former = await rig.live()
            rig.session.send(.handOver(.config))
            #expect(await rig.launcher.next().command.arguments == ["2", "ahead"])
            #expect(former.stop == nil)
            rig.deliver(2, after: .milliseconds(40))
            #expect(await former.untilEnded(.signalled(9)) == .now)
            #expect(
                rig.notesSinceLive == [
                    .handedOver(.config, gap: .milliseconds(40)), .keepsUp, .settled(2, after: .milliseconds(40)),
                    .promoted(2),
                ])
        }
    }

    @Test("a successor that ends before it takes over leaves the encoder in use")
    func failedHandover() async throws {
        try await withSession { rig in
            let former = await rig.live()
            rig.session.send(.handOver(.byOperator))
            await rig.launcher.next().crash()
            await rig.journal.until(.settled(2, after: nil))
            #expect(rig.notesSinceLive == [.ended(.crash), .settled(2, after: nil)])
            #expect(former.stop == nil && rig.launcher.launches.count == 2)
        }
    }

    @Test("an encoder whose successor did not take over is restarted")
    func torn() async throws {
        try await withSession { rig in
            let former = await rig.live()
            rig.session.report(.torn, of: 1)
            #expect(await rig.launcher.next().command.arguments == ["2", "resumed"])
            #expect(former.stop == .now)
        }
    }

    @Test("an encoder that is not live is not judged for its pace")
    func pace() async throws {
        try await withSession { rig in
            rig.session.report(.want(true))
            _ = await rig.launcher.next()
            rig.session.report(.slow, of: 1)
            rig.deliver(1)
            await rig.journal.until(.state(.live))
            rig.session.report(.slow, of: 1)
            await rig.journal.until(.tooSlow(1))
            #expect(rig.notesSinceLive == [.tooSlow(1)])
        }
    }

    @Test("a stop ends the input first, and asks the process to end after a time")
    func stop() async throws {
        try await withSession { rig in
            let launch = await rig.live()
            rig.session.report(.want(false))
            await rig.clock.untilSleeping(for: .milliseconds(2500))
            #expect(launch.stop == nil)
            rig.clock.advance(by: .milliseconds(2500))
            await rig.journal.until(.state(.idle))
            #expect(launch.stop == .gracefully)
            #expect(rig.notesSinceLive == [.state(.ending), .ended(nil), .state(.idle)])
        }
    }

    @Test("a session that finishes ends with its last process and takes no more requests")
    func finish() async throws {
        let rig = await Rig()
        let running = Task { await rig.session.run() }
        let launch = await rig.live()
        rig.session.finish()
        await rig.clock.untilSleeping(for: .milliseconds(2500))
        // Its input has ended, so it ends by itself.
        launch.exit(.exited(0))
        await running.value
        #expect(rig.journal.all.last == .end(requests: 0))
        #expect(!rig.session.send(.want(true)) && rig.clock.sleeps.isEmpty)
        await rig.base.dataPath.stop()
    }

    @Test("a cancelled session asks its process to end")
    func cancellation() async throws {
        let rig = await Rig()
        let running = Task { await rig.session.run() }
        let launch = await rig.live()
        running.cancel()
        await running.value
        #expect(launch.stop == .gracefully)
        await rig.base.dataPath.stop()
    }
}
