import TestSupport
import Testing

@testable import Supervision

/// How the service looks for a file whose disk may hang.
@Suite struct FileLookupTests {
    /// The result if the child is this script.
    private func look(_ script: String, in folder: TemporaryFolder) async throws -> FileLookup {
        var context = ServiceContext.none()
        context.program = try folder.write("program", "#!/bin/sh\n\(script)\n", mode: 0o700)
        return await context.disk.lookUp("/mnt/-image x.png")
    }

    @Test("a silent disk, a failed child and an answer give three different results")
    func answers() async throws {
        let folder = try TemporaryFolder()
        let right = #"[ "$*" = "disk -- look /mnt/-image x.png" ] && echo 1:2:3"#
        #expect(try await look(right, in: folder) == .found("1:2:3"))
        #expect(try await look("kill -9 $$", in: folder) == .silent)
        #expect(try await look("exit 1", in: folder) == .unknown)
        #expect(try await look("exit 0", in: folder) == .unknown)
    }

    @Test("the answer for a file changes with the file")
    func identity() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("image.png")
        #expect(FileLookup.answer(for: path) == FileLookup.none)
        try folder.write("image.png", "one")
        let first = FileLookup.answer(for: path)
        try folder.write("image.png", "another")
        #expect(first != FileLookup.none && FileLookup.answer(for: path) != first)
    }
}
