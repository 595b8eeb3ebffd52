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

    private func inputs(width: Int = 640, text: String? = nil, image: String? = nil) -> SlateStore.Inputs {
        let command = SlateCommand(
            picture: .plain, codec: .h264, size: FrameSize(width: width, height: 360), rate: FrameRate(30), frames: 30,
            output: ""
        ).command()
        let identity = image.map { FileLookup.answer(for: $0) } ?? FileLookup.none
        return SlateStore.Inputs(command, by: binary, text: text, identities: [identity])
    }

    /// The stored bytes of a slate.
    private func kept(_ inputs: SlateStore.Inputs, of channel: String) -> [UInt8]? {
        let path = SlateStore(folder: slates).path(inputs.digest, channel)
        return FileManager.default.contents(atPath: path).map { [UInt8]($0) }
    }

    @Test("a slate is found as long as all its inputs are the same")
    func found() throws {
        let image = folder.path + "/image.png"
        try "one".write(toFile: image, atomically: false, encoding: .utf8)
        let store = SlateStore(folder: slates, channels: ["main"])
        let made = inputs(text: "Back soon", image: image)
        store.write([1, 2, 3], made.digest, of: "main")
        #expect(kept(inputs(text: "Back soon", image: image), of: "main") == [1, 2, 3])
        #expect(kept(inputs(text: "Back later", image: image), of: "main") == nil)
        #expect(kept(inputs(width: 1280, text: "Back soon", image: image), of: "main") == nil)
        #expect(kept(made, of: "other") == nil)
        try "another".write(toFile: image, atomically: false, encoding: .utf8)
        #expect(kept(inputs(text: "Back soon", image: image), of: "main") == nil)
    }

    @Test("one slate is kept for each channel, none for a channel that was removed")
    func swept() {
        let store = SlateStore(folder: slates, channels: ["main", "main-2"])
        for width in [640, 1280] {
            for channel in ["main", "main-2"] { store.write([1], inputs(width: width).digest, of: channel) }
        }
        #expect(files == ["main-2-\(inputs(width: 1280).digest).ts", "main-\(inputs(width: 1280).digest).ts"].sorted())
        _ = SlateStore(folder: slates, channels: ["main"])
        #expect(files == ["main-\(inputs(width: 1280).digest).ts"])
    }

    @Test("a folder that cannot be made stores no slate and causes no error")
    func unwritable() throws {
        try "file".write(toFile: folder.path + "/state", atomically: false, encoding: .utf8)
        let store = SlateStore(folder: slates, channels: ["main"])
        store.write([1], inputs().digest, of: "main")
        #expect(kept(inputs(), of: "main") == nil)
    }
}
