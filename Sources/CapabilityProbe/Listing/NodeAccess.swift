import Glibc

/// Whether this process may open a device node, and what to do when it may not.
enum NodeAccess {
    /// - Returns: `nil` when it may.
    static func problem(_ path: String) -> String? {
        guard access(path, R_OK | W_OK) != 0 else { return nil }
        let reason = errno
        guard reason == EACCES || reason == EPERM else { return "\(path): \(String(cString: strerror(reason)))" }
        var info = stat()
        guard stat(path, &info) == 0, let group = getgrgid(info.st_gid) else { return "\(path): this user may not open it" }
        return "\(path): this user may not open it; add it to the group \(String(cString: group.pointee.gr_name))"
    }
}
