import BoxConfiguration
import DataPath
import FFmpeg
import MediaTypes
import TestSupport
import Testing

@testable import Supervision

/// A target and its publisher, without processes.
@Suite struct TargetRunnerTests {
    private static let srt = TargetDestination.srt(SRTTarget(url: "srt://127.0.0.1:9000"))

    private func runner(_ destination: TargetDestination = srt, on stage: RunnerRig) -> TargetRunner {
        let target = TargetConfiguration(name: "away", destination: destination)
        let group = GroupConfiguration(
            name: "hd", video: .encode(VideoEncoding(frameRate: FrameRate(30))), targets: [target])
        return TargetRunner(
            target, of: group, in: "main", feed: .group("hd"), context: stage.context, dataPath: stage.dataPath)
    }

    /// Waits until the pause before the next start has begun, and ends it.
    private func passPause(_ clock: ManualClock) async throws {
        try await eventually("a pause") { clock.sleeps.contains { $0 <= .seconds(1) } }
        clock.advance(by: .seconds(1))
    }

    @Test("a publisher ends -> the next starts at once, after a second end after a pause")
    func restarts() async throws {
        let stage = await RunnerRig.withoutEncoders()
        let runner = runner(on: stage)
        let running = Task { await runner.run() }
        runner.want(true)
        let first = await stage.launcher.next()
        #expect(first.command.role == .publisher && first.stdin != nil && first.stdout == nil)
        #expect(runner.statistics.now.actual == .starting && runner.statistics.now.attachment != nil)
        first.send(.outputOpened)
        try await eventually("live") { runner.statistics.now.actual == .live }
        first.exit(.exited(1), .reset)
        let second = await stage.launcher.next()
        #expect(runner.statistics.now.starts == 2 && runner.statistics.now.connects == 1)
        #expect(runner.statistics.now.history.ends.map(\.cause) == [.reset])
        second.exit(.exited(1), .connectionRefused)
        try await passPause(stage.clock)
        let third = await stage.launcher.next()
        #expect(runner.statistics.now.starts == 3 && runner.statistics.now.failures == 2)
        runner.finish()
        await stage.clock.pass(ProcessRunner.endOfInputPatience)
        await running.value
        #expect(third.stop == .gracefully && stage.launcher.launches.count == 3)
        await stage.dataPath.stop()
    }

    @Test("a target is not wanted -> its publisher ends after its input, and none follows")
    func unwanted() async throws {
        let stage = await RunnerRig.withoutEncoders()
        let runner = runner(on: stage)
        let running = Task { await runner.run() }
        runner.want(true)
        let publisher = await stage.launcher.next()
        runner.want(false)
        await stage.clock.untilSleeping(for: ProcessRunner.endOfInputPatience)
        #expect(publisher.stop == nil)
        stage.clock.advance(by: ProcessRunner.endOfInputPatience)
        try await eventually("the end") { runner.statistics.now.actual == .idle }
        #expect(publisher.stop == .gracefully)
        runner.finish()
        await running.value
        #expect(stage.launcher.launches.count == 1)
        await stage.dataPath.stop()
    }

    @Test("a target ends during a pause -> nothing starts")
    func finishedInPause() async throws {
        let stage = await RunnerRig.withoutEncoders()
        let runner = runner(on: stage)
        let running = Task { await runner.run() }
        runner.want(true)
        for _ in 1...2 { await stage.launcher.next().exit(.exited(1), .connectionRefused) }
        try await eventually("a pause") { runner.statistics.now.actual == .pausing }
        runner.finish()
        await running.value
        #expect(stage.launcher.launches.count == 2)
        await stage.dataPath.stop()
    }

    @Test("an unreadable secret -> the target reports it, starts nothing, and retries")
    func secret() async throws {
        let stage = await RunnerRig.withoutEncoders()
        let runner = runner(
            .srt(SRTTarget(url: "srt://127.0.0.1:9000", passphrase: .env("NOT_THERE"))), on: stage)
        let running = Task { await runner.run() }
        runner.want(true)
        try await eventually("a pause") { runner.statistics.now.actual == .pausing }
        #expect(runner.statistics.now.obstacle?.contains("NOT_THERE") == true)
        try await passPause(stage.clock)
        try await eventually("another attempt") { runner.statistics.now.starts == 3 }
        runner.finish()
        await running.value
        #expect(stage.launcher.launches.isEmpty)
        await stage.dataPath.stop()
    }

    @Test("an RTMP connection is almost as old as FFmpeg can count -> the target reconnects")
    func longestConnection() async throws {
        let stage = await RunnerRig.withoutEncoders()
        let runner = runner(.rtmp(RTMPTarget(url: "rtmp://127.0.0.1/live/key")), on: stage)
        let running = Task { await runner.run() }
        runner.want(true)
        let first = await stage.launcher.next()
        first.send(.outputOpened)
        try await eventually("live") { runner.statistics.now.actual == .live }
        // The last hour begins before the limit.
        let hour = Duration.seconds(3600)
        for _ in 1..<Int(PublisherCommand.longestConnection / hour) { await stage.clock.pass(hour) }
        #expect(stage.launcher.launches.count == 1)
        await stage.clock.pass(hour)
        await stage.clock.pass(ProcessRunner.endOfInputPatience)
        let second = await stage.launcher.next()
        #expect(first.stop == .gracefully && second.stop == nil)
        runner.finish()
        await stage.clock.pass(ProcessRunner.endOfInputPatience)
        await running.value
        await stage.dataPath.stop()
    }

    @Test("events of the feed -> the process stalls and recovers, and the share is shown")
    func events() async {
        let stage = await RunnerRig.withoutEncoders()
        let process = HeardProcess()
        let target = TargetConfiguration(name: "away", destination: Self.srt)
        let statistics = ProcessStatistics()
        let publisher = TargetPublisher(
            target: target, group: GroupConfiguration(name: "hd"), feed: .group("hd"), context: stage.context,
            dataPath: stage.dataPath, statistics: statistics,
            monitor: ChildMonitor(context: stage.context, logger: ServiceContext.silent), recording: nil,
            process: process)
        publisher.handle(.stalled)
        publisher.handle(.recovered)
        #expect(process.all == [.stalled, .recovered])
        publisher.handle(.slow(share: 0.5))
        #expect(statistics.now.share == 0.5)
        publisher.handle(.complete)
        publisher.handle(.ended)
        #expect(statistics.now.share == nil && process.all.count == 2)
        await stage.dataPath.stop()
    }
}
