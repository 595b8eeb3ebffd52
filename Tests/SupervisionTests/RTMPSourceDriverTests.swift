import BoxConfiguration
import DataPath
import FFmpeg
import TestSupport
import Testing

@testable import Supervision

/// An RTMP source without a publisher.
@Suite struct RTMPSourceDriverTests {
    private func driver(on stage: RunnerRig, process: any Supervised) -> RTMPSourceDriver {
        let source = RTMPSource(listen: SocketAddress(host: "127.0.0.1", port: 0), app: "live")
        return RTMPSourceDriver(source, in: stage.source(.rtmp(source), process: process))
    }

    @Test("a publisher's video stalls -> it is shown as silent and stays connected")
    func stalls() async {
        let stage = await RunnerRig.withoutEncoders()
        let process = HeardProcess()
        let driver = driver(on: stage, process: process)
        driver.handle(.delivering(nil))
        driver.handle(.stalled)
        #expect(process.all == [.delivering] && stage.observed.delivers == [true, false])
        #expect(driver.context.statistics.now.isSilent)
        driver.handle(.delivering(nil))
        #expect(!driver.context.statistics.now.isSilent)
        await stage.dataPath.stop()
    }

    @Test("a source is wanted and has no publisher -> nothing runs")
    func noPublisher() async throws {
        let stage = await RunnerRig.withoutEncoders()
        let process = HeardProcess()
        let driver = driver(on: stage, process: process)
        driver.want(true)
        #expect(process.all == [.want(false)])
        // A publisher that has left by the time that its stream is taken.
        let child = ChildHandle()
        async let run: Void = driver.runOnce(child)
        child.stop(.now)
        try await run
        #expect(stage.launcher.launches.isEmpty)
        await stage.dataPath.stop()
    }

    @Test("a source ends -> its port closes, and its runner returns")
    func ends() async throws {
        let stage = await RunnerRig.withoutEncoders()
        let runner = stage.sourceRunner(
            .rtmp(RTMPSource(listen: SocketAddress(host: "127.0.0.1", port: 0), app: "live")))
        let running = Task { await runner.run() }
        runner.want(true)
        runner.finish()
        await running.value
        #expect(stage.launcher.launches.isEmpty && runner.refusals?.values.allSatisfy { $0 == 0 } == true)
        await stage.dataPath.stop()
    }
}
