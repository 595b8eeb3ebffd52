import Foundation
import TestSupport

/// The real service, as a user starts it.
struct Daemon: Sendable {
    let program: TestProcess
    let config: String
    /// Its runtime folder.
    let runtime: String

    /// The program that was built with these tests; it lies beside them.
    static let path = BuiltProgram.streambox

    /// Waits for a line of its log that holds all of these.
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

    /// Lines of its log that hold all of these.
    func lines(_ parts: String...) -> [String] {
        program.errors.lines.map(\.text).filter { text in parts.allSatisfy { text.contains($0) } }
    }

    /// The newest encoder of a group was started after the last line of its log that holds all of these.
    func hasStarted(group: String, after parts: String...) -> Bool {
        let lines = program.errors.lines.map(\.text)
        let said = lines.lastIndex { text in parts.allSatisfy { text.contains($0) } }
        guard let said else { return false }
        return lines[said...].contains { $0.contains("msg=started") && $0.contains("group=\(group)") }
    }

    /// The next line of its log will have this index.
    var position: Int { (program.errors.lines.last?.index ?? -1) + 1 }

    /// Its FFmpegs whose arguments hold this.
    func children(_ text: String) -> [Leftovers.Process] {
        Leftovers.descendants(of: program.pid).filter {
            !$0.isZombie && $0.command.contains(text) && !$0.command.contains("setpriv")
        }
    }

    /// SIGTERM, and what a service manager expects then.
    func terminate(file: String = #fileID, line: Int = #line) async throws {
        program.send(SIGTERM)
        let ending = try await program.wait(.seconds(10), file: file, line: line)
        guard ending == .exited(0) else { throw Failed("the service ended with \(ending) (\(file):\(line))") }
    }
}

/// What the first start on a box finds out of its FFmpeg and keeps in the state folder. Nearly all starts of tests are
/// later ones: the processes that ask FFmpeg would be taken for those of the streams.
private enum FirstStart {
    static let file = "ffmpeg.json"

    static let knowledge = Task { () -> String? in
        // No stage: those that wait for this have all the turns.
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
    /// Writes a configuration whose channels are given, and gives its path. Its owner alone can read it.
    func configuration(_ channels: String, name: String = "box", more: String = "") throws -> String {
        try folder.write(
            "\(name).yaml",
            """
            runtime: \(folder.path("run-\(name)"))\nstate: \
            \(folder.path("state-\(name)"))\n\(more)channels:\n\(channels)\n
            """,
            mode: 0o600)
    }

    /// The next start of the box of this name is a later one.
    ///
    /// - Parameter environment: What the service will see; what is loaded into an FFmpeg before its libraries makes it
    ///   another one.
    func rememberFirstStart(_ name: String, environment: [String: String?] = [:]) async throws {
        let state = folder.path("state-\(name)")
        guard !FileManager.default.fileExists(atPath: state), var known = await FirstStart.knowledge.value else {
            return
        }
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
    }

    /// Starts the service with these channels, at the most talkative level, and waits until its sources run.
    func streambox(
        _ channels: String, name: String = "box", more: String = "", options: [String] = [],
        environment: [String: String?] = [:]
    ) async throws -> Daemon {
        let config = try configuration(channels, name: name, more: more)
        try await rememberFirstStart(name, environment: environment)
        let program = try await program(
            Daemon.path, ["run", "--config", config, "--log-level", "debug"] + options, environment: environment)
        let daemon = Daemon(program: program, config: config, runtime: folder.path("run-\(name)"))
        // A relay, or the port of one that waits for its publisher.
        try await program.errors.first("a source", from: 0, within: .seconds(30)) {
            $0.contains("source=") && ($0.contains("msg=started") || $0.contains("msg=listening"))
        }
        // One that stands in for FFmpeg is asked at each start, by processes that would be taken for those of the
        // streams.
        if more.contains("ffmpeg:") { try await daemon.logged("FFmpeg is checked") }
        return daemon
    }

    /// Runs a command of the program to its end.
    func command(_ arguments: [String], environment: [String: String?] = [:]) async throws -> TestProcess.Completed {
        try await TestProcess.run(Daemon.path, arguments, environment: environment, folder: folder.path)
    }

    /// What `status --json` says of it now.
    func status(of daemon: Daemon) async throws -> StatusReport {
        try StatusReport(try await command(["status", "--json", "--config", daemon.config]))
    }

    /// Waits until the status is as it should be, and gives it.
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
                // The service may not be there yet.
                guard done.ending == .exited(0) else { return nil }
                last = try StatusReport(done)
                return last.flatMap { isSo($0) ? $0 : nil }
            }
        } catch {
            throw Failed("\(error); it is \(last.map { "\($0)" } ?? "nothing")")
        }
    }

    /// What a tap gives from now on.
    func tap(_ name: String, of daemon: Daemon) async throws -> TestProcess {
        try await program(Daemon.path, ["tap", name, "--config", daemon.config], output: .bytes(limit: 256 << 20))
    }

    /// A file of a numbered stream.
    func file(_ name: String, _ change: (inout NumberedSource) -> Void = { _ in }) async throws -> String {
        var source = NumberedSource.small
        source.duration = .seconds(3)
        change(&source)
        try await source.write(to: folder.path(name))
        return folder.path(name)
    }
}

extension Daemon {
    /// Bytes of memory that the service has, its children's not counted.
    func resident() throws -> Int { try memory("VmRSS") }

    /// The most that it has had since ``forgetPeak()``, or since its start.
    func peak() throws -> Int { try memory("VmHWM") }

    /// Lets the peak begin with what the service has now. Root alone may do so, since the service keeps others out of
    /// its memory; for others the peak goes on.
    func forgetPeak() {
        let file = open("/proc/\(program.pid)/clear_refs", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = write(file, "5", 1)
        close(file)
    }

    private func memory(_ name: String) throws -> Int {
        guard let status = KernelFile.text("/proc/\(program.pid)/status") else { throw Failed("the service is gone") }
        let line = status.split(separator: "\n").first { $0.hasPrefix("\(name):") } ?? ""
        guard let size = line.split(whereSeparator: { !$0.isNumber }).first.flatMap({ Int($0) }) else {
            throw Failed("the kernel does not tell \(name)")
        }
        return size << 10
    }
}

extension NumberedSource {
    /// 320x180 without an end, for real-time tests on small machines.
    static let small = NumberedSource.with {
        $0.width = 320
        $0.height = 180
        $0.bitrate = 400
        $0.duration = nil
    }

    static func small(_ change: (inout NumberedSource) -> Void) -> NumberedSource {
        var source = small
        change(&source)
        return source
    }

    static func small(seconds: Double, _ change: (inout NumberedSource) -> Void = { _ in }) -> NumberedSource {
        var source = small
        source.duration = .seconds(seconds)
        change(&source)
        return source
    }
}

extension NginxRTMP {
    /// Waits until so many pictures of a stream are in nginx's recordings.
    func waitForFrames(
        _ count: Int, of name: String, within limit: Duration = .seconds(40), file: String = #fileID, line: Int = #line
    ) async throws {
        var seen = 0
        do {
            try await eventually(
                "\(count) pictures of \(name)", within: limit, every: .milliseconds(300), file: file, line: line
            ) {
                seen = await frameCount(of: name)
                return seen >= count
            }
        } catch let error as WaitedInVain {
            throw Failed("\(error); \(seen) came")
        }
    }

    /// Waits until so many pictures more than now are in nginx's recordings of a stream, whatever came before.
    func waitForMoreFrames(
        _ count: Int, of name: String, within limit: Duration = .seconds(40), file: String = #fileID, line: Int = #line
    ) async throws {
        try await waitForFrames(frameCount(of: name) + count, of: name, within: limit, file: file, line: line)
    }

    /// Waits until so many pictures with a number are in nginx's recordings of a stream: those of a numbered source,
    /// and none of the slate, which is on air for long where the machine is slow.
    func waitForNumbers(
        _ count: Int, of name: String, within limit: Duration = .seconds(40), file: String = #fileID, line: Int = #line
    ) async throws {
        var seen = 0
        do {
            let pause = Duration.milliseconds(300)
            try await eventually("\(count) numbers of \(name)", within: limit, every: pause, file: file, line: line) {
                seen = 0
                for path in recordings(of: name) {
                    guard let reading = try? await FrameReader.read(.url(path), sound: false) else { continue }
                    seen += reading.numbers.count
                }
                return seen >= count
            }
        } catch let error as WaitedInVain {
            throw Failed("\(error); \(seen) came")
        }
    }

    /// Waits until so many beeps are in nginx's one recording of a stream.
    func waitForBeeps(
        _ count: Int, of name: String, within limit: Duration = .seconds(60), file: String = #fileID, line: Int = #line
    ) async throws {
        var seen = 0
        do {
            let pause = Duration.milliseconds(300)
            try await eventually("\(count) beeps of \(name)", within: limit, every: pause, file: file, line: line) {
                seen = (try? await reading(of: name))?.beeps.count ?? 0
                return seen >= count
            }
        } catch let error as WaitedInVain {
            throw Failed("\(error); \(seen) came")
        }
    }

    /// Pictures in nginx's recordings of a stream.
    private func frameCount(of name: String) async -> Int {
        var count = 0
        for path in recordings(of: name) {
            guard let probe = try? await MediaProbe.read(.url(path)) else { continue }
            count += probe.packets(of: probe.video).count
        }
        return count
    }

    /// Decodes the one recording of a stream.
    func reading(of name: String) async throws -> FrameReader.Reading {
        let files = recordings(of: name)
        guard files.count == 1 else { throw Failed("\(files.count) recordings of \(name)") }
        return try await FrameReader.read(.url(files[0]))
    }

    /// Whether a stream was published exactly once, and who published it took leave in order.
    func wasPublishedOnceInOrder(_ name: String) async throws -> Bool {
        try await eventually("the end of \(name)") { try self.publishes(of: name).allSatisfy { $0.hasEnded } }
        let publishes = try self.publishes(of: name)
        return publishes.count == 1 && publishes[0].isAccepted && publishes[0].endedOrderly
    }
}
