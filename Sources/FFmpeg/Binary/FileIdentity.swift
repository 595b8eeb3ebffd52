import Glibc

/// The identity of a file. It differs between two files, and between a file before and after a write.
package struct FileIdentity: Codable, Sendable, Hashable, CustomStringConvertible {
    private let device: UInt64
    private let inode: UInt64
    private let size: Int64
    /// Nanoseconds since 1970. A program can set `modified` back, but not `changed`, which the kernel sets.
    private let modified: Int64
    private let changed: Int64

    /// - Returns: `nil` if there is no file.
    package init?(_ path: String) {
        var info = stat()
        guard stat(path, &info) == 0 else { return nil }
        device = UInt64(info.st_dev)
        inode = UInt64(info.st_ino)
        size = Int64(info.st_size)
        modified = Int64(info.st_mtim.tv_sec) * 1_000_000_000 + Int64(info.st_mtim.tv_nsec)
        changed = Int64(info.st_ctim.tv_sec) * 1_000_000_000 + Int64(info.st_ctim.tv_nsec)
    }

    package var description: String { "\(device):\(inode):\(size):\(modified):\(changed)" }
}
