import Foundation
import Status
import Synchronization
import TestSupport
import Testing

/// The metrics file.
@Suite struct StatusFileTests {
    @Test("a text is published whole and readable for all, until it is removed")
    func published() throws {
        let folder = try TemporaryFolder()
        let file = StatusFile(path: folder.path("box.prom"))
        for text in ["one\n", String(repeating: "two\n", count: 100_000), "three\n"] {
            try file.write(Array(text.utf8))
            #expect(try folder.text("box.prom") == text)
            #expect(folder.names() == ["box.prom"])
        }
        #expect(try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int == 0o644)
        file.remove()
        #expect(folder.names() == [])
    }

    @Test("an obstructed path throws an error with the fix, and the text stays")
    func obstacles() throws {
        let folder = try TemporaryFolder()
        let file = StatusFile(path: folder.path("box.prom"))
        try file.write(Array("first\n".utf8))
        for obstacle in ["pipe", "link", "folder"] {
            let place = folder.path("box.prom.new")
            switch obstacle {
            case "pipe": mkfifo(place, 0o600)
            case "link": symlink(folder.path("elsewhere"), place)
            default: mkdir(place, 0o700)
            }
            let error = #expect(throws: StatusFile.WriteError.self) { try file.write(Array("second\n".utf8)) }
            #expect(error?.description.contains(file.path) == true, "\(obstacle)")
            #expect(try folder.text("box.prom") == "first\n" && !folder.names().contains("elsewhere"))
            try FileManager.default.removeItem(atPath: place)
        }
        // A pipe in place of the file is replaced without waiting for a reader.
        try FileManager.default.removeItem(atPath: file.path)
        mkfifo(file.path, 0o600)
        try file.write(Array("third\n".utf8))
        #expect(try folder.text("box.prom") == "third\n")
        let missing = #expect(throws: StatusFile.WriteError.self) {
            try StatusFile(path: folder.path("none/box.prom")).write([])
        }
        #expect(missing?.description.contains("No such file or directory; create its folder") == true)
    }

    @Test(
        "a disk that hangs blocks one attempt, and the end waits up to its limit"
    )
    func hung() async throws {
        let gate = DispatchSemaphore(value: 0)
        let attempts = Mutex(0)
        let writer = StatusFileWriter { _ in
            attempts.withLock { $0 += 1 }
            gate.wait()
        }
        for _ in 0..<20 { #expect(await writer.publish([], within: .milliseconds(1)) == .busy) }
        #expect(attempts.withLock { $0 } <= 1)
        await writer.finish(within: .milliseconds(1)) {}
        gate.signal()
        try await eventually("the disk to answer") {
            gate.signal()
            return await writer.publish([], within: Limit.seconds(10)) == .written
        }
    }
}
