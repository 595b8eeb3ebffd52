import FFmpeg
import Foundation
import MediaTypes
import TestSupport
import Testing

@testable import Supervision

@Suite struct SlateStoreTests {
    private let folder: TemporaryFolder
    private let binary: FFmpegBinary

    init() throws {
        folder = try TemporaryFolder()
        binary = FFmpegBinary(
            path: "/usr/bin/ffmpeg",
            capabilities: .complete(try #require(FFmpegVersion(output: "ffmpeg version 5.1\n"))))
    }

    private var slates: String { folder.path + "/state/slates" }
    private var files: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: slates)) ?? []).sorted() }

    private func recipe(width: Int = 640, words: String? = nil, image: String? = nil) -> SlateStore.Recipe {
        let command = SlateCommand(
            picture: .plain, codec: .h264, size: FrameSize(width: width, height: 360), rate: FrameRate(30), frames: 30,
            output: ""
        ).command()
        let identity = image.map { FileLookup.answer(for: $0) } ?? FileLookup.none
        return SlateStore.Recipe(command, by: binary, words: words, identities: [identity])
    }

    /// The stored bytes of a slate.
    private func kept(_ recipe: SlateStore.Recipe, of channel: String) -> [UInt8]? {
        let path = SlateStore(folder: slates).path(recipe.digest, channel)
        return FileManager.default.contents(atPath: path).map { [UInt8]($0) }
    }

    @Test("a slate is found as long as all of its recipe is the same")
    func found() throws {
        let image = folder.path + "/image.png"
        try "one".write(toFile: image, atomically: false, encoding: .utf8)
        let store = SlateStore(folder: slates, channels: ["main"])
        let made = recipe(words: "Back soon", image: image)
        store.write([1, 2, 3], made.digest, of: "main")
        #expect(kept(recipe(words: "Back soon", image: image), of: "main") == [1, 2, 3])
        #expect(kept(recipe(words: "Back later", image: image), of: "main") == nil)
        #expect(kept(recipe(width: 1280, words: "Back soon", image: image), of: "main") == nil)
        #expect(kept(made, of: "other") == nil)
        try "another".write(toFile: image, atomically: false, encoding: .utf8)
        #expect(kept(recipe(words: "Back soon", image: image), of: "main") == nil)
    }

    @Test("one slate is kept for each channel, none for a channel that was removed")
    func swept() {
        let store = SlateStore(folder: slates, channels: ["main", "main-2"])
        for width in [640, 1280] {
            for channel in ["main", "main-2"] { store.write([1], recipe(width: width).digest, of: channel) }
        }
        #expect(files == ["main-2-\(recipe(width: 1280).digest).ts", "main-\(recipe(width: 1280).digest).ts"].sorted())
        _ = SlateStore(folder: slates, channels: ["main"])
        #expect(files == ["main-\(recipe(width: 1280).digest).ts"])
    }

    @Test("a folder that cannot be made stores no slate and causes no error")
    func unwritable() throws {
        try "file".write(toFile: folder.path + "/state", atomically: false, encoding: .utf8)
        let store = SlateStore(folder: slates, channels: ["main"])
        store.write([1], recipe().digest, of: "main")
        #expect(kept(recipe(), of: "main") == nil)
    }
}
