import Glibc
import Status
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@testable import Supervision

/// A metrics file that is written repeatedly.
@Suite struct StatusFileChildTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A file whose child runs this script.
    private func file(_ script: String) throws -> StatusFileChild {
        let path = try folder.write("program", "#!/bin/sh\n\(script)\n", mode: 0o700)
        let program = OwnProgram(path: path, capabilities: .complete("5.1.6"), environment: [:])
        return Disk(program, logger: ServiceContext.silent).statusFile(folder.path("box.prom"))
    }

    /// Its calls block.
    private func write(_ text: String, to file: StatusFileChild) async -> String? {
        await BlockingIO.run { () -> String? in
            do {
                try file.write(Array(text.utf8))
                return nil
            } catch {
                return "\(error)"
            }
        }
    }

    @Test("a file in memory is written directly, and the child has ended")
    func inMemory() async throws {
        let file = try file(#"echo started >>"${0%/*}/log"; echo memory"#)
        for text in ["one\n", "two\n"] {
            #expect(await write(text, to: file) == nil)
            #expect(try folder.text("box.prom") == text)
        }
        #expect(try folder.text("log") == "started\n")
        await BlockingIO.run { file.remove() }
        #expect(!folder.names().contains("box.prom"))
    }

    @Test("a child answers each text, and is used for the next one")
    func answered() async throws {
        // Each text here has five bytes with its length.
        let file = try file(
            #"""
            echo started >>"${0%/*}/log"; echo disk
            /usr/bin/head -c 5 >/dev/null; echo
            /usr/bin/head -c 5 >/dev/null; echo "cannot publish"
            exec /bin/sleep 1000
            """#)
        #expect(await write("1", to: file) == nil)
        #expect(await write("2", to: file) == "cannot publish")
        #expect(try folder.text("log") == "started\n")
        file.end()
    }

    @Test("a child that ends is a failure of one text, and the next text has another child")
    func ended() async throws {
        let file = try file(#"echo started >>"${0%/*}/log"; exit 1"#)
        for _ in 0..<2 {
            #expect(await write("1", to: file)?.hasSuffix("the process that writes it has ended") == true)
        }
        #expect(try folder.text("log") == "started\nstarted\n")
    }

    @Test("a child that hangs blocks only its own thread, and is ended")
    func hanging() async throws {
        let file = try file(#"echo started >>"${0%/*}/log"; echo disk; exec /bin/sleep 1000"#)
        let writer = StatusFileWriter { try file.write($0) }
        #expect(await writer.publish([1], within: .milliseconds(50)) == .busy)
        #expect(await writer.publish([2], within: .milliseconds(1)) == .busy)
        file.end()
        // Its end frees the thread: the next text has another child.
        try await eventually("another child") { () async throws -> Bool in
            _ = await writer.publish([3], within: .milliseconds(50))
            return try folder.text("log") == "started\nstarted\n"
        }
        file.end()
    }

    @Test("the child publishes text after text, and removes the file when asked to")
    func published() throws {
        let path = folder.path("box.prom")
        let texts = [Array("one\n".utf8), [UInt8](repeating: 65, count: 200_000)]
        let input = texts.flatMap { StatusFileTask.header($0.count) + $0 }
        for (bytes, file) in [(input, true), (input + StatusFileTask.farewell, false)] {
            let given = try FileDescriptor.open(try folder.write("given", bytes: bytes), .readOnly)
            defer { try? given.close() }
            let answered = try FileDescriptor.open(try folder.write("answer", ""), .writeOnly)
            defer { try? answered.close() }
            StatusFileTask(path: path).run(input: given, output: answered)
            let answer = try folder.text("answer")
            // If the folder for temporary files is in memory, there is nothing to do.
            guard answer != "memory\n" else { continue }
            #expect(answer == "disk\n" + String(repeating: "\n", count: file ? 2 : 3))
            #expect(folder.names().contains("box.prom") == file)
            if file { #expect(try folder.read("box.prom") == texts[1]) }
        }
    }

    @Test("a file system in memory is recognized", .enabled(if: access("/dev/shm", W_OK) == 0, "needs /dev/shm"))
    func memory() throws {
        let given = try FileDescriptor.open("/dev/null", .readOnly)
        defer { try? given.close() }
        for (path, word) in [("/dev/shm/box.prom", "memory\n"), ("/proc/self/box.prom", "disk\n")] {
            let answered = try FileDescriptor.open(try folder.write("answer", ""), .writeOnly)
            defer { try? answered.close() }
            StatusFileTask(path: path).run(input: given, output: answered)
            #expect(try folder.text("answer") == word)
        }
    }
}
