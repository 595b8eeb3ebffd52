import Glibc
import TestSupport
import Testing

@testable import Supervision

@Suite struct RecordingPrunerTests {
    private func file(_ name: String, _ bytes: Int64, _ changed: Int64) -> RecordingPruner.File {
        .init(path: name, bytes: bytes, changed: changed)
    }

    @Test("too many bytes -> the oldest files go until the rest fits")
    func oldestFirst() {
        let files = [file("b", 40, 2), file("d", 40, 4), file("a", 40, 1), file("c", 40, 3)]
        #expect(RecordingPruner.surplus(files, most: 100).map(\.path).sorted() == ["a", "b"])
        #expect(RecordingPruner.surplus(files, most: 120).map(\.path) == ["a"])
        #expect(RecordingPruner.surplus(files, most: 160) == [])
        #expect(RecordingPruner.surplus([], most: 0) == [])
    }

    @Test("the newest file alone is too large -> it stays")
    func newestStays() {
        let files = [file("old", 1, 1), file("new", 1000, 2)]
        #expect(RecordingPruner.surplus(files, most: 10).map(\.path) == ["old"])
        #expect(RecordingPruner.surplus([file("new", 1000, 2)], most: 10) == [])
    }

    @Test("files changed in the same moment -> the later name is the newer one")
    func sameMoment() {
        let files = [file("x-20260101-000002.ts", 60, 5), file("x-20260101-000001.ts", 60, 5)]
        #expect(RecordingPruner.surplus(files, most: 100).map(\.path) == ["x-20260101-000001.ts"])
    }

    @Test("a folder has other files -> only the recording's own segments count")
    func ownFiles() throws {
        let folder = try TemporaryFolder()
        try folder.write("show-20260131-235959.ts", "12345")
        try folder.write("show-20260131-235959-2.ts", "123")
        for other in [
            "show-20260131.ts", "show2-20260131-235959.ts", "other-20260131-235959.ts", "show-20260131-235959.mp4",
            "notes.txt",
        ] {
            try folder.write(other, "x")
        }
        try folder.makeFolder("show-20260131-235958.ts")
        symlink("/etc/passwd", folder.path("show-20260131-235957.ts"))
        let pruner = RecordingPruner(folder: folder.path, name: "show", most: 0)
        let found = pruner.recordings()
        #expect(
            Set(found.map(\.path)) == [
                folder.path("show-20260131-235959.ts"), folder.path("show-20260131-235959-2.ts"),
            ])
        #expect(found.map(\.bytes).sorted() == [3, 5])
    }

    @Test("a folder is missing -> no recordings")
    func noFolder() {
        #expect(RecordingPruner(folder: "/nonexistent", name: "show", most: 0).recordings() == [])
    }

    @Test("no bound, and a folder that comes later -> nothing is removed")
    func unbounded() async throws {
        let folder = try TemporaryFolder()
        let pruner = RecordingPruner(folder: folder.path("later"), name: "show", most: Int?.none)
        let task = Task { await pruner.run() }
        try folder.makeFolder("later")
        for second in 1...3 { try folder.write("later/show-20260101-00000\(second).ts", "1234567890") }
        try await Task.sleep(for: .milliseconds(2500))
        #expect(folder.names(in: "later").count == 3)
        task.cancel()
        await task.value
    }

    @Test("the clock is behind, or set back -> the file that is being written stays")
    func clockBehind() throws {
        let folder = try TemporaryFolder()
        func record(_ name: String, _ text: String, at second: Int) throws {
            let path = try folder.write(name, text)
            var times = [timespec(tv_sec: second, tv_nsec: 0), timespec(tv_sec: second, tv_nsec: 0)]
            utimensat(AT_FDCWD, path, &times, 0)
        }
        let (old, last, now, next) = (
            "show-20260101-000001.ts", "show-20260101-000002.ts", "show-19700101-000001.ts", "show-19691231-235900.ts"
        )
        try record(old, "1234567890", at: 1000)
        try record(last, "1234567890", at: 1001)
        try record(now, "1", at: 3)
        let pruner = RecordingPruner(folder: folder.path, name: "show", most: 25)
        var memory = pruner.keep(.init())
        try record(now, "1234567890", at: 4)
        memory = pruner.keep(memory)
        #expect(folder.names() == [now, last].sorted())
        // The next segment, and so before it has grown.
        try record(next, "1234567890", at: 1)
        memory = pruner.keep(memory)
        #expect(folder.names() == [next, now].sorted())
        memory = pruner.keep(memory)
        try record(next, "12345678901234567890", at: 2)
        _ = pruner.keep(memory)
        #expect(folder.names() == [next])
    }

    @Test("a bound is exceeded -> surplus files go, and no others")
    func removes() async throws {
        let folder = try TemporaryFolder()
        for (index, name) in ["show-20260101-000001.ts", "show-20260101-000002.ts", "show-20260101-000003.ts"]
            .enumerated()
        {
            let path = try folder.write(name, "1234567890")
            var times = [timespec(tv_sec: 1000 + index, tv_nsec: 0), timespec(tv_sec: 1000 + index, tv_nsec: 0)]
            utimensat(AT_FDCWD, path, &times, 0)
        }
        try folder.write("mine.txt", "1234567890")
        let pruner = RecordingPruner(folder: folder.path, name: "show", most: 15)
        let task = Task { await pruner.run() }
        try await eventually("the old ones to go") { folder.names() == ["mine.txt", "show-20260101-000003.ts"] }
        task.cancel()
        await task.value
    }
}
