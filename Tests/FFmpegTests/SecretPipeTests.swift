import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import FFmpeg

@Suite struct SecretPipeTests {
    private func launch(
        _ script: String, _ command: FFmpegCommand, stdin: FileDescriptor? = nil, stdout: FileDescriptor? = nil
    ) async throws -> ChildExit {
        let scratch = Scratch()
        try write("#!/bin/sh\n" + script, to: scratch.file("ffmpeg"), mode: [.ownerReadWriteExecute])
        let binary = FFmpegBinary(
            path: scratch.file("ffmpeg"), capabilities: .complete(FFmpegVersion(output: "ffmpeg version 5.1 C")!))
        return await ChildProcess.run(
            command, binary: binary, stdin: stdin, stdout: stdout, environment: testEnvironment, onEvent: { _ in })
    }

    private func command(_ arguments: [String] = []) throws -> FFmpegCommand {
        let file = try SecretFile.preset([("passphrase", "0123456789")], for: .debian12)
        return FFmpegCommand(role: .publisher, arguments: [file.token] + arguments, secretFile: file)
    }

    @Test("a secret in an input without media can be read once, and is on no disk")
    func throughInput() async throws {
        let exit = try await launch(
            """
            first=$(wc -c < "$1")
            second=$(wc -c < "$1")
            echo "$1 $first $second" >&2
            exit 3

            """, command())
        #expect(exit.log.lines == ["/dev/fd/0 22 0"], "\(exit.status) \(exit.log.lines)")
    }

    @Test("a secret comes through the output if the input carries media")
    func throughOutput() async throws {
        let (reading, writing) = try FileDescriptor.pipe()
        try writing.close()
        let exit = try await launch(
            """
            read -r first < "$1"
            read -r second < "$1" || second=nothing
            echo "$1 ${#first} $second" >&2
            exit 3

            """, command(), stdin: reading)
        #expect(exit.log.lines == ["/dev/fd/1 21 nothing"], "\(exit.status) \(exit.log.lines)")
    }

    @Test("a process with both descriptors in use does not start with a secret, or show it")
    func noRoom() async throws {
        let (reading, writing) = try FileDescriptor.pipe()
        let exit = try await launch("", command(), stdin: reading, stdout: writing)
        guard case .notStarted(let reason) = exit.status else { throw Failed("it ran: \(exit.status)") }
        #expect(reason.contains("no descriptor is left") && !reason.contains("0123456789"))
    }

    @Test("a secret longer than a pipe is refused with a sentence")
    func tooLong() async throws {
        let file = try SecretFile.script(
            url: "http://camera/?" + String(repeating: "x", count: 100_000), options: [], secrets: [])
        let exit = try await launch("", FFmpegCommand(role: .relay, arguments: [file.token], secretFile: file))
        guard case .notStarted(let reason) = exit.status else { throw Failed("it ran: \(exit.status)") }
        #expect(reason.contains("longer than a pipe holds"))
    }

    @Test("a run leaves the service no additional descriptor")
    func descriptors() async throws {
        /// Every descriptor of this process, with its target. Each pipe has a number.
        func open() -> Set<String> {
            Set(
                Scratch.names("/proc/self/fd").compactMap { name in
                    let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")
                    return target.map { "\(name) \($0)" }
                })
        }
        _ = try await launch("exit 0", command())
        let before = open()
        let count = 60
        for _ in 0..<count { _ = try await launch("exit 0", command()) }
        // Concurrent tests open some too, and keep fewer of those that they opened meanwhile.
        var left = open().subtracting(before)
        try await eventually("the descriptors to be closed") {
            left.formIntersection(open())
            return left.count < count
        }
    }
}
