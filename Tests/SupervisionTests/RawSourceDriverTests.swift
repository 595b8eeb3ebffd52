import BoxConfiguration
import DataPath
import FFmpeg
import MediaTypes
import TestSupport
import Testing

@testable import Supervision

/// A source of raw frames, without processes.
@Suite struct RawSourceDriverTests {
    private let process = HeardProcess()

    private let raw = RawSource(path: "/nowhere/frames", size: FrameSize(width: 64, height: 48), rate: FrameRate(30))

    private func driver(on stage: RunnerRig) -> RawSourceDriver {
        RawSourceDriver(raw, in: stage.source(.raw(raw), process: process))
    }

    @Test("a FIFO that cannot be created -> the source cannot run, and its path is named")
    func noFIFO() async throws {
        let stage = await RunnerRig.withoutEncoders()
        var service = stage.context
        // No program can create it.
        service.program = "/nowhere/streambox"
        let context = driver(on: stage).context
        let driver = RawSourceDriver(
            raw,
            in: SourceContext(
                context.source, priority: 0, of: context.channel, process: process, service: service,
                dataPath: stage.dataPath, observer: context.observer))
        let error = await #expect(throws: NotRunnable.self) { try await driver.runOnce(ChildHandle()) }
        #expect(error?.what.contains("/nowhere/frames") == true)
        #expect(stage.launcher.launches.isEmpty)
        await stage.dataPath.stop()
    }

    @Test("a writer pauses -> the source is silent until frames arrive, and nothing is replaced")
    func pause() async {
        let stage = await RunnerRig.withoutEncoders()
        let driver = driver(on: stage)
        let statistics = driver.context.statistics
        driver.handle(.delivering(nil))
        driver.handle(.stalled)
        #expect(statistics.now.isSilent && process.all == [.delivering])
        driver.handle(.delivering(nil))
        #expect(!statistics.now.isSilent && process.all == [.delivering, .delivering])
        await stage.dataPath.stop()
    }
}
