import BoxConfiguration
import DataPath
import EncoderSelection
import FFmpeg
import MPEGTS
import MediaTypes
import TestSupport
import Testing

@testable import Supervision

/// The encoder of a group, without processes.
@Suite(.timeLimit(.minutes(1))) struct GroupRunnerTests {
    private struct Rig {
        let base: RunnerRig
        let runner: GroupRunner
        var launcher: ScriptedLauncher { base.launcher }
        var statistics: GroupStatistics { runner.statistics }

        init(_ group: GroupConfiguration = GroupConfiguration(name: "hd")) async {
            base = await RunnerRig.withEncoders()
            runner = GroupRunner(
                group, of: ChannelConfiguration(name: "main", sources: [], groups: [group]),
                statistics: GroupStatistics(), context: base.context, dataPath: base.dataPath)
        }

        /// The first process, whose first frame is in the group feed.
        func live() async throws -> ScriptedLauncher.Launch {
            runner.want(true)
            let launch = await launcher.next()
            deliver(1)
            try await expect(.live)
            return launch
        }

        func deliver(_ generation: Int, after gap: Duration? = nil) {
            runner.session.report(.delivering(nil, after: gap), of: generation)
        }

        func expect(_ state: GroupMachine.Actual) async throws {
            try await eventually("a group that is \(state)", every: .milliseconds(2)) {
                statistics.now.actual == state
            }
        }
    }

    private func withRunner(_ body: (Rig) async throws -> Void) async throws {
        let rig = await Rig()
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
        await rig.base.dataPath.stop()
    }

    private func format(_ rate: Int) throws -> VideoFormat {
        let parameterSet: [UInt8] = [0x67, 0x42, 0xC0, 0x0A, 0xDA, 0x04, 0x06, 0xE9]
        var format = try #require(VideoFormat(.h264, parameterSet: parameterSet))
        format.frameRate = FrameRate(rate)
        return format
    }

    private func option(_ name: String, of launch: ScriptedLauncher.Launch) -> String? {
        let arguments = launch.command.arguments
        return arguments.firstIndex(of: name).map { arguments[$0 + 1] }
    }

    @Test("a wanted group starts the software encoder of a box without GPU")
    func start() async throws {
        try await withRunner { rig in
            let launch = try await rig.live()
            #expect(launch.command.role == .encoder && launch.command.arguments.contains("libx264"))
            #expect(option("-preset", of: launch) == "veryfast")
            #expect(await rig.runner.encoder == .software(.h264))
            #expect(rig.statistics.now.isWanted)
        }
    }

    @Test("a crash is counted by encoder and cause, and the handover after it with its gap")
    func crash() async throws {
        try await withRunner { rig in
            try await rig.live().crash()
            _ = await rig.launcher.next()
            rig.deliver(2, after: .milliseconds(90))
            try await rig.expect(.live)
            let entry = rig.statistics.now
            #expect(entry.exits == ["libx264": [.crash: 1]])
            #expect(entry.handovers == [.crash: 1] && entry.gaps.count == 1)
            #expect(entry.history.ends.map(\.status) == [.signalled(11)])
        }
    }

    @Test("a software encoder that is too slow is replaced by one with a faster preset")
    func slow() async throws {
        try await withRunner { rig in
            let former = try await rig.live()
            rig.runner.session.report(.slow, of: 1)
            let next = await rig.launcher.next()
            #expect(former.stop == .now && option("-preset", of: next) == "superfast")
            rig.deliver(2, after: .milliseconds(200))
            try await rig.expect(.live)
            let entry = rig.statistics.now
            #expect(entry.loweredPreset == "superfast" && !entry.isTooSlow)
            #expect(entry.exits == ["libx264": [.slow: 1]] && entry.handovers == [.slow: 1])
        }
    }

    @Test("the fastest preset is kept though it is too slow, until it keeps up")
    func fastest() async throws {
        try await withRunner { rig in
            _ = try await rig.live()
            for generation in 1...2 {
                rig.runner.session.report(.slow, of: generation)
                _ = await rig.launcher.next()
                rig.deliver(generation + 1, after: .milliseconds(200))
                try await rig.expect(.live)
            }
            rig.runner.session.report(.slow, of: 3)
            try await eventually("the note", every: .milliseconds(2)) { rig.statistics.now.isTooSlow }
            rig.runner.session.report(.keepsUp, of: 3)
            try await eventually("no note", every: .milliseconds(2)) { !rig.statistics.now.isTooSlow }
            #expect(rig.launcher.launches.count == 3 && rig.statistics.now.loweredPreset == "ultrafast")
        }
    }

    @Test("a source with another frame rate replaces the encoder")
    func otherRate() async throws {
        try await withRunner { rig in
            let former = try await rig.live()
            rig.runner.arriving(try format(30), isSlate: true)
            rig.runner.arriving(try format(30), isSlate: true)
            rig.runner.arriving(try format(50), isSlate: true)
            _ = await rig.launcher.next()
            #expect(former.stop == .now && rig.launcher.launches.count == 2)
            rig.deliver(2, after: .milliseconds(100))
            try await rig.expect(.live)
            #expect(rig.statistics.now.handovers == [.source: 1])
        }
    }

    @Test("a new configuration replaces an encoder that has given nothing yet")
    func configuration() async throws {
        try await withRunner { rig in
            rig.runner.want(true)
            let former = await rig.launcher.next()
            let encoding = VideoEncoding(bitrate: Bitrate(bitsPerSecond: 1_234_000))
            rig.runner.change(to: GroupConfiguration(name: "hd", video: .encode(encoding)))
            let next = await rig.launcher.next()
            #expect(former.stop == .now)
            #expect(option("-b:v", of: former) != option("-b:v", of: next))
            #expect(await rig.runner.group.video == .encode(encoding))
        }
    }

    @Test("a group that is not live refuses a handover by the operator")
    func handoverWhileStarting() async throws {
        try await withRunner { rig in
            rig.runner.want(true)
            _ = await rig.launcher.next()
            guard case .failed(let why) = await rig.runner.handOver(to: nil) else {
                return #expect(Bool(false), "handed over")
            }
            #expect(why.contains("is not live"))
        }
    }

    @Test("a handover whose successor ends is answered, and the encoder in use continues")
    func failedHandover() async throws {
        try await withRunner { rig in
            let launch = try await rig.live()
            // The group feed is empty, so the successor finds nothing to take over.
            guard case .failed(let why) = await rig.runner.handOver(to: nil) else {
                return #expect(Bool(false), "handed over")
            }
            #expect(why.contains("the encoder in use continues"))
            #expect(launch.stop == nil && rig.statistics.now.actual == .live)
        }
    }

    @Test("a group that has ended refuses a handover by the operator")
    func handoverAfterEnd() async throws {
        let rig = await Rig()
        rig.runner.finish()
        await rig.runner.run()
        guard case .failed(let why) = await rig.runner.handOver(to: nil) else {
            return #expect(Bool(false), "handed over")
        }
        #expect(why == "the group has ended")
        await rig.base.dataPath.stop()
    }

    @Test("a group that is wanted again while it stops starts after its process has ended")
    func restart() async throws {
        try await withRunner { rig in
            let former = try await rig.live()
            rig.runner.want(false)
            rig.runner.want(true)
            await rig.base.clock.untilSleeping(for: .milliseconds(2500))
            #expect(former.stop == nil && rig.launcher.launches.count == 1)
            rig.base.clock.advance(by: .milliseconds(2500))
            _ = await rig.launcher.next()
            #expect(former.stop == .gracefully && rig.statistics.now.exits.isEmpty)
        }
    }

    @Test("a cancelled group asks its process to end")
    func cancellation() async throws {
        let rig = await Rig()
        let running = Task { await rig.runner.run() }
        let launch = try await rig.live()
        running.cancel()
        await running.value
        #expect(launch.stop == .gracefully)
        await rig.base.dataPath.stop()
    }
}
