import BoxConfiguration
import DataPath
import FFmpeg
import MPEGTS
import TestSupport
import Testing

@testable import Supervision

/// An SRT source and its caller, without processes.
@Suite struct SRTSourceDriverTests {
    private let process = HeardProcess()
    private let child = ChildHandle()

    private func driver(on stage: RunnerRig, streamid: SecretReference? = nil) throws -> SRTSourceDriver {
        let source = SRTSource(listen: try SocketAddress(parsing: "127.0.0.1:9000"), streamid: streamid)
        return SRTSourceDriver(source, in: stage.source(.srt(source), process: process))
    }

    private static let opened = "Input #0, mpegts, from 'srt://127.0.0.1:9000':"

    /// Waits until the end of the call is known: the reading process then has two seconds for the rest.
    private func isOver(_ stage: RunnerRig) async { await stage.clock.untilSleeping(for: .seconds(2)) }

    @Test("a caller comes and goes -> a second process reads it, and both ends are noted")
    func caller() async throws {
        let stage = await RunnerRig.withoutEncoders()
        let driver = try driver(on: stage)
        let statistics = driver.context.statistics
        let run = Task { [child] in try await driver.runOnce(child) }
        let call = await stage.launcher.next()
        #expect(call.stdin == nil && call.stdout != nil)
        call.say(Self.opened, .info)
        let reader = await stage.launcher.next()
        #expect(reader.stdin != nil && reader.stdout != nil)
        #expect(statistics.now.hasSender && statistics.now.notes[.sender] != nil)
        driver.handle(.delivering(nil))
        #expect(statistics.now.notes[.sender] == nil && process.all == [.delivering])
        driver.handle(.stalled)
        #expect(process.all == [.delivering, .stalled])
        call.exit(.exited(0), .ended)
        await isOver(stage)
        reader.exit(.exited(0), .ended)
        try await run.value
        #expect(!statistics.now.hasSender && statistics.now.history.ends.map(\.cause) == [.ended])
        await stage.dataPath.stop()
    }

    @Test("a wrong stream id -> the caller is disconnected, the port closed for a moment")
    func wrongStreamID() async throws {
        let stage = await RunnerRig.withoutEncoders(environment: ["ID": "camera"])
        let driver = try driver(on: stage, streamid: .env("ID"))
        let run = Task { [child] in try await driver.runOnce(child) }
        let call = await stage.launcher.next()
        call.say("accept streamid \(SRTCaller.words(for: "other"))", .verbose)
        #expect(process.all == [.replace] && driver.refusals?["streamid"] == 1)
        // As the process's runner does.
        child.stop(.now)
        await stage.clock.pass(.milliseconds(250))
        try await run.value
        #expect(stage.launcher.launches.count == 1 && !driver.context.statistics.now.hasSender)
        await stage.dataPath.stop()
    }

    @Test("a caller sends no video for ten seconds -> it is disconnected, with a note")
    func mute() async throws {
        let stage = await RunnerRig.withoutEncoders()
        let driver = try driver(on: stage)
        let run = Task { [child] in try await driver.runOnce(child) }
        await stage.launcher.next().say(Self.opened, .info)
        let reader = await stage.launcher.next()
        await stage.clock.pass(.seconds(10))
        try await eventually("the end of the call") { process.all == [.replace] }
        #expect(driver.context.statistics.now.notes[.sender]?.contains("sent no video") == true)
        child.stop(.now)
        try await eventually("the end of the call") { stage.launcher.launches[0].stop == .now }
        await isOver(stage)
        reader.exit(.exited(0), .ended)
        try await run.value
        await stage.dataPath.stop()
    }

    @Test("the reader fails or is replaced -> another one follows, and the caller stays")
    func readers() async throws {
        let stage = await RunnerRig.withoutEncoders()
        let driver = try driver(on: stage)
        let run = Task { [child] in try await driver.runOnce(child) }
        let call = await stage.launcher.next()
        call.say(Self.opened, .info)
        await stage.launcher.next().exit(.exited(1), .invalidData)
        // A quarter of a second, in which the end of the call may come.
        for _ in 1...25 { await stage.clock.pass(.milliseconds(10)) }
        let second = await stage.launcher.next()
        #expect(second.stop == nil)
        driver.handle(.otherAudioFormat(AACFormat(sampleRate: 48_000, channelConfiguration: 1), channel: .stereo48))
        let third = await stage.launcher.next()
        #expect(second.stop == .now && third.stop == nil && call.stop == nil && process.all.isEmpty)
        call.exit(.exited(0), .ended)
        await isOver(stage)
        third.exit(.exited(0), .ended)
        try await run.value
        #expect(driver.context.statistics.now.history.ends.map(\.cause) == [.invalidData, .ended])
        await stage.dataPath.stop()
    }
}
