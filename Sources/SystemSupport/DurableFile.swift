import Glibc
package import SystemPackage

/// Files that a power failure leaves complete.
package enum DurableFile {
    /// Writes a file next to its path, flushes it to the disk, and renames it. A power failure leaves either the old
    /// file or the new one.
    package static func write(_ bytes: some Sequence<UInt8>, to path: String, permissions: FilePermissions) throws {
        let temporary = path + ".new"
        do {
            let file = try FileDescriptor.open(
                temporary, .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: permissions)
            try file.closeAfter {
                try file.writeAll(bytes)
                guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
            }
            guard rename(temporary, path) == 0 else { throw Errno(rawValue: errno) }
        } catch {
            unlink(temporary)
            throw error
        }
    }
}
