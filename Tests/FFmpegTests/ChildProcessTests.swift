import FFmpeg
import Glibc
import MediaTypes
import Subprocess
import SystemPackage
import TestSupport
import Testing

@Suite(.serialized, .tags(.ffmpeg)) struct ChildProcessTests {
    /// A shell script in place of FFmpeg.
    private func script(_ text: String, in scratch: Scratch) throws -> FFmpegBinary {
        try write("#!/bin/sh\n" + text, to: scratch.file("ffmpeg"), mode: [.ownerReadWriteExecute])
        return FFmpegBinary(
            path: scratch.file("ffmpeg"), capabilities: .complete(FFmpegVersion(output: "ffmpeg version 5.1 C")!))
    }

    private func launch(
        _ binary: FFmpegBinary, in scratch: Scratch,
        command: FFmpegCommand = FFmpegCommand(role: .encoder, arguments: []),
        stdin: FileDescriptor? = nil, stdout: FileDescriptor? = nil, handle: ChildHandle = ChildHandle(),
        recorder: Recorder = Recorder(), clock: some Clock<Duration> = ContinuousClock()
    ) async -> ChildExit {
        await ChildProcess.run(
            command, binary: binary, stdin: stdin, stdout: stdout,
            environment: testEnvironment, handle: handle, clock: clock, onEvent: { recorder.note($0) })
    }

    private var endless: FFmpegCommand {
        get throws {
            try RelayCommand(source: .test(size: FrameSize(width: 64, height: 64), rate: FrameRate(10))).command(
                for: .debian12)
        }
    }

    @Test("messages, figures and the last words arrive in order, with limited length")
    func events() async throws {
        let scratch = Scratch()
        let binary = try script(
            """
            echo '[x @ 0x1] [error] first' >&2
            printf 'frame=7\\nfps=1.0\\nprogress=continue\\r\\n' >&2
            head -c 100000 /dev/zero | tr '\\0' z >&2
            printf '\\nlast words' >&2
            exit 3
            """, in: scratch)
        let recorder = Recorder()
        let exit = await launch(binary, in: scratch, recorder: recorder)
        #expect(exit.status == .exited(3))
        #expect(exit.asked == false && exit.cause == .unknown)
        #expect(exit.log.head.count == 3)
        #expect(exit.log.head.first == "[x @ 0x1] first" && exit.log.head.last == "last words")
        #expect(exit.log.head.allSatisfy { $0.utf8.count < 1100 })
        let events = recorder.all
        #expect(events.count == 5)
        if case .started(let pid) = events.first { #expect(!isAlive(pid)) } else { Issue.record("no start") }
        #expect(events[1] == .log(LogLine(level: .error, text: "[x @ 0x1] first")))
        if case .progress(let progress) = events[2] { #expect(progress.fps == 1) } else { Issue.record("no figures") }
    }

    @Test("a flood of messages is limited")
    func flood() async throws {
        let scratch = Scratch()
        let binary = try script("seq 1 20000 | sed 's/^/message /' >&2\n", in: scratch)
        let recorder = Recorder()
        let exit = await launch(binary, in: scratch, recorder: recorder)
        #expect(exit.status == .exited(0))
        #expect(recorder.all.count < 10_000)
        #expect(exit.log.tail.last == "message 20000")
        #expect(exit.log.head.count + exit.log.tail.count + exit.log.omitted == 20_000)
    }

    @Test("a process that cannot be started is an exit with a reason, and closes its pipes")
    func notStarted() async throws {
        let scratch = Scratch()
        let (readEnd, writeEnd) = try FileDescriptor.pipe()
        defer { try? readEnd.close() }
        // Both descriptors carry media, so none is left for the key.
        let command = try PublisherCommand(target: .rtmp(url: "rtmp://127.0.0.1:1/a", key: "S3cretKey")).command(
            for: .debian12)
        let (input, ours) = try FileDescriptor.pipe()
        defer { try? ours.close() }
        let exit = await launch(
            try script("", in: scratch), in: scratch, command: command, stdin: input, stdout: writeEnd)
        guard case .notStarted(let reason) = exit.status else {
            Issue.record("it started")
            return
        }
        #expect(reason.contains("no descriptor is left"))
        #expect(exit.cause == .notStarted)
        var byte: UInt8 = 0
        #expect(try withUnsafeMutableBytes(of: &byte) { try readEnd.read(into: $0) } == 0)
    }

    @Test("a started child's ends are closed on our side")
    func descriptors() async throws {
        let scratch = Scratch()
        let (readEnd, writeEnd) = try FileDescriptor.pipe()
        let (childInput, ours) = try FileDescriptor.pipe()
        defer { try? readEnd.close() }
        try ours.writeAll("media".utf8)
        try ours.close()
        let exit = await launch(try script("cat\n", in: scratch), in: scratch, stdin: childInput, stdout: writeEnd)
        #expect(exit.status == .exited(0) && exit.cause == .ended)
        var bytes = [UInt8](repeating: 0, count: 100)
        let count = try bytes.withUnsafeMutableBytes { try readEnd.read(into: $0) }
        #expect(String(decoding: bytes[..<count], as: UTF8.self) == "media")
        #expect(try bytes.withUnsafeMutableBytes { try readEnd.read(into: $0) } == 0)
    }

    @Test("a graceful stop lets FFmpeg finish, and counts as requested")
    func graceful() async throws {
        let scratch = Scratch()
        let handle = ChildHandle()
        let recorder = Recorder()
        // It may take its time to finish.
        async let exit = run(
            try endless, in: scratch, to: scratch.file("out.ts"), handle: handle, recorder: recorder,
            clock: StoppedClock())
        try await eventually("media") { ((try? contents(scratch.file("out.ts")))?.count ?? 0) > 1000 }
        handle.stop(.gracefully)
        let end = try await exit
        #expect(end.status == .exited(255))
        #expect(end.asked && end.cause == nil)
    }

    @Test("a child that ignores SIGINT is killed with its group after two waits")
    func stubborn() async throws {
        let scratch = Scratch()
        let binary = try script(
            "trap 'echo asked >&2' INT; sleep 1000 & echo $! >&2; while :; do wait; done\n", in: scratch)
        let handle = ChildHandle()
        let recorder = Recorder()
        async let exit = launch(binary, in: scratch, handle: handle, recorder: recorder, clock: HastyClock())
        try await eventually("ready") { recorder.all.count >= 2 }
        handle.stop(.gracefully)
        let end = await exit
        #expect(end.status == .signalled(SIGKILL))
        #expect(end.asked)
        guard case .log(let line) = recorder.all[1], let pid = Int32(line.text) else {
            Issue.record("no pid")
            return
        }
        try await eventually("the rest of the group is gone") { !isAlive(pid) || commandLine(pid).isEmpty }
    }

    @Test("an immediate stop does not wait for a graceful one under way")
    func now() async throws {
        let scratch = Scratch()
        let binary = try script("trap '' INT; echo ready >&2; while :; do sleep 1; done\n", in: scratch)
        let handle = ChildHandle()
        let recorder = Recorder()
        async let exit = launch(binary, in: scratch, handle: handle, recorder: recorder, clock: StoppedClock())
        try await eventually("ready") { recorder.all.count >= 2 }
        handle.stop(.gracefully)
        handle.stop(.now)
        handle.stop(.gracefully)
        #expect(handle.requested == .now)
        let end = await exit
        #expect(end.status == .signalled(SIGKILL) && end.asked)
    }

    @Test("a stop before the start prevents the start")
    func early() async throws {
        let scratch = Scratch()
        let handle = ChildHandle()
        handle.stop(.gracefully)
        let exit = await launch(try script("exit 0", in: scratch), in: scratch, handle: handle)
        #expect(exit.status == .notStarted(reason: "stopped before it was started"))
        #expect(exit.asked && exit.cause == nil)
    }

    @Test("cancelling stops gracefully and loses no last words")
    func cancelling() async throws {
        let scratch = Scratch()
        let binary = try script(
            "trap 'echo last words >&2; exit 5' INT; echo ready >&2; while :; do sleep 0.1; done\n", in: scratch)
        let recorder = Recorder()
        // It may take its time for its last words.
        let task = Task { await launch(binary, in: scratch, recorder: recorder, clock: StoppedClock()) }
        try await eventually("ready") { recorder.all.count >= 2 }
        task.cancel()
        let exit = await task.value
        #expect(exit.status == .exited(5) && exit.asked)
        #expect(exit.log.head.contains("last words"))
    }

    @Test("a crash differs from a kill")
    func crash() async throws {
        let scratch = Scratch()
        let crashed = await launch(try script("kill -SEGV $$\n", in: scratch), in: scratch)
        #expect(crashed.status == .signalled(SIGSEGV) && crashed.cause == .crash)
        let killed = await launch(try script("kill -KILL $$\n", in: scratch), in: scratch)
        #expect(killed.status == .signalled(SIGKILL) && killed.cause == .killed)
    }

    @Test("a child has a parent death signal, its own session and three descriptors")
    func isolation() async throws {
        let scratch = Scratch()
        let binary = try script(
            """
            exec >&2
            echo session $(ps -o sid= -p $$) $$
            for path in /proc/$$/fd/*; do open="$open ${path##*/}"; done
            echo descriptors $open
            exec setpriv --dump
            """, in: scratch)
        let exit = await launch(binary, in: scratch)
        let lines = exit.log.head
        let session = try #require(lines.first { $0.hasPrefix("session") }).split(separator: " ")
        #expect(session[1] == session[2])
        // A shell has one for the folder, and one above ten for its script.
        let descriptors = try #require(lines.first { $0.hasPrefix("descriptors") }).split(separator: " ").dropFirst()
        #expect(descriptors.filter { Int($0)! < 10 }.allSatisfy { ["0", "1", "2", "3"].contains($0) })
        #expect(lines.contains { $0.lowercased().hasPrefix("parent death signal: kill") })
    }

    @Test(
        "processes that move the stream have precedence over encoders",
        .enabled(if: geteuid() == 0, "only root may without a limit that allows it"),
        arguments: [(FFmpegCommand.Role.relay, -5), (.publisher, -5), (.encoder, 0), (.trial, 0), (.slate, 0)])
    func precedence(role: FFmpegCommand.Role, nice: Int) async throws {
        let scratch = Scratch()
        let binary = try script("read -r _\ncut -d ' ' -f 19 /proc/$$/stat >&2\n", in: scratch)
        let (reading, writing) = try FileDescriptor.pipe()
        let recorder = Recorder()
        async let exit = launch(
            binary, in: scratch, command: FFmpegCommand(role: role, arguments: []), stdin: reading, recorder: recorder)
        try await eventually("a start") { !recorder.all.isEmpty }
        try writing.closeAfter { _ = try writing.writeAll("go on\n".utf8) }
        #expect(await exit.log.head == ["\(nice)"])
    }
}

/// A clock on which time passes at once.
private struct HastyClock: Clock {
    typealias Instant = ContinuousClock.Instant
    var now: Instant { ContinuousClock.now }
    var minimumResolution: Duration { .zero }
    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try await ContinuousClock().sleep(for: .milliseconds(50))
    }
}
