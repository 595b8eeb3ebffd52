import BoxConfiguration
import DataPath
import EncoderSelection
import FFmpeg
import MediaTypes
import SystemPackage
import TestSupport
import Testing

@testable import Supervision

/// The encoder of a source's frames, without processes.
@Suite(.timeLimit(.minutes(1))) struct MezzanineRunnerTests {
    private struct Rig {
        let base: RunnerRig
        let statistics = ProcessStatistics()
        let runner: MezzanineRunner
        private let frames: DataPath.FrameAttachment
        var launcher: ScriptedLauncher { base.launcher }

        init() async throws {
            base = await RunnerRig.withEncoders()
            let format = FrameFormat(width: 64, height: 36, fourCC: 0x3231_564E, byteCount: 64 * 36 * 3 / 2)
            frames = try await base.dataPath.attachFrames(
                format, from: .card(hasAudio: false), to: "main", priority: 0
            ) { _ in }
            runner = MezzanineRunner(
                "main/raw-0", of: frames.attachment, size: FrameSize(width: 64, height: 36), rate: FrameRate(30),
                mezzanine: MezzanineConfiguration(), context: base.context, dataPath: base.dataPath,
                statistics: statistics, logger: ServiceContext.silent)
        }

        /// The first process, whose first frame has arrived.
        func live() async throws -> ScriptedLauncher.Launch {
            let launch = await launcher.next()
            deliver(1)
            try await eventually("an encoder in use", every: .milliseconds(2)) { statistics.now.encoder != nil }
            return launch
        }

        func deliver(_ generation: Int, after gap: Duration? = nil) {
            runner.session.report(.delivering(nil, after: gap), of: generation)
        }

        func stop() async {
            try? frames.video?.close()
            await base.dataPath.stop()
        }
    }

    private func withRunner(_ body: (Rig) async throws -> Void) async throws {
        let rig = try await Rig()
        let running = Task { await rig.runner.run() }
        do {
            try await body(rig)
        } catch {
            running.cancel()
            throw error
        }
        rig.runner.finish()
        rig.base.endProcesses()
        await running.value
        #expect(rig.statistics.now.encoder == nil)
        await rig.stop()
    }

    @Test("a mezzanine starts with the least work of the software encoder")
    func start() async throws {
        try await withRunner { rig in
            let launch = try await rig.live()
            #expect(launch.command.arguments.contains("libx264") && launch.command.arguments.contains("ultrafast"))
            #expect(rig.statistics.now.encoder == .software(.h264))
        }
    }

    @Test("a crashed encoder is followed by the next, and the source has not failed")
    func crash() async throws {
        try await withRunner { rig in
            try await rig.live().crash()
            _ = await rig.launcher.next()
            #expect(rig.statistics.now.history.ends.map(\.cause) == [.crash])
            #expect(rig.statistics.now.failures == 0)
        }
    }

    @Test("an encoder that ends with its frames is no failure")
    func complete() async throws {
        try await withRunner { rig in
            let launch = try await rig.live()
            rig.runner.finish()
            launch.exit(.exited(0), .ended)
            _ = await launch.untilEnded(.exited(0))
            #expect(rig.launcher.launches.count == 1)
        }
    }

    @Test("a software encoder that is too slow is kept, for there is no faster one")
    func slow() async throws {
        try await withRunner { rig in
            let launch = try await rig.live()
            rig.runner.session.report(.slow, of: 1)
            rig.runner.session.report(.torn, of: 1)
            _ = await rig.launcher.next()
            // The cause of the second event: the first replaced nothing.
            rig.deliver(2, after: .milliseconds(50))
            #expect(launch.stop == .now && rig.launcher.launches.count == 2)
        }
    }

    @Test("a mezzanine that finishes gives its encoder a second to end")
    func finish() async throws {
        let rig = try await Rig()
        let running = Task { await rig.runner.run() }
        let launch = try await rig.live()
        rig.runner.finish()
        await rig.base.clock.untilSleeping(for: .seconds(1))
        #expect(launch.stop == nil)
        rig.base.clock.advance(by: .seconds(1))
        await running.value
        #expect(launch.stop == .gracefully && rig.statistics.now.history.ends.isEmpty)
        await rig.stop()
    }

    @Test("a cancelled mezzanine asks its process to end")
    func cancellation() async throws {
        let rig = try await Rig()
        let running = Task { await rig.runner.run() }
        let launch = try await rig.live()
        running.cancel()
        await running.value
        #expect(launch.stop == .gracefully)
        await rig.stop()
    }
}
