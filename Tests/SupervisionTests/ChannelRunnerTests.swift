import BoxConfiguration
import DataPath
import FFmpeg
import SystemSupport
import TestSupport
import Testing

@testable import Supervision

/// A channel with its sources and targets, without processes.
@Suite struct ChannelRunnerTests {
    private static let sources = [
        SourceConfiguration(kind: .test(TestSource()), position: 0),
        SourceConfiguration(kind: .test(TestSource()), position: 1),
    ]

    private func runner(_ channel: ChannelConfiguration, on stage: RunnerRig) -> ChannelRunner {
        ChannelRunner(
            channel, stopped: StoppedOutputs(), context: stage.context, dataPath: stage.dataPath)
    }

    @Test("a better source delivers for five seconds -> the other one rests until it stalls")
    func rests() async throws {
        let stage = await RunnerRig.withoutEncoders()
        let runner = runner(ChannelConfiguration(name: "main", sources: Self.sources), on: stage)
        let running = Task { await runner.run() }
        _ = await (stage.launcher.next(), stage.launcher.next())
        let (first, second) = (await runner.sourceRunners[0], await runner.sourceRunners[1])
        first.driver.handle(.delivering(nil))
        await stage.clock.untilSleeping(for: ChannelMachine.settling)
        #expect(second.statistics.now.isWanted)
        stage.clock.advance(by: ChannelMachine.settling)
        try await eventually("the second source rests") { second.statistics.now.actual == .idle }
        #expect(first.statistics.now.isWanted)
        first.driver.handle(.stalled)
        _ = await stage.launcher.next()
        #expect(second.statistics.now.isWanted && second.statistics.now.starts == 2)
        runner.finish()
        await running.value
        #expect(stage.launcher.launches.allSatisfy { $0.stop == .gracefully })
        await stage.dataPath.stop()
    }

    @Test("a channel ends -> its sources end before its targets")
    func ends() async throws {
        let stage = await RunnerRig.withoutEncoders(obeys: false)
        let target = TargetConfiguration(name: "away", destination: .srt(SRTTarget(url: "srt://127.0.0.1:9000")))
        let group = GroupConfiguration(name: "all", video: .copy, audio: .copy, targets: [target])
        let channel = ChannelConfiguration(name: "main", sources: [Self.sources[0]], groups: [group])
        let runner = runner(channel, on: stage)
        let running = Task { await runner.run() }
        let both = [await stage.launcher.next(), await stage.launcher.next()]
        let relay = try #require(both.first { $0.command.role == .relay })
        let publisher = try #require(both.first { $0.command.role == .publisher })
        runner.finish()
        try await eventually("the end of the source") { relay.stop == .gracefully }
        #expect(publisher.stop == nil && !stage.clock.sleeps.contains(ProcessRunner.endOfInputPatience))
        relay.exit(.exited(255))
        await stage.clock.pass(ProcessRunner.endOfInputPatience)
        try await eventually("the end of the target") { publisher.stop == .gracefully }
        publisher.exit(.exited(0))
        await running.value
        await stage.dataPath.stop()
    }

    @Test("an operator stops a target -> it ends alone, and starts again when wanted")
    func stopped() async throws {
        let stage = await RunnerRig.withoutEncoders()
        let target = TargetConfiguration(name: "away", destination: .srt(SRTTarget(url: "srt://127.0.0.1:9000")))
        let group = GroupConfiguration(name: "all", video: .copy, audio: .copy, targets: [target])
        let channel = ChannelConfiguration(name: "main", sources: [Self.sources[0]], groups: [group])
        let runner = runner(channel, on: stage)
        let running = Task { await runner.run() }
        _ = await (stage.launcher.next(), stage.launcher.next())
        let statistics = try #require(await runner.targetRunner("away")).statistics
        var outputs = StoppedOutputs()
        outputs.targets = ["away"]
        await runner.apply(outputs)
        await stage.clock.pass(ProcessRunner.endOfInputPatience)
        try await eventually("the end of the target") { statistics.now.actual == .idle }
        #expect(await runner.sourceRunners[0].statistics.now.isWanted)
        await runner.apply(StoppedOutputs())
        let again = await stage.launcher.next()
        #expect(again.command.role == .publisher && statistics.now.starts == 2)
        runner.finish()
        await stage.clock.pass(ProcessRunner.endOfInputPatience)
        await running.value
        await stage.dataPath.stop()
    }
}
