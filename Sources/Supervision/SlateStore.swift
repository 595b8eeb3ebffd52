import DataPath
import FFmpeg
import Glibc
import SystemPackage

/// The first slate of each channel, kept over a restart: the next start shows it at once, and renders nothing.
///
/// A slate is found by what it was made of and by what; where anything of that is other, it is made anew.
public struct SlateStore: Sendable {
    private let folder: String

    /// - Parameters:
    ///   - folder: Need not be there.
    ///   - channels: Slates of others are removed.
    public init(folder: String, channels: [String]) {
        self.folder = folder
        sweep { name in !channels.contains { Self.isSlate(name, of: $0) } }
    }

    /// What a slate is made of.
    struct Recipe: Sendable {
        private let text: String

        /// - Parameters:
        ///   - command: With any output.
        ///   - words: What is written on it.
        ///   - identities: Those of the image and the font, as ``FileLook`` gives them.
        init(_ command: FFmpegCommand, by binary: FFmpegBinary, words: String?, identities: [String]) {
            text = ([binary.path, binary.version.text, words ?? ""] + identities + command.arguments).joined(separator: "\0")
        }

        /// 64-bit FNV-1a, in hexadecimal.
        var digest: String {
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            let digits = String(hash, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
    }

    /// - Returns: `nil` where there is none.
    func read(_ recipe: Recipe, of channel: String) -> [UInt8]? {
        guard let file = try? FileDescriptor.open(path(recipe, channel), .readOnly, options: [.closeOnExec]) else { return nil }
        defer { try? file.close() }
        guard let size = try? file.seek(offset: 0, from: .end), size > 0, size <= SlateClip.mostBytes else { return nil }
        let bytes = try? [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
            count = try file.read(fromAbsoluteOffset: 0, into: UnsafeMutableRawBufferPointer(buffer))
        }
        return bytes?.count == Int(size) ? bytes : nil
    }

    /// Keeps a slate in place of the channel's others. Where it cannot be written, the next start makes it.
    func write(_ bytes: [UInt8], _ recipe: Recipe, of channel: String) {
        guard (try? Folder.make(folder, for: "the service")) != nil else { return }
        let path = path(recipe, channel)
        guard (try? DurableFile.write(bytes, to: path, permissions: [.ownerReadWrite, .groupRead, .otherRead])) != nil else { return }
        sweep { name in Self.isSlate(name, of: channel) && !path.hasSuffix("/" + name) }
    }

    private func path(_ recipe: Recipe, _ channel: String) -> String { "\(folder)/\(channel)-\(recipe.digest).ts" }

    private static func isSlate(_ name: String, of channel: String) -> Bool {
        name.hasPrefix(channel + "-") && name.hasSuffix(".ts") && name.utf8.count == channel.utf8.count + 1 + 16 + 3
    }

    private func sweep(_ isGone: (String) -> Bool) {
        guard let directory = opendir(folder) else { return }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name.hasSuffix(".ts") || name.hasSuffix(".new"), isGone(name) { unlink("\(folder)/\(name)") }
        }
    }
}
