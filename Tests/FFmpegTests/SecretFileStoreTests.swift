import Glibc
import SystemPackage
import Testing

@testable import FFmpeg

@Suite struct SecretFileStoreTests {
    private func mode(_ path: String) -> UInt32 {
        var info = stat()
        return stat(path, &info) == 0 ? info.st_mode & 0o777 : 0
    }

    @Test("files and their folder are for the owner alone, and go when told to")
    func lifetime() throws {
        let scratch = Scratch()
        let folder = scratch.file("secrets")
        let file = try SecretFile.preset([("passphrase", "0123456789")])
        let store = try SecretFileStore.write([file], folder: folder)
        let path = try #require(store.paths[file.token])
        #expect(mode(folder) == 0o700 && mode(path) == 0o600)
        #expect(try contents(path) == Array("passphrase=0123456789\n".utf8))
        store.remove()
        #expect(Scratch.names(folder).isEmpty)
    }

    @Test("a folder that others may look into is refused, and so is a link to one")
    func openFolder() throws {
        let scratch = Scratch()
        let file = try SecretFile.preset([("passphrase", "0123456789")])
        mkdir(scratch.file("open"), 0o700)
        chmod(scratch.file("open"), 0o755)
        symlink(scratch.path, scratch.file("link"))
        for folder in ["open", "link", "missing/below"] {
            let failure = #expect(throws: SecretFileStore.Failure.self) {
                try SecretFileStore.write([file], folder: scratch.file(folder))
            }
            #expect(failure?.description.contains("0123456789") == false)
        }
        #expect(Scratch.names(scratch.file("open")).isEmpty)
    }
}
