import BoxConfiguration
import DataPath
import FFmpeg
import Foundation
import TestSupport
import Testing

@testable import Supervision

/// How a channel's slate is rendered, without processes.
@Suite(.timeLimit(.minutes(1))) struct SlateManagerTests {
    private struct Rig {
        let folder: TemporaryFolder
        let base: RunnerRig
        /// The reports of what FFmpeg refuses.
        let refusals = Journal<String?>()
        let manager: SlateManager
        var launcher: ScriptedLauncher { base.launcher }
        var clock: ManualClock { base.clock }

        init(_ slate: SlateConfiguration = SlateConfiguration()) async throws {
            folder = try TemporaryFolder()
            base = await RunnerRig.withEncoders(runtime: folder.path)
            manager = SlateManager(
                ChannelConfiguration(name: "main", sources: [], slate: slate), context: base.context,
                dataPath: base.dataPath, tell: { [refusals] in refusals.add($0) }, report: { _ in })
        }

        func draws(_ image: String, _ launch: ScriptedLauncher.Launch) -> Bool {
            launch.command.arguments.contains("file:\(image)")
        }

        /// Writes a clip where FFmpeg would, and ends.
        func render(_ launch: ScriptedLauncher.Launch) throws {
            let output = try #require(launch.command.arguments.last)
            try Data(SlateManagerTests.clip()).write(to: URL(fileURLWithPath: String(output.dropFirst("file:".count))))
            launch.exit(.exited(0))
        }
    }

    private func withManager(
        _ slate: SlateConfiguration = SlateConfiguration(), _ body: (Rig, Task<Void, Never>) async throws -> Void
    ) async throws {
        let rig = try await Rig(slate)
        let running = Task { await rig.manager.run() }
        do {
            try await body(rig, running)
        } catch {
            running.cancel()
            throw error
        }
        running.cancel()
        await running.value
        await rig.base.dataPath.stop()
        #expect(rig.folder.names(in: ".").isEmpty)
    }

    @Test("a slate that is rendered ends the first attempt, and nothing is refused")
    func render() async throws {
        try await withManager { rig, running in
            try rig.render(await rig.launcher.next())
            await running.value
            #expect(rig.refusals.all == [nil] && rig.launcher.launches.count == 1 && rig.clock.sleeps.isEmpty)
        }
    }

    @Test("a slate that cannot be rendered is tried again after pauses that double")
    func retry() async throws {
        try await withManager { rig, running in
            for pause in [1, 2, 4] {
                await rig.launcher.next().exit(.exited(1), .unknown, log: ["no space"])
                await rig.clock.untilSleeping(for: .seconds(pause))
                rig.clock.advance(by: .seconds(pause))
            }
            try rig.render(await rig.launcher.next())
            await running.value
            #expect(rig.refusals.all == [nil, nil, nil, nil])
        }
    }

    @Test("a configured slate that FFmpeg refuses becomes a plain card and is reported")
    func plain() async throws {
        try await withManager(SlateConfiguration(image: "/slate.png")) { rig, running in
            let configured = await rig.launcher.next()
            #expect(rig.draws("/slate.png", configured))
            configured.exit(.exited(1), .unsupported, log: ["Unrecognized option 'muxdelay'."])
            let card = await rig.launcher.next()
            #expect(!rig.draws("/slate.png", card))
            try rig.render(card)
            await running.value
            #expect(rig.refusals.all == ["the option -muxdelay"])
        }
    }

    @Test("a rendering that takes longer than a minute is killed")
    func overdue() async throws {
        try await withManager { rig, _ in
            let launch = await rig.launcher.next()
            await rig.clock.untilSleeping(for: .seconds(60))
            rig.clock.advance(by: .seconds(60))
            #expect(await launch.untilEnded(.signalled(9)) == .now)
            await rig.clock.untilSleeping(for: .seconds(1))
        }
    }

    @Test("a cancelled manager kills its process and starts no other")
    func cancellation() async throws {
        try await withManager(SlateConfiguration(image: "/slate.png")) { rig, running in
            let launch = await rig.launcher.next()
            running.cancel()
            await running.value
            #expect(launch.stop == .now && rig.launcher.launches.count == 1 && rig.refusals.all.isEmpty)
        }
    }

    // MARK: A clip

    /// Three small frames of H.264 in MPEG-TS, the first of them a keyframe.
    private static func clip() -> [UInt8] {
        table(pid: 0, 0x00, [0, 1, 0xF0, 0x00])
            + table(pid: 0x1000, 0x02, [0xE1, 0x00, 0xF0, 0x00, 0x1B, 0xE1, 0x00, 0xF0, 0x00])
            + (0..<3).flatMap { frame($0) }
    }

    private static func frame(_ index: Int) -> [UInt8] {
        var unit: [UInt8] = [0, 0, 0, 1, 0x09, 0xF0]
        if index == 0 {
            unit += [0, 0, 0, 1, 0x67, 0x42, 0xC0, 0x0A, 0xDA, 0x04, 0x06, 0xE9, 0, 0, 0, 1, 0x68, 0xCE, 0x3C, 0x80]
        }
        unit += [0, 0, 1, index == 0 ? 0x65 : 0x41] + [UInt8](repeating: 0x2E, count: 20)
        let pts = UInt64(90_000 + index * 3000)
        let header: [UInt8] = [
            0, 0, 1, 0xE0, 0, UInt8(unit.count + 8), 0x80, 0x80, 5,
            0x21 | UInt8(pts >> 29 & 0x0E), UInt8(pts >> 22 & 0xFF),
            0x01 | UInt8(pts >> 14 & 0xFE), UInt8(pts >> 7 & 0xFF), 0x01 | UInt8(pts << 1 & 0xFE),
        ]
        var packet: [UInt8] = [0x47, 0x41, 0x00, 0x30 | UInt8(index)]
        let stuffing = TransportBytes.packetSize - packet.count - header.count - unit.count
        packet += [UInt8(stuffing - 1), index == 0 ? 0x40 : 0] + [UInt8](repeating: 0xFF, count: stuffing - 2)
        return packet + header + unit
    }

    /// The packet of a program table.
    private static func table(pid: Int, _ id: UInt8, _ body: [UInt8]) -> [UInt8] {
        var section: [UInt8] = [id, 0xB0, UInt8(5 + body.count + 4), 0, 1, 0xC1, 0, 0] + body
        let sum = TransportBytes.crc(section)
        section += (0..<4).map { UInt8(truncatingIfNeeded: sum >> (24 - 8 * $0)) }
        let packet: [UInt8] = [0x47, 0x40 | UInt8(pid >> 8), UInt8(pid & 0xFF), 0x10, 0] + section
        return packet + [UInt8](repeating: 0xFF, count: TransportBytes.packetSize - packet.count)
    }
}
