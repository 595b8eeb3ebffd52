import Foundation
import LabKit
import TestSupport

/// The box under test, with its surroundings: sources, platforms, and GPUs of the lab.
final class SoakBox {
    private let stage: Stage
    private let lab: Lab
    private let streambox: String
    /// Records its streams. No fault touches this platform, so it must not miss anything.
    private let kept: NginxRTMP
    /// The platform whose connections are cut and refused.
    private let troubled: NginxRTMP
    private let daemon: TestProcess
    private let config: String
    private var sources: [Source] = []
    /// The bitrate of the groups that are reloaded.
    private var isThin = false

    private static let channels = ["one", "two"]
    private static let groups = channels.flatMap { ["\($0)-hd", "\($0)-sd"] }
    /// The audio of each channel's publisher. H.264 needs no process, and audio needs one only if it is not AAC.
    private static let audio = [NumberedSource.Audio.aac, .mp3]
    /// One process converts audio, one writes the metrics file, four encode, eight publish.
    private static let processes = 14

    /// The publisher of a channel.
    fileprivate struct Source {
        var url: String
        var audio: NumberedSource.Audio
        var program: TestProcess
        var run: UInt32 = 1
    }

    init(_ stage: Stage, _ lab: Lab, streambox: String) async throws {
        (self.stage, self.lab, self.streambox) = (stage, lab, streambox)
        try await lab.plug(.intel)
        try await lab.plug(.amd)
        kept = try await stage.nginx(record: true)
        troubled = try await stage.nginx()
        let ports = [try FreePort.tcp(), try FreePort.tcp()]
        config = stage.folder.path("box.yaml")
        try Self.write(config, stage, kept, troubled, ports, isThin: false)
        daemon = try await stage.program(
            streambox, ["run", "--config", config, "--log-level", "info"], environment: lab.environment)
        for (port, audio) in zip(ports, Self.audio) {
            try await eventually("the source to listen", within: .seconds(30)) { FreePort.isListening(tcp: port) }
            let url = "rtmp://127.0.0.1:\(port)/live/x"
            let program = try await Self.publish(stage, url, audio, run: 1)
            sources.append(Source(url: url, audio: audio, program: program))
        }
    }

    private static func publish(
        _ stage: Stage, _ url: String, _ audio: NumberedSource.Audio, run: UInt32
    ) async throws -> TestProcess {
        try await stage.publish(
            .with {
                $0.duration = nil
                ($0.width, $0.height, $0.bitrate) = (320, 180, 400)
                $0.audio = audio
                $0.firstNumber = run * SoakStream.run
            }, to: url)
    }

    private static func write(
        _ path: String, _ stage: Stage, _ kept: NginxRTMP, _ troubled: NginxRTMP, _ ports: [Int], isThin: Bool
    ) throws {
        let channels = zip(Self.channels, ports).map { name, port in
            func group(_ group: String, _ video: String) -> String {
                """
                      - name: \(group)
                        video: { size: 320x180, rate: 30, keyframe: 1s, \(video) }
                        targets:
                          - { name: \(group)-kept, url: "\(kept.url(group))" }
                          - { name: \(group)-troubled, url: "\(troubled.url(group))" }
                """
            }
            return """
                  - name: \(name)
                    sources: [ { rtmp: { listen: "127.0.0.1:\(port)", app: live } } ]
                    groups:
                \(group("\(name)-hd", "encoder: auto, bitrate: 500k"))
                \(group("\(name)-sd", "encoder: libx264, bitrate: \(isThin ? 250 : 300)k"))
                """
        }
        let text = """
            runtime: \(stage.folder.path("run"))
            state: \(stage.folder.path("state"))
            status: { file: \(stage.folder.path("soak.prom")) }
            encoders: { order: [vaapi, software] }
            channels:
            \(channels.joined(separator: "\n"))
            """
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// The log of the service.
    var log: String { daemon.errors.text }

    // MARK: Settling

    /// Waits until the box has recovered from the last fault.
    func settled() async throws -> SoakSample {
        let limit = ContinuousClock.now + .seconds(120)
        while true {
            let done = try await TestProcess.run(streambox, ["status", "--json", "--config", config])
            let status = done.ending == .exited(0) ? try StatusReport(done) : nil
            let children = Leftovers.descendants(of: daemon.pid)
            var deviations = status?.deviations ?? ["no status: \(done.errors)"]
            let running = children.filter { !$0.isZombie }
            if running.count != Self.processes {
                deviations += ["\(running.count) processes instead of \(Self.processes):"] + running.map(\.description)
            }
            if deviations.isEmpty { break }
            guard ContinuousClock.now < limit else {
                throw Failed("the box did not settle: \(deviations.joined(separator: "\n"))")
            }
            try await Task.sleep(for: .milliseconds(500))
        }
        let children = Leftovers.descendants(of: daemon.pid)
        return SoakSample(
            time: ProcessInfo.processInfo.systemUptime, resident: try ProcessFigures(pid: daemon.pid).resident,
            descriptors: try await descriptors(), processes: children.count, zombies: children.filter(\.isZombie).count)
    }

    /// Counts the daemon's descriptors by kind, without the connections by which the lab simulates a device: its
    /// library sometimes keeps one whose device is closed.
    private func descriptors() async throws -> [String: Int] {
        let folder = "/proc/\(daemon.pid)/fd"
        let sockets = try await TestProcess.run("ss", ["-xH"]).success("ss").text
        let ofLab = Set(
            sockets.split(separator: "\n").filter { $0.contains("/ioctl/dev/") }.compactMap { line in
                line.split(separator: " ").last.map { "socket:[\($0)]" }
            })
        let kinds = try FileManager.default.contentsOfDirectory(atPath: folder).compactMap { name -> String? in
            // A descriptor may be closed meanwhile; it does not count.
            guard let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)"),
                !ofLab.contains(link)
            else { return nil }
            return link.hasPrefix("/") || link.hasPrefix("anon_inode") ? link : String(link.prefix { $0 != ":" })
        }
        return Dictionary(kinds.map { ($0, 1) }, uniquingKeysWith: +)
    }

    // MARK: Faults

    func apply(_ fault: SoakFault, _ random: inout SeededRandom) async throws {
        let channel = Int.random(in: 0..<2, using: &random)
        let group = Self.groups.randomElement(using: &random)!
        let gpu = Bool.random(using: &random) ? LabGPU.intel : .amd
        switch fault {
        case .encoderKilled: try signal(SIGKILL, among: encoders, &random)
        case .encoderCrashed: try signal(SIGSEGV, among: encoders, &random)
        case .encoderHung: try signal(SIGSTOP, among: encoders, &random)
        case .handedOver: _ = try await command("handover", group)
        case .handedToSoftware: _ = try await command("handover", group, "--encoder", "libx264")
        case .reloaded:
            isThin.toggle()
            try Self.write(config, stage, kept, troubled, sources.map(\.port), isThin: isThin)
            guard try await command("reload").ending == .exited(0) else { throw Failed("reload was refused") }
        case .gpuFailed:
            try lab.fail(.endPicture, .operationFailed, on: gpu)
            try await Task.sleep(for: .seconds(3))
            try lab.heal()
        case .gpuHung:
            try lab.fail(.endPicture, .hang, on: gpu)
            try await Task.sleep(for: .seconds(5))
            try lab.heal()
        case .gpuPulled:
            try await lab.unplug(gpu)
            try await Task.sleep(for: .seconds(4))
            try await lab.plug(gpu)
        case .gpuWedged: try await lab.wedge(gpu)
        case .sourceLost: try await restart(channel, after: .seconds(3))
        case .audioKilled: try signal(SIGKILL, among: converters, &random)
        case .audioHung: try signal(SIGSTOP, among: converters, &random)
        case .targetDropped: try await troubled.dropPublisher(group)
        case .targetRefused:
            try troubled.refuse(group)
            try await troubled.dropPublisher(group)
            try await Task.sleep(for: .seconds(3))
            try troubled.allow(group)
        case .publisherKilled: try signal(SIGKILL, among: publishers, &random)
        case .publisherHung: try signal(SIGSTOP, among: publishers, &random)
        case .targetStopped:
            _ = try await command("target", "stop", "\(group)-troubled")
            try await Task.sleep(for: .seconds(2))
            _ = try await command("target", "start", "\(group)-troubled")
        }
    }

    private func command(_ words: String...) async throws -> TestProcess.Completed {
        try await TestProcess.run(streambox, words + ["--config", config], within: .seconds(60))
    }

    private func restart(_ index: Int, after pause: Duration) async throws {
        await stage.end(sources[index].program)
        try await Task.sleep(for: pause)
        sources[index].run += 1
        let source = sources[index]
        try await eventually("the source to listen", within: .seconds(30)) {
            FreePort.isListening(tcp: self.sources[index].port)
        }
        sources[index].program = try await Self.publish(stage, source.url, source.audio, run: source.run)
    }

    private func signal(_ signal: Int32, among processes: [Leftovers.Process], _ random: inout SeededRandom) throws {
        guard let process = processes.sorted(by: { $0.pid < $1.pid }).randomElement(using: &random) else {
            throw Failed("there is no such process")
        }
        kill(process.pid, signal)
    }

    private var children: [Leftovers.Process] {
        Leftovers.descendants(of: daemon.pid).filter { !$0.isZombie && !$0.command.contains("setpriv") }
    }

    private var encoders: [Leftovers.Process] { children.filter { $0.command.contains("-force_key_frames") } }
    /// The publishers to the troubled platform.
    private var publishers: [Leftovers.Process] { children.filter { $0.command.contains(":\(troubled.port)/") } }
    /// The processes that convert a publisher's audio to AAC.
    private var converters: [Leftovers.Process] { children.filter { $0.command.contains("-f flv -i pipe:0") } }

    // MARK: Results

    /// Ends the service in order.
    func end() async throws {
        daemon.send(SIGTERM)
        guard try await daemon.wait(.seconds(15)) == .exited(0) else {
            throw Failed("the service did not end with status 0: \(daemon.errors.text)")
        }
        for source in sources { await stage.end(source.program) }
    }

    func publishes() throws -> [Int] { try Self.groups.map { try kept.publishes(of: $0).count } }

    /// Returns the stream of each of the targets that no fault touched.
    func streams() async throws -> [SoakStream] {
        var streams: [SoakStream] = []
        for group in Self.groups {
            var frames: [FrameReader.Frame] = []
            for (index, recording) in kept.recordings(of: group).enumerated() {
                // Read in pieces: the output for a whole recording would exceed the limit on kept output.
                let folder = try stage.folder.makeFolder("pieces-\(group)-\(index)")
                _ = try await TestProcess.run(
                    "ffmpeg",
                    [
                        "-v", "error", "-nostdin", "-copyts", "-i", recording, "-map", "0:v", "-c", "copy", "-f",
                        "segment", "-segment_time", "120",
                        "-segment_format", "flv", "\(folder)/%05d.flv",
                    ], within: .seconds(300)
                ).success("cutting \(recording)")
                for piece in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
                    frames += try await FrameReader.read(
                        .url("\(folder)/\(piece)"), audio: false, within: .seconds(300)
                    ).frames
                }
            }
            streams.append(SoakStream(name: group, frames: frames))
        }
        return streams
    }
}

extension SoakBox.Source {
    var port: Int { URL(string: url)?.port ?? 0 }
}

extension StatusReport {
    /// The differences from the expected state, in words.
    fileprivate var deviations: [String] {
        channels.enumerated().flatMap { index, channel in
            channel.sources.prefix(1).filter { !$0.isOnAir }.map {
                "source of channel \(index + 1) is \($0.state) and not on air"
            }
                + channel.groups.filter { !["live", "degraded"].contains($0.state) }.map {
                    "group \($0.name) is \($0.state)"
                }
                + channel.groups.flatMap { group in
                    group.targets.filter { $0.state != "live" }.map { "a target of \(group.name) is \($0.state)" }
                }
        }
    }
}
