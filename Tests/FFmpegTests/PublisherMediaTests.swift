import FFmpeg
import Foundation
import Glibc
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// The installed FFmpeg against real listeners on this machine.
@Suite(.serialized, .tags(.ffmpeg)) struct PublisherMediaTests {
    /// nginx-rtmp on a free port. Its log has the name that was published.
    private func withNginx(
        _ scratch: Scratch, _ body: @Sendable (_ port: UInt16, _ log: String) async throws -> Void
    ) async throws {
        let port = freePort()
        try write(
            """
            load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
            daemon off; master_process off; pid \(scratch.path)/pid; error_log \(scratch.path)/error.log info; events {}
            rtmp { access_log \(scratch.path)/access.log; server { listen 127.0.0.1:\(port);
              application live { live on; } application deny { live on; deny publish all; } } }
            """, to: scratch.file("nginx.conf"))
        let arguments = ["-c", scratch.file("nginx.conf"), "-p", scratch.path]
        let isReady = { @Sendable in isBound(port) }
        try await serving("nginx", arguments, until: isReady) {
            try await body(port, scratch.file("access.log"))
        }
    }

    private func serving(
        _ name: String, _ arguments: [String], until ready: @escaping @Sendable () -> Bool,
        _ body: @Sendable () async throws -> Void
    ) async throws {
        _ = try await Subprocess.run(
            .name(name), arguments: Arguments(arguments), input: .none, output: .discarded, error: .discarded
        ) { execution in
            defer { try? execution.send(signal: .kill) }
            try await eventually("\(name) listens") { ready() }
            try await body()
        }
    }

    @Test("the key reaches the server, and is in no argument list, message or file")
    func rtmpKey() async throws {
        let scratch = Scratch()
        let source = scratch.file("source.ts")
        try await makeSource(source, seconds: 3)
        try await withNginx(scratch) { port, log in
            let command = try PublisherCommand(
                target: .rtmp(url: "rtmp://127.0.0.1:\(port)/live", key: "S3cretKey?token=T0ken")
            ).command(for: try await ffmpeg().capabilities)
            let handle = ChildHandle()
            let recorder = Recorder()
            // A pipe that stays open keeps the publisher alive during the check.
            let (childInput, ours) = try FileDescriptor.pipe()
            let binary = try await ffmpeg()
            async let exit = ChildProcess.run(
                command, binary: binary, stdin: childInput, stdout: nil,
                environment: testEnvironment, handle: handle, onEvent: { recorder.note($0) })
            try await eventually("started") { recorder.pid != nil }
            #expect(Scratch.names(scratch.path).allSatisfy { !$0.hasSuffix("ffpreset") })
            let media = try contents(source)
            _ = try await onOwnThread { try ours.writeAll(media) }
            // More media than the probing needs. Then figures come.
            try await eventually("on air") {
                (try? contents(scratch.file("error.log")).count) ?? 0 > 0
            }
            let pid = try #require(recorder.pid)
            let words = commandLine(pid)
            #expect(words.contains("rtmp://127.0.0.1:\(port)/live"))
            #expect(!words.contains { $0.contains("S3cret") || $0.contains("T0ken") })
            try ours.close()
            let end = await exit
            #expect(end.status == .exited(0), "\(end.log.lines)")
            #expect(!end.log.lines.contains { $0.contains("S3cret") || $0.contains("T0ken") })
            try await eventually("published under the key") {
                let text = String(decoding: (try? contents(log)) ?? [], as: UTF8.self)
                return text.contains("PUBLISH \"live\" \"S3cretKey\" \"token=T0ken\"")
            }
        }
    }

    @Test("a missing server refuses; one that accepts no publisher closes or rejects")
    func rtmpFailures() async throws {
        let scratch = Scratch()
        let source = scratch.file("source.ts")
        try await makeSource(source, seconds: 8)
        let dead = try PublisherCommand(target: .rtmp(url: "rtmp://127.0.0.1:\(freePort())/live", key: "S3cretKey"))
        #expect(
            try await run(dead.command(for: try await ffmpeg().capabilities), in: scratch, from: source).cause
                == .connectionRefused)
        try await withNginx(scratch) { port, _ in
            let unknown = try PublisherCommand(target: .rtmp(url: "rtmp://127.0.0.1:\(port)/nope", key: "S3cretKey"))
            let exit = try await run(unknown.command(for: try await ffmpeg().capabilities), in: scratch, from: source)
            #expect(exit.cause == .rejected, "\(exit.log.lines)")
            #expect(!exit.log.lines.contains { $0.contains("S3cret") })
            let denied = try PublisherCommand(target: .rtmp(url: "rtmp://127.0.0.1:\(port)/deny", key: "S3cretKey"))
            // All at once would fit into the kernel's buffers before the server closes.
            let end = try await run(
                denied.command(for: try await ffmpeg().capabilities), in: scratch, trickling: contents(source))
            #expect(end.cause == .reset, "\(end)")
        }
    }

    @Test("an SRT listener accepts the right passphrase only")
    func srtPassphrase() async throws {
        let scratch = Scratch()
        let source = scratch.file("source.ts")
        try await makeSource(source, seconds: 2)
        let port = freePort(udp: true)
        let secret = "it's 1 odd \\ pass=phrase"
        // Our own listening relay is the other side.
        let relay = try RelayCommand(source: .srtListen(address: "127.0.0.1:\(port)", passphrase: secret, latency: nil))
            .command(for: try await ffmpeg().capabilities)
        let recorder = Recorder()
        async let received = run(relay, in: scratch, to: scratch.file("received.ts"), recorder: recorder)
        try await eventually("listening") { isBound(port, udp: true) }
        let pid = try #require(recorder.pid)
        #expect(!commandLine(pid).contains { $0.contains("phrase") })
        func publish(_ passphrase: String?) async throws -> ChildExit {
            try await run(
                PublisherCommand(
                    target: .srt(url: "srt://127.0.0.1:\(port)", passphrase: passphrase, streamID: "x", latency: nil)
                ).command(for: try await ffmpeg().capabilities), in: scratch, from: source)
        }
        #expect(try await publish("wrong passphrase").cause == .rejected)
        #expect(try await publish(nil).cause == .rejected)
        // A sender that is faster than real time and closes at once loses data that SRT still holds, so this one stays
        // a while.
        let right = try PublisherCommand(
            target: .srt(url: "srt://127.0.0.1:\(port)", passphrase: secret, streamID: "x", latency: nil)
        ).command(for: try await ffmpeg().capabilities)
        let sent = try await run(right, in: scratch, trickling: contents(source))
        #expect(sent.status == .exited(0), "\(sent.log.lines)")
        let end = try await received
        #expect(end.cause == .ended, "\(end)")
        #expect(try await packets(scratch.file("received.ts"), "v").first?.isKey == true)
        #expect(Scratch.names(scratch.file("secrets")).isEmpty)
    }

    @Test("a recording is cut at keyframes, and stays playable after a kill")
    func recording() async throws {
        let scratch = Scratch()
        let source = scratch.file("source.ts")
        try await makeSource(source, seconds: 8)
        let folder = scratch.file("rec")
        mkdir(folder, 0o700)
        let command = try PublisherCommand(
            target: .record(folder: folder, name: "archive", segment: .seconds(1), take: 0)
        ).command(for: try await ffmpeg().capabilities)
        let (childInput, ours) = try FileDescriptor.pipe()
        let handle = ChildHandle()
        let binary = try await ffmpeg()
        async let exit = ChildProcess.run(
            command, binary: binary, stdin: childInput, stdout: nil,
            environment: testEnvironment, handle: handle, onEvent: { _ in })
        // Names have seconds, so the segments must begin in different ones.
        let media = try contents(source)
        let part = media.count / 8 / 188 * 188
        for number in 0..<8 where number < 4 || Scratch.names(folder).count < 3 {
            _ = try await onOwnThread { try ours.writeAll(media[number * part..<(number + 1) * part]) }
            // It may be late: the data waiting for it is one segment.
            try await eventually("it to be read") {
                var waiting: CInt = 0
                return ioctl(ours.rawValue, UInt(FIONREAD), &waiting) == 0 && waiting == 0
            }
            try await Task.sleep(for: .milliseconds(1050))
        }
        try await eventually("pictures in each segment") {
            Scratch.names(folder).allSatisfy { pictures(in: (try? contents("\(folder)/\($0)")) ?? []) > 0 }
        }
        handle.stop(.now)
        let end = await exit
        try ours.close()
        #expect(end.status == .signalled(SIGKILL) && end.asked)
        let names = Scratch.names(folder)
        #expect(names.count >= 3)
        #expect(names.allSatisfy { RecordingFiles.isRecording($0, of: "archive") })
        for name in names {
            let video = try await packets("\(folder)/\(name)", "v")
            #expect(video.first?.isKey == true, "\(name)")
        }
        // As if no time had passed since the last segment: after ten seconds a recording begins again.
        let written = try names.map { name in
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")
            return try #require(attributes[.modificationDate] as? Date).timeIntervalSince1970
        }
        let now = Int(try #require(written.max()))
        #expect(RecordingFiles.nextTake(folder: folder, name: "archive", now: now) == 1)
    }

    @Test("a missing folder has the cause of an unwritable one")
    func unwritable() async throws {
        let scratch = Scratch()
        try await makeSource(scratch.file("source.ts"), seconds: 1)
        let command = try PublisherCommand(
            target: .record(folder: scratch.file("missing"), name: "a", segment: .seconds(10), take: 0)
        ).command(for: try await ffmpeg().capabilities)
        let exit = try await run(command, in: scratch, from: scratch.file("source.ts"))
        #expect(exit.cause == .unwritable, "\(exit.log.lines)")
    }
}
