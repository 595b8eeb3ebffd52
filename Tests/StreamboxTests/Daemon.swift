import Foundation
import TestSupport

/// The real service, as a user starts it.
struct Daemon: Sendable {
    let program: TestProcess
    let config: String
    /// The runtime folder of the service.
    let runtime: String

    /// The program that was built with these tests, in the same folder.
    static let path = BuiltProgram.streambox

    /// Waits for a log line that contains all of these parts.
    @discardableResult
    func logged(
        _ parts: String..., from index: Int = 0, within limit: Duration = .seconds(30), file: String = #fileID,
        line: Int = #line
    ) async throws -> Transcript.Line {
        try await program.errors.first(parts.joined(separator: " "), from: index, within: limit, file: file, line: line)
        { text in
            parts.allSatisfy { text.contains($0) }
        }
    }

    /// The log lines that contain all of these parts.
    func lines(_ parts: String...) -> [String] {
        program.errors.lines.map(\.text).filter { text in parts.allSatisfy { text.contains($0) } }
    }

    /// Whether an encoder of a group was started after the last log line that contains all of these parts.
    func hasStarted(group: String, after parts: String...) -> Bool {
        let lines = program.errors.lines.map(\.text)
        let last = lines.lastIndex { text in parts.allSatisfy { text.contains($0) } }
        guard let last else { return false }
        return lines[last...].contains { $0.contains("msg=started") && $0.contains("group=\(group)") }
    }

    /// Reads when the service wrote a log line. A test itself may read the line late.
    static func time(of line: String) throws -> Date {
        guard let stamp = line.firstMatch(of: #/(?:^|\s)time=(\S+)/#)?.1 else { throw Failed("no time in \(line)") }
        return try Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(String(stamp))
    }

    /// The index of the next log line.
    var position: Int { (program.errors.lines.last?.index ?? -1) + 1 }

    /// The running child processes whose command line contains this text.
    func children(_ text: String) -> [Leftovers.Process] {
        Leftovers.descendants(of: program.pid).filter {
            !$0.isZombie && $0.command.contains(text) && !$0.command.contains("setpriv")
        }
    }

    /// Sends SIGTERM, and expects exit status 0 as a service manager does.
    func terminate(file: String = #fileID, line: Int = #line) async throws {
        program.send(SIGTERM)
        let ending = try await program.wait(.seconds(10), file: file, line: line)
        guard ending == .exited(0) else { throw Failed("the service ended with \(ending) (\(file):\(line))") }
    }
}

/// The result of the FFmpeg check that the first start on a box writes to the state folder. Nearly all starts of tests
/// are later ones: otherwise a test would mistake the processes that check FFmpeg for those of its streams.
private enum FirstStart {
    static let file = "ffmpeg.json"

    /// The contents of the file, or nil if the start failed.
    static let contents = Task { () -> String? in
        // No stage: the stages that wait for this hold all the turns.
        try? await withTemporaryFolder { folder in
            let config = try folder.write(
                "box.yaml",
                """
                runtime: \(folder.path("run"))
                state: \(folder.path("state"))
                channels: [ { name: main, sources: [ { test: { size: 64x48, rate: 10 } } ],
                  groups: [ { name: hd, tap: true } ] } ]

                """, mode: 0o600)
            return try await withProgram(Daemon.path, ["run", "--config", config]) { daemon in
                let text = try await eventually("the check of FFmpeg", within: .seconds(60)) {
                    (try? folder.text("state/\(file)")).flatMap { $0.contains("\"check\"") ? $0 : nil }
                }
                try await daemon.interrupt()
                return text
            }
        }
    }
}

extension Stage {
    /// Writes a configuration with these channels that only its owner can read.
    ///
    /// - Returns: The path of the file.
    func configuration(_ channels: String, name: String = "box", more: String = "") throws -> String {
        try folder.write(
            "\(name).yaml",
            """
            runtime: \(folder.path("run-\(name)"))
            state: \(folder.path("state-\(name)"))
            \(more)channels:
            \(channels)

            """,
            mode: 0o600)
    }

    /// Prepares the state folder so that the next start of the box with this name is a later one.
    ///
    /// - Parameter environment: The environment of the service. A preloaded library makes an FFmpeg another one.
    /// - Returns: Whether the next start is a later one. It is not when the first start failed on a busy machine.
    @discardableResult
    func rememberFirstStart(_ name: String, environment: [String: String?] = [:]) async throws -> Bool {
        let state = folder.path("state-\(name)")
        if FileManager.default.fileExists(atPath: state) { return true }
        guard var known = await FirstStart.contents.value else { return false }
        let loaded = environment.compactMapValues(\.self).filter { ["LD_PRELOAD", "LD_LIBRARY_PATH"].contains($0.key) }
        if !loaded.isEmpty, var knowledge = try JSONSerialization.jsonObject(with: Data(known.utf8)) as? [String: Any],
            var files = knowledge["files"] as? [String: Any]
        {
            files["variables"] = loaded
            knowledge["files"] = files
            known = String(decoding: try JSONSerialization.data(withJSONObject: knowledge), as: UTF8.self)
        }
        try FileManager.default.createDirectory(
            atPath: state, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        _ = try folder.write("state-\(name)/\(FirstStart.file)", known, mode: 0o600)
        return true
    }

    /// Starts the service with these channels, with a log of every level, and waits until its first source runs.
    func streambox(
        _ channels: String, name: String = "box", more: String = "", options: [String] = [],
        environment: [String: String?] = [:]
    ) async throws -> Daemon {
        let config = try configuration(channels, name: name, more: more)
        let isLaterStart = try await rememberFirstStart(name, environment: environment)
        let daemon = try await start(config, name: name, options: options, environment: environment)
        // A relay has started, or a port listens for a publisher.
        try await daemon.program.errors.first("a source", from: 0, within: .seconds(30)) {
            $0.contains("source=") && ($0.contains("msg=started") || $0.contains("msg=listening"))
        }
        // An FFmpeg is checked at a first start, and a wrapper of one at each start. A test would mistake the processes
        // of the check for those of its streams.
        if !isLaterStart || more.contains("ffmpeg:") { try await daemon.logged("FFmpeg is checked") }
        return daemon
    }

    /// Starts the service with a configuration file, and does not wait for its sources.
    ///
    /// - Parameters:
    ///   - name: The name that the configuration was written with.
    ///   - launcher: A program with its arguments that starts the service, such as `setpriv`; empty for none.
    func start(
        _ config: String, name: String = "box", through launcher: [String] = [],
        options: [String] = [], environment: [String: String?] = [:]
    ) async throws -> Daemon {
        let command = launcher + [Daemon.path, "run", "--config", config, "--log-level", "debug"] + options
        let program = try await program(command[0], Array(command.dropFirst()), environment: environment)
        return daemon(program, config, name: name)
    }

    /// The service that a program runs with a configuration file.
    func daemon(_ program: TestProcess, _ config: String, name: String = "box") -> Daemon {
        Daemon(program: program, config: config, runtime: folder.path("run-\(name)"))
    }

    /// Runs a command of the program to its end.
    func command(_ arguments: [String], environment: [String: String?] = [:]) async throws -> TestProcess.Completed {
        try await TestProcess.run(Daemon.path, arguments, environment: environment, folder: folder.path)
    }

    /// Reads `status --json` once.
    func status(of daemon: Daemon) async throws -> StatusReport {
        try StatusReport(try await command(["status", "--json", "--config", daemon.config]))
    }

    /// Waits until the status satisfies a condition.
    ///
    /// - Returns: The first status that satisfies it.
    @discardableResult
    func expect(
        _ what: String, of daemon: Daemon, within limit: Duration = .seconds(40), file: String = #fileID,
        line: Int = #line,
        _ isSo: (StatusReport) -> Bool
    ) async throws -> StatusReport {
        var last: StatusReport?
        do {
            return try await eventually(what, within: limit, every: .milliseconds(200), file: file, line: line) {
                let done = try await command(["status", "--json", "--config", daemon.config])
                // The service may not have opened its control socket yet.
                guard done.ending == .exited(0) else { return nil }
                last = try StatusReport(done)
                return last.flatMap { isSo($0) ? $0 : nil }
            }
        } catch {
            throw Failed("\(error); the last status: \(last.map { "\($0)" } ?? "none")")
        }
    }

    /// Reads a tap from now on.
    func tap(_ name: String, of daemon: Daemon) async throws -> TestProcess {
        try await program(Daemon.path, ["tap", name, "--config", daemon.config], output: .bytes(limit: 256 << 20))
    }

    /// Writes a file with a numbered stream of three seconds.
    ///
    /// - Returns: The path of the file.
    func file(_ name: String, _ change: (inout NumberedSource) -> Void = { _ in }) async throws -> String {
        var source = NumberedSource.small
        source.duration = .seconds(3)
        change(&source)
        try await source.write(to: folder.path(name))
        return folder.path(name)
    }
}

extension Daemon {
    /// The resident memory of the service in bytes, without its children.
    func residentMemory() throws -> Int { try memory("VmRSS") }

    /// The peak of the resident memory in bytes since ``resetPeakMemory()``, or since the start.
    func peakMemory() throws -> Int { try memory("VmHWM") }

    /// Resets the peak to the present resident memory. Only root may do so, because the service closes its memory to
    /// other users; without root nothing happens.
    func resetPeakMemory() {
        let file = open("/proc/\(program.pid)/clear_refs", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = write(file, "5", 1)
        close(file)
    }

    private func memory(_ name: String) throws -> Int {
        guard let status = KernelFile.text("/proc/\(program.pid)/status") else {
            throw Failed("the service has ended")
        }
        let line = status.split(separator: "\n").first { $0.hasPrefix("\(name):") } ?? ""
        guard let size = line.split(whereSeparator: { !$0.isNumber }).first.flatMap({ Int($0) }) else {
            throw Failed("/proc/\(program.pid)/status has no \(name)")
        }
        return size << 10
    }
}
