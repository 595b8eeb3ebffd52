import FFmpeg
import Glibc
import TestSupport
import Testing

@testable import Supervision

/// Tasks in the folder of a recording, and the child processes that carry them out.
@Suite struct RecordingFolderTests {
    @Test("the words of a task -> that task")
    func words() throws {
        for task in [RecordingTask.take, .tidy(take: 3), .keep(most: nil), .keep(most: 20_000_000_000)] {
            let words = task.arguments(folder: "/srv/-rec x", name: "show")
            #expect(Array(words[..<2]) == ["recording", "--"] && Array(words[3...4]) == ["/srv/-rec x", "show"])
            #expect(RecordingTask(words[2], number: words.count > 5 ? Int64(words[5]) : nil) == task)
        }
        #expect(RecordingTask("dance", number: nil) == nil && RecordingTask("tidy", number: nil) == nil)
    }

    @Test("take -> the folder and the next number; tidy -> no empty files of that take")
    func tasks() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("a/b")
        #expect(try await RecordingTask.take.run(folder: path, name: "show") == "0")
        #expect(folder.names(in: "a") == ["b"] && folder.names(in: "a/b") == [])
        try folder.write("a/b/show-20260101-000001.ts", "")
        try folder.write("a/b/show-20260101-000002.ts", "x")
        #expect(try await RecordingTask.take.run(folder: path, name: "show") == "1")
        _ = try await RecordingTask.tidy(take: 0).run(folder: path, name: "show")
        #expect(folder.names(in: "a/b") == ["show-20260101-000002.ts"])
        let error = await #expect(throws: StartError.self) {
            try await RecordingTask.take.run(folder: "/proc/self", name: "show")
        }
        #expect(error?.description.hasPrefix("target show cannot write to the folder /proc/self: ") == true)
    }

    /// A folder whose children are this script.
    private func recording(_ script: String, in folder: TemporaryFolder) throws -> RecordingFolder {
        var context = ServiceContext.none()
        context.program = try folder.write("program", "#!/bin/sh\n\(script)\n", mode: 0o700)
        return RecordingFolder("/srv/rec", name: "show", context: context, logger: ServiceContext.silent)
    }

    private func problem(_ recording: RecordingFolder) async -> String? {
        do {
            let take = try await recording.take()
            return "take \(take)"
        } catch {
            return error.description
        }
    }

    @Test("a child answers -> the number of the take, or the reason that there is none")
    func answers() async throws {
        let folder = try TemporaryFolder()
        let right = try recording(#"[ "$*" = "recording -- take /srv/rec show" ] && echo 7"#, in: folder)
        #expect(await problem(right) == "take 7")
        let full = try recording("printf 'target show has no room'; exit 1", in: folder)
        #expect(await problem(full) == "target show has no room")
        let broken = try recording("exit 3", in: folder)
        #expect(await problem(broken)?.contains("cannot look at the folder /srv/rec") == true)
        let killed = try recording("kill -9 $$", in: folder)
        #expect(await problem(killed)?.contains("does not answer") == true)
    }

    @Test("a pruning child starts with the bound, and ends when asked to")
    func keeps() async throws {
        let folder = try TemporaryFolder()
        let prunedFolder = try recording(#"echo "$*" >"${0%/*}/words"; exec /bin/sleep 1000"#, in: folder)
        let pruning = Task { await prunedFolder.prune(most: 5000) }
        try await eventually("the child") { (try? folder.text("words"))?.hasSuffix("\n") == true }
        #expect(try folder.text("words") == "recording -- keep /srv/rec show 5000\n")
        prunedFolder.endPruning()
        await pruning.value
    }

    @Test("the task is cancelled -> the pruning child ends")
    func cancelled() async throws {
        let folder = try TemporaryFolder()
        let prunedFolder = try recording(#"echo $$ >"${0%/*}/pid"; exec /bin/sleep 1000"#, in: folder)
        let pruning = Task { await prunedFolder.prune(most: nil) }
        let pid = try await eventually("the child") {
            (try? folder.text("pid")).flatMap { Int32($0.split(separator: "\n").first ?? "") }
        }
        pruning.cancel()
        await pruning.value
        try await eventually("the child to be gone") { kill(pid, 0) != 0 }
    }
}
