import CLinux
import Status
import SystemPackage

/// The work of the child of a ``StatusFileChild``: it says where the file is, then publishes each text that it
/// receives, and answers each with a line, which is empty after a success.
struct StatusFileTask {
    let path: String

    /// The first line if the file is in memory.
    static let inMemory = "memory"
    private static let onDisk = "disk"
    /// The most bytes of a line.
    static let longestLine = 16 << 10
    /// The most bytes of a text.
    private static let longestText = 64 << 20

    /// The bytes before a text: its length in four bytes, the most significant first.
    static func header(_ count: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) } }
    /// Requests the removal of the file.
    static let farewell = header(0xFFFF_FFFF)

    func run(input: FileDescriptor, output: FileDescriptor) {
        let file = StatusFile(path: path)
        guard say(isInMemory ? Self.inMemory : Self.onDisk, to: output), !isInMemory else { return }
        while let header = read(4, from: input) {
            guard header != Self.farewell else {
                file.remove()
                _ = say("", to: output)
                return
            }
            let count = header.reduce(0) { $0 << 8 | Int($1) }
            guard count <= Self.longestText, let text = read(count, from: input) else { return }
            var answer = ""
            do {
                try file.write(text)
            } catch {
                answer = error.description.replacing("\n", with: " ")
            }
            guard say(answer, to: output) else { return }
        }
    }

    /// Whether the folder is in memory. A missing folder counts as one on a disk, because it may be created later.
    private var isInMemory: Bool {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        return is_in_memory(folder) == 1
    }

    private func say(_ line: String, to output: FileDescriptor) -> Bool {
        (try? output.writeAll((line + "\n").utf8)) != nil
    }

    /// - Returns: `nil` at the end of the input.
    private func read(_ count: Int, from input: FileDescriptor) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        var piece = [UInt8](repeating: 0, count: min(max(count, 1), 1 << 16))
        while bytes.count < count {
            let wanted = min(piece.count, count - bytes.count)
            let got = piece.withUnsafeMutableBytes { buffer in
                (try? input.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))) ?? 0
            }
            guard got > 0 else { return nil }
            bytes += piece.prefix(got)
        }
        return bytes
    }
}
