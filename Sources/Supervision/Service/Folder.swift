import Glibc

/// Creates and checks the folders that the service writes to.
package enum Folder {
    /// Creates a folder and its parents if they do not exist, and checks that it accepts files.
    ///
    /// - Parameters:
    ///   - mode: Its permissions, as for `chmod`.
    ///   - isOwn: Whether only this user and root may put or replace files in it: one of them owns it, and others may
    ///     not write to it.
    ///   - purpose: The part of the service that uses the folder, for the error sentence.
    package static func make(_ path: String, mode: UInt32 = 0o755, isOwn: Bool = false, for purpose: String)
        throws(StartError)
    {
        var made = path.hasPrefix("/") ? "" : "."
        let parts = path.split(separator: "/")
        for (index, part) in parts.enumerated() {
            made += "/" + part
            // The mode is for the folder itself. Its parents need no protection.
            guard mkdir(made, index == parts.count - 1 ? mode : 0o755) == 0 || errno == EEXIST else {
                throw StartError(
                    """
                    \(purpose) cannot create the folder \(path): \(String(cString: strerror(errno))); create it and \
                    let the service's user write to it
                    """)
            }
        }
        var info = stat()
        guard stat(path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else {
            throw StartError(
                "\(purpose) needs the folder \(path), but a file has that name; remove it, or set another folder")
        }
        if isOwn {
            guard info.st_uid == geteuid() || info.st_uid == 0 else {
                throw StartError(
                    """
                    \(purpose) needs a folder of its own, but \(path) belongs to user number \(info.st_uid), who \
                    could replace its files; choose another with `runtime:`
                    """
                )
            }
            guard info.st_mode & 0o022 == 0 else {
                throw StartError(
                    """
                    \(purpose) needs a folder of its own, but others may write to \(path) and replace its files; \
                    run: chmod go-w \(path)
                    """
                )
            }
        }
        close(try temporary(in: path, for: purpose))
    }

    /// Checks that a folder's disk has enough room, because an empty file is no recording.
    ///
    /// - Parameter bytes: The room that is needed.
    static func checkRoom(in path: String, bytes: Int, for purpose: String) throws(StartError) {
        let file = try temporary(in: path, for: purpose)
        defer { close(file) }
        // Not every file system can reserve room. On others the disk fills up only when it is written to.
        let error = posix_fallocate(file, 0, off_t(bytes))
        guard error == ENOSPC || error == EDQUOT || error == EFBIG else { return }
        throw StartError("\(purpose) has no room in \(path): the disk is full; free some room, or set `keep` lower")
    }

    /// Creates a file without a name.
    private static func temporary(in path: String, for purpose: String) throws(StartError) -> CInt {
        // A real file, because root passes a permission check even where the file system accepts no files.
        var name = Array("\(path)/.streambox-XXXXXX".utf8CString)
        let file = mkstemp(&name)
        guard file >= 0 else {
            throw StartError(
                """
                \(purpose) cannot write to the folder \(path): \(String(cString: strerror(errno))); let the service's \
                user write to it
                """)
        }
        unlink(name)
        return file
    }
}
