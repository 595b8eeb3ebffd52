import FFmpeg
import Foundation
import TestSupport
import Testing

@testable import Supervision

@Suite struct BoundedChildTests {
    /// Runs a shell script in FFmpeg's place.
    private func run(
        _ script: String, limit: Duration = .milliseconds(200), extended: Duration? = nil,
        isDone: (@Sendable () -> Bool)? = nil
    ) async throws -> (exit: ChildExit, overdue: Overdue?) {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let path = folder.path + "/ffmpeg"
        try "#!/bin/sh\n\(script)\n".write(toFile: path, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
        let version = try #require(FFmpegVersion(output: "ffmpeg version 5.1\n"))
        return await BoundedChild.run(
            FFmpegCommand(role: .trial, arguments: []),
            binary: FFmpegBinary(path: path, capabilities: .complete(version)),
            environment: ProcessInfo.processInfo.environment, limit: limit, extended: extended, isDone: isDone)
    }

    @Test("a child that does nothing at its time limit hangs")
    func hanging() async throws {
        let (exit, overdue) = try await run("exec sleep 1000", extended: .seconds(600))
        #expect(overdue == .hanging && exit.status == .signalled(9))
    }

    @Test("a child that works gets more time and ends by itself")
    func working() async throws {
        // It uses the processor for longer than the first limit.
        let (exit, overdue) = try await run(
            "n=0; while [ $n -lt 400000 ]; do n=$((n + 1)); done; exit 3", extended: .seconds(600))
        #expect(overdue == nil && exit.status == .exited(3))
    }

    @Test("a child that works for too long is killed and does not count as hanging")
    func tooLong() async throws {
        let (exit, overdue) = try await run("while :; do :; done", extended: .seconds(1))
        #expect(overdue == .working && exit.status == .signalled(9))
    }

    @Test("a child that has done its work is ended and was not late")
    func done() async throws {
        let (exit, overdue) = try await run("exec sleep 1000", limit: .seconds(600)) { true }
        #expect(overdue == nil && exit.asked)
    }
}
