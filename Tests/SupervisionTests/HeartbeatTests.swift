import BoxConfiguration
import DataPath
import EncoderSelection
import FFmpeg
import Foundation
import Logging
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Supervision

@Suite(.tags(.ffmpeg)) struct HeartbeatTests {
    @Test(
        "the heartbeat stops while the data path hangs, and continues afterwards"
    )
    func hangs() async throws {
        let folder = try TemporaryFolder()
        let environment = ProcessInfo.processInfo.environment
        let ffmpeg = try await FFmpegBinary.locate(nil, environment: environment, limit: .seconds(60)).binary
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let keeper = EncoderManager(
            EncoderCatalogue(listed: ffmpeg.capabilities.encoders),
            trial: EncoderTrial(ffmpeg: ffmpeg, environment: environment), logger: logger)
        let context = ServiceContext(
            ffmpeg: ffmpeg, encoders: keeper, runtime: FilePath(folder.path), environment: environment, logger: logger)
        let configuration = try ConfigurationFile.parse(
            """
            channels: [ { name: main, sources: [ { rtmp: { listen: \"127.0.0.1:\(try FreePort.tcp())\" } } ], \
            groups: [] } ]
            """,
            name: "test", ownerOnly: true
        ).configuration
        let supervisor = Supervisor(configuration, context: context)
        _ = try await supervisor.prepare()
        let beats = Beats()
        let running = Task {
            await supervisor.run(heartbeat: Supervisor.Heartbeat(every: .milliseconds(5)) { beats.add() })
        }
        try await eventually("the heart to beat") { beats.count > 3 }

        let hold = Hold()
        let path = await supervisor.dataPath
        hold.begin(on: path)
        try await eventually("the data path to hang") { hold.isHeld }
        // One may have been on its way.
        let before = beats.count + 1
        try await Task.sleep(for: .milliseconds(300))
        #expect(beats.count <= before)

        hold.release()
        try await eventually("the heart to beat again") { beats.count > before + 3 }
        supervisor.stop()
        await running.value
    }
}

private final class Beats: Sendable {
    private let value = Mutex(0)
    var count: Int { value.withLock { $0 } }
    func add() { value.withLock { $0 += 1 } }
}

/// Keeps a data path's thread from answering.
private final class Hold: Sendable {
    private let gate = DispatchSemaphore(value: 0)
    private let held = Mutex(false)

    var isHeld: Bool { held.withLock { $0 } }

    func begin(on path: DataPath) {
        Task { await path.stand(self) }
    }

    fileprivate func stand() {
        held.withLock { $0 = true }
        gate.wait()
    }

    func release() { gate.signal() }
}

extension DataPath {
    fileprivate func stand(_ hold: Hold) { hold.stand() }
}
