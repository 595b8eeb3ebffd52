import Glibc

/// Folders that the service writes to.
public enum Folder {
    /// Makes a folder, and those above it, unless it is there; it must take files.
    ///
    /// - Parameters:
    ///   - mode: Its permissions, as of `chmod`.
    ///   - purpose: For whom, as it stands in the message.
    public static func make(_ path: String, mode: UInt32 = 0o755, for purpose: String) throws(StartError) {
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
        // Root may write where the file system does not let anybody, so a file is made.
        var name = Array("\(path)/.streambox-XXXXXX".utf8CString)
        let file = mkstemp(&name)
        guard file >= 0 else {
            throw StartError("\(purpose) cannot write to the folder \(path): \(String(cString: strerror(errno)))")
        }
        close(file)
        unlink(name)
    }
}
