import Foundation

/// A file in `/proc` or `/sys`, whose contents the kernel makes while it is read.
///
/// Foundation ends at the first short read of a file of unknown size (`FileManager.contents(atPath:)`,
/// `Data(contentsOf:)` and `String(contentsOfFile:)` of Swift 6.3). The kernel returns such a file a page at a time, so
/// Foundation reads only the first 4 KiB: 27 rows of `/proc/net/tcp`.
package enum KernelFile {
    /// Reads to the end of the file.
    ///
    /// - Returns: `nil` if the file does not exist or its process has ended.
    package static func bytes(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(file, &piece, piece.count)
            if count == 0 { return bytes }
            if count > 0 { bytes.append(contentsOf: piece[..<count]) } else if errno != EINTR { return nil }
        }
    }

    /// Reads to the end of the file, as text.
    package static func text(_ path: String) -> String? { bytes(path).map { String(decoding: $0, as: UTF8.self) } }
}
