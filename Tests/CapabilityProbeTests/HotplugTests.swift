import CapabilityProbe
import Foundation
import LabKit
import TestSupport
import Testing

/// Devices that come and go, as the installed libudev reports them.
@Suite struct HotplugTests {
    /// The watcher that was built with these tests, in the same folder.
    private static let watcher: String = {
        let tests =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: tests).deletingLastPathComponent().path + "/HotplugWatch"
    }()

    private static let gpu = "/sys/devices/pci0000:00/0000:00:02.0/drm/renderD128"
    private static let card = "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/video4linux/video0"

    private func watch(_ stage: Stage, _ lab: Lab) async throws -> TestProcess {
        let program = try await stage.program(Self.watcher, environment: lab.environment)
        try await program.output.first(containing: "watching")
        return program
    }

    @Test("a device that is plugged in, unplugged and plugged in again is reported")
    func plugging() async throws {
        try await withLab { stage, lab in
            let program = try await watch(stage, lab)
            try await lab.load("box.umockdev")
            try await program.output.first(containing: "add video4linux \(Self.card) /dev/video0 -")
            let added = try await program.output.first(containing: "add drm \(Self.gpu) /dev/dri/renderD128 -")
            try await lab.tell("unplug", Self.card)
            let removed = try await program.output.first(
                containing: "remove video4linux \(Self.card)", from: added.index + 1)
            #expect(removed.index > added.index)
            await stage.end(program)
        }
    }

    @Test("a GPU that the kernel calls wedged is reported as wedged")
    func wedged() async throws {
        try await withLab { stage, lab in
            try await lab.load("box.umockdev")
            let program = try await watch(stage, lab)
            try await lab.tell("set", Self.gpu, "WEDGED", "rebind,bus-reset")
            try await lab.tell("event", Self.gpu, "change")
            try await program.output.first(containing: "change drm \(Self.gpu) /dev/dri/renderD128 rebind,bus-reset")
            await stage.end(program)
        }
    }

    @Test(
        "a driver that binds a device, and a device removed from the bus, are reported"
    )
    func bus() async throws {
        try await withLab { stage, lab in
            let program = try await watch(stage, lab)
            try await lab.load("nvidia.umockdev")
            let path = "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0"
            let added = try await program.output.first(containing: "add pci \(path) - -")
            try await lab.tell("event", path, "bind")
            let bound = try await program.output.first(containing: "change pci \(path) - -", from: added.index + 1)
            try await lab.tell("unplug", path)
            try await program.output.first(containing: "remove pci \(path) - -", from: bound.index + 1)
            await stage.end(program)
        }
    }

    @Test("simultaneous events reach the reader as one for each device")
    func storm() async throws {
        try await withLab { stage, lab in
            try await lab.load("box.umockdev")
            let program = try await watch(stage, lab)
            // The events wait for the watcher, so the speed of the machine does not matter.
            program.send(SIGSTOP)
            try await lab.tell("event", Self.gpu, "change", "6")
            try await lab.tell("unplug", Self.card)
            program.send(SIGCONT)
            try await program.output.first(containing: "remove video4linux \(Self.card)")
            try await program.output.first(containing: "change drm \(Self.gpu)")
            #expect(program.output.lines.filter { $0.text.hasPrefix("change") }.count < 6)
            await stage.end(program)
        }
    }

    @Test(
        "two hundred events in a second end in the right state of every device")
    func flood() async throws {
        try await withStage { stage in
            let seed = Int(SeededRandom.processSeed % 1_000_000)
            // The kernel's netlink carries them, in a namespace without other events.
            let program = try await stage.program("unshare", ["--net", Self.watcher])
            try await program.output.first(containing: "watching")
            // The announcer is built before its time counts.
            _ = try await HotplugStorm.announce(to: program, events: 0, devices: 1, milliseconds: 1, seed: seed)
            let begin = ContinuousClock.now
            let states = try await HotplugStorm.announce(
                to: program, events: 200, devices: 12, milliseconds: 1000, seed: seed)
            // A slow machine leaves a quiet time between two events. The device is then reported again.
            let late = max(.zero, ContinuousClock.now - begin - .seconds(1))
            let most = 4 + Int(late / Duration.nanoseconds(HotplugBurst.quiet))
            try await eventually("the last state of each device") {
                states.allSatisfy { path, action in
                    guard let last = program.output.lines.last(where: { $0.text.contains(" \(path) ") })?.text else {
                        return false
                    }
                    // A device that was added and then changed within a burst counts as added.
                    return last.hasPrefix(action) || action == "change" && last.hasPrefix("add ")
                }
            }
            for path in states.keys {
                let told = program.output.lines.filter { $0.text.contains(" \(path) ") }
                #expect((1...most).contains(told.count), "seed \(seed): \(told.map(\.text))")
            }
            await stage.end(program)
        }
    }
}
