import DataPath
import FFmpeg
import Glibc
import SystemPackage
import SystemSupport

/// Stores the first slate of each channel, so that the next start of the service can show it at once and does not
/// render it.
///
/// A slate is found by the digest of its inputs. If any of them changed, the slate is rendered again.
package struct SlateStore: Sendable {
    private let folder: String

    /// - Parameters:
    ///   - folder: The folder of the slates. It need not exist.
    ///   - channels: The slates of other channels are removed.
    package init(folder: String, channels: [String]) {
        self.init(folder: folder)
        sweep { name in !channels.contains { Self.isSlate(name, of: $0) } }
    }

    /// Makes a store that removes no slate.
    init(folder: String) {
        self.folder = folder
    }

    /// Everything that determines what a slate looks like.
    struct Inputs: Sendable {
        private let joined: String

        /// - Parameters:
        ///   - command: The command, with any output.
        ///   - text: The text of the slate.
        ///   - identities: The identities of the image and the font, as ``FileLookup`` gives them.
        init(_ command: FFmpegCommand, by binary: FFmpegBinary, text: String?, identities: [String]) {
            joined = ([binary.path, binary.version.text, text ?? ""] + identities + command.arguments).joined(
                separator: "\0")
        }

        /// The 64-bit FNV-1a hash, in hexadecimal.
        var digest: String {
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            for byte in joined.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            let digits = String(hash, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
    }

    /// Reads a slate.
    ///
    /// - Returns: `nil` if none is stored.
    func read(_ inputs: Inputs, of channel: String, by disk: Disk) async -> [UInt8]? {
        let bytes = await disk.fetch(path(inputs.digest, channel), most: SlateClip.mostBytes)
        return bytes?.isEmpty == false ? bytes : nil
    }

    /// Stores a slate, and removes the channel's other ones. If it cannot be written, the next start renders it.
    func write(_ bytes: [UInt8], _ inputs: Inputs, of channel: String, by disk: Disk) async {
        try? await disk.storeSlate(bytes, in: folder, channel: channel, digest: inputs.digest)
    }

    /// Writes a slate in the child process. Waits for the disk without a limit.
    func write(_ bytes: [UInt8], _ digest: String, of channel: String) {
        guard (try? Folder.make(folder, for: "the service")) != nil else { return }
        let path = path(digest, channel)
        guard (try? DurableFile.write(bytes, to: path, permissions: [.ownerReadWrite, .groupRead, .otherRead])) != nil
        else { return }
        sweep { name in Self.isSlate(name, of: channel) && !path.hasSuffix("/" + name) }
    }

    func path(_ digest: String, _ channel: String) -> String { "\(folder)/\(channel)-\(digest).ts" }

    private static func isSlate(_ name: String, of channel: String) -> Bool {
        name.hasPrefix(channel + "-") && name.hasSuffix(".ts") && name.utf8.count == channel.utf8.count + 1 + 16 + 3
    }

    private func sweep(_ isGone: (String) -> Bool) {
        guard let directory = opendir(folder) else { return }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".ts") || name.hasSuffix(".new"), isGone(name) { unlink("\(folder)/\(name)") }
        }
    }
}
