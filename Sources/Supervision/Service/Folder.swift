import Glibc

/// Folders that the service writes to.
package enum Folder {
    /// Makes a folder, and those above it, unless it is there; it must take files.
    ///
    /// - Parameters:
    ///   - mode: Its permissions, as of `chmod`.
    ///   - isOwn: Nobody else may put or replace anything in it: it belongs to this user or root, and others may not
    ///     write to it.
    ///   - purpose: For whom, as it stands in the message.
    package static func make(_ path: String, mode: UInt32 = 0o755, isOwn: Bool = false, for purpose: String)
        throws(StartError)
    {
        var made = path.hasPrefix("/") ? "" : "."
        let parts = path.split(separator: "/")
        for (index, part) in parts.enumerated() {
            made += "/" + part
            // The mode is for the folder itself; those above it are nobody's secret.
            guard mkdir(made, index == parts.count - 1 ? mode : 0o755) == 0 || errno == EEXIST else {
                throw StartError("\(purpose) cannot make the folder \(path): \(String(cString: strerror(errno)))")
            }
        }
        var info = stat()
        guard stat(path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else {
            throw StartError("\(purpose) needs the folder \(path), but something else has that name")
        }
        if isOwn {
            guard info.st_uid == geteuid() || info.st_uid == 0 else {
                throw StartError(
                    """
                    \(purpose) needs a folder of its own, but \(path) belongs to user number \(info.st_uid), who \
                    could replace what is in it; choose another with `runtime:`
                    """
                )
            }
            guard info.st_mode & 0o022 == 0 else {
                throw StartError(
                    """
                    \(purpose) needs a folder of its own, but others may write to \(path) and replace what is in \
                    it; run: chmod go-w \(path)
                    """
                )
            }
        }
        close(try temporary(in: path, for: purpose))
    }

    /// Checks that a folder's disk has room for more than a moment: a file of nothing is no recording.
    ///
    /// - Parameter bytes: How much is to fit.
    static func checkRoom(in path: String, bytes: Int, for purpose: String) throws(StartError) {
        let file = try temporary(in: path, for: purpose)
        defer { close(file) }
        // Not every file system knows how to reserve, and then it finds out by writing.
        let error = posix_fallocate(file, 0, off_t(bytes))
        guard error == ENOSPC || error == EDQUOT || error == EFBIG else { return }
        throw StartError("\(purpose) has no room in \(path): the disk is full; free some room, or set `keep` lower")
    }

    /// A file without a name.
    private static func temporary(in path: String, for purpose: String) throws(StartError) -> CInt {
        // Root may write where the file system does not let anybody, so a file is made.
        var name = Array("\(path)/.streambox-XXXXXX".utf8CString)
        let file = mkstemp(&name)
        guard file >= 0 else {
            throw StartError("\(purpose) cannot write to the folder \(path): \(String(cString: strerror(errno)))")
        }
        unlink(name)
        return file
    }
}
