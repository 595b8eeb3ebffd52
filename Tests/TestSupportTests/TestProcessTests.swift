import Foundation
import TestSupport
import Testing

@Suite("Test process")
struct TestProcessTests {
    @Test("a program's lines, input, ending and signals are seen")
    func seesEverything() async throws {
        try await withProgram("sh", ["-c", "echo ready >&2; cat; exit 7"], input: .pipe) { program in
            try await program.errors.first(containing: "ready")
            try await program.write(Array("one\ntwo\n".utf8))
            program.closeInput()
            #expect(try await program.wait() == .exited(7))
            #expect(program.output.text == "one\ntwo")
        }
        try await withProgram("sleep", ["60"]) { program in
            program.send(SIGTERM)
            let ending = try await program.wait()
            #expect(ending == .signalled(SIGTERM))
        }
    }

    @Test("bytes pass through a program in both directions without loss")
    func bytesBothWays() async throws {
        var random = SeededRandom()
        let bytes = (0..<3_000_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        let done = try await TestProcess.run("cat", input: .bytes(bytes))
        #expect(done.ending == .exited(0) && done.output == bytes)
    }

    @Test("the whole group is killed at the end of the scope and leaves no zombie")
    func groupIsKilled() async throws {
        var pid: Int32 = 0
        await #expect(throws: Failed.self) {
            try await withProgram("sh", ["-c", "sleep 60 & echo $!; wait"]) { program in
                pid = Int32(try await program.output.first("a pid") { _ in true }.text) ?? 0
                throw Failed("on purpose")
            }
        }
        #expect(pid > 0)
        try await eventually("the grandchild to be gone") { kill(pid, 0) != 0 || isZombie(pid) }
        #expect(Leftovers.children().filter { $0.command.contains("sleep 60") && $0.isZombie }.isEmpty)
    }

    @Test("the stage finds, names and kills a process that escapes its session")
    func leftoverIsFound() async throws {
        var pid: Int32 = 0
        await #expect {
            try await withStage { stage in
                let program = try await stage.program(
                    "sh", ["-c", "setsid sleep 61 >/dev/null 2>&1 & echo $!; wait"])
                pid = Int32(try await program.output.first("a pid") { _ in true }.text) ?? 0
                try await eventually("setsid to be sleep") {
                    stage.leftovers.contains { $0.command == "sleep 61" }
                }
            }
        } throws: { "\($0)".contains("sleep 61") }
        try await eventually("it to be gone") { kill(pid, 0) != 0 || isZombie(pid) }
    }

    @Test("a wait that fails says what it waited for")
    func waitSaysWhat() async throws {
        await #expect {
            try await eventually("the moon", within: .milliseconds(50)) { false }
        } throws: { "\($0)".contains("for the moon (TestSupportTests/TestProcessTests.swift:") }
    }

    @Test("ports are different and free")
    func ports() throws {
        let ports = try (0..<50).map { _ in try FreePort.tcp() }
        #expect(Set(ports).count == 50)
        #expect(!ports.contains { FreePort.isListening(tcp: $0) })
    }

    @Test("the same seed gives the same numbers")
    func seeds() {
        var first = SeededRandom(seed: 7)
        var second = SeededRandom(seed: 7)
        #expect((0..<9).map { _ in first.next() } == (0..<9).map { _ in second.next() })
    }

    private func isZombie(_ pid: Int32) -> Bool {
        // The process that adopted it may reap it late.
        KernelFile.text("/proc/\(pid)/stat")?.contains(") Z ") == true
    }
}
