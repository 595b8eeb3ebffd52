import BoxConfiguration
import DataPath
import FFmpeg
import MPEGTS
import Synchronization
import TestSupport
import Testing

@testable import Supervision

/// A pulled URL, a file or the test picture and its relay, without processes.
@Suite struct RelaySourceDriverTests {
    @Test("a relay ends -> another one starts at once, twice, and then after a pause")
    func restarts() async throws {
        let stage = await RunnerRig.withoutEncoders()
        let runner = stage.sourceRunner(.test(TestSource()))
        let running = Task { await runner.run() }
        runner.want(true)
        for _ in 1...2 {
            let relay = await stage.launcher.next()
            #expect(relay.command.role == .relay && relay.stdin == nil && relay.stdout != nil)
            relay.exit(.exited(1), .crash)
        }
        await stage.launcher.next().exit(.exited(1), .crash)
        try await eventually("a pause") { !stage.clock.sleeps.isEmpty }
        #expect(runner.statistics.now.actual == .pausing && runner.statistics.now.failures == 3)
        #expect(stage.observed.delivers.contains(true) == false && stage.observed.delivers.last == false)
        stage.clock.advance(by: .seconds(1))
        let fourth = await stage.launcher.next()
        runner.finish()
        await running.value
        #expect(fourth.stop == .gracefully && stage.launcher.launches.count == 4)
        await stage.dataPath.stop()
    }

    @Test("a secret cannot be read -> nothing starts, and the source says so")
    func secret() async throws {
        let stage = await RunnerRig.withoutEncoders()
        let runner = stage.sourceRunner(.pull(PullSource(url: "srt://host:9000", passphrase: .env("NOT_THERE"))))
        let running = Task { await runner.run() }
        runner.want(true)
        try await eventually("a pause") { runner.statistics.now.actual == .pausing }
        #expect(runner.statistics.now.obstacle?.contains("NOT_THERE") == true)
        runner.finish()
        await running.value
        #expect(stage.launcher.launches.isEmpty && stage.observed.delivers.allSatisfy { !$0 })
        await stage.dataPath.stop()
    }

    @Test("a source delivers and stalls -> first its process and then its channel learn it")
    func events() async {
        let stage = await RunnerRig.withoutEncoders()
        let process = HeardProcess()
        let driver = RelaySourceDriver(in: stage.source(.test(TestSource()), process: process))
        driver.handle(.delivering(nil))
        driver.handle(.stalled)
        driver.handle(.ended)
        #expect(process.all == [.delivering, .stalled])
        #expect(stage.observed.delivers == [true, false, false])
        driver.handle(.onAir(nil))
        #expect(driver.context.statistics.now.isOnAir)
        driver.handle(.ended)
        #expect(!driver.context.statistics.now.isOnAir)
        await stage.dataPath.stop()
    }

    @Test("video in a foreign codec -> another relay once its rate is known or not awaited")
    func foreignVideo() async throws {
        let stage = await RunnerRig.withoutEncoders()
        let process = HeardProcess()
        let driver = RelaySourceDriver(in: stage.source(.pull(PullSource(url: "http://host/a.ts")), process: process))
        let program = Program(video: nil, audio: nil, foreign: [0x02])
        driver.handle(.program(program))
        // Nothing new.
        driver.handle(.program(program))
        await stage.clock.untilSleeping(for: StreamWatch.measuring)
        #expect(process.all.isEmpty)
        stage.clock.advance(by: StreamWatch.measuring)
        try await eventually("another relay") { process.all == [.replace] }
        await stage.dataPath.stop()
    }

    @Test("audio arrives in another format than the channel's -> another relay converts it")
    func mismatchedAudio() async {
        let stage = await RunnerRig.withoutEncoders()
        let process = HeardProcess()
        let driver = RelaySourceDriver(in: stage.source(.pull(PullSource(url: "http://host/a.ts")), process: process))
        let mono = AACFormat(sampleRate: 48_000, channelConfiguration: 1)
        driver.handle(.otherAudioFormat(mono, channel: .stereo48))
        #expect(process.all == [.replace])
        // It is converted already.
        driver.handle(.otherAudioFormat(mono, channel: .stereo48))
        #expect(process.all == [.replace])
        await stage.dataPath.stop()
    }

    @Test("a file comes to its end -> its process learns that this is no failure", arguments: [true, false])
    func complete(isFile: Bool) async throws {
        let stage = await RunnerRig.withoutEncoders()
        let process = HeardProcess()
        let kind: SourceKind = isFile ? .file(FileSource(path: "/nowhere/a.ts")) : .test(TestSource())
        let driver = RelaySourceDriver(in: stage.source(kind, process: process))
        async let run: Void = driver.runOnce(ChildHandle())
        await stage.launcher.next().exit(.exited(0), .ended)
        try await run
        #expect(process.all.contains(.complete) == isFile)
        #expect(driver.context.statistics.now.history.ends.map(\.cause) == [.ended])
        await stage.dataPath.stop()
    }
}
