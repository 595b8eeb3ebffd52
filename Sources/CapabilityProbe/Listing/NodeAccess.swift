import Glibc

/// Checks whether this process may open a device node, and says what to do if it may not.
package enum NodeAccess {
    /// - Returns: What to do. `nil` if this process may open the node.
    package static func problem(_ path: String) -> String? {
        guard access(path, R_OK | W_OK) != 0 else { return nil }
        let reason = errno
        guard reason == EACCES || reason == EPERM else { return "\(path): \(String(cString: strerror(reason)))" }
        if reason == EPERM { return policy(path) }
        var info = stat()
        guard stat(path, &info) == 0 else { return advice(path, group: nil, mode: 0) }
        let group =
            info.st_gid == 0
            ? nil : getgrgid(info.st_gid).map { String(cString: $0.pointee.gr_name) } ?? "\(info.st_gid)"
        return advice(path, group: group, mode: info.st_mode)
    }

    /// Returns the sentence for a node whose owner and mode allow this user to open it, if a policy of the system does
    /// not.
    package static func policy(_ path: String) -> String {
        """
        \(path): a device policy of this service denies access; allow it (systemd: DeviceAllow=\(path) rw; in a \
        container: --device \(path))
        """
    }

    /// Returns the sentence for a node whose owner or mode does not allow this user to open it.
    ///
    /// - Parameters:
    ///   - group: The node's group. `nil` if it is root's group, because no user should be added to that one.
    ///   - mode: The node's permissions.
    package static func advice(_ path: String, group: String?, mode: UInt32) -> String {
        guard let group else {
            return "\(path): this user may not open it, only root may; add a udev rule that gives it to a group"
        }
        guard mode & 0o060 == 0o060 else {
            return
                """
                \(path): this user may not open it, and its group \(group) may not either; add a udev rule that sets \
                mode 0660
                """
        }
        return "\(path): this user may not open it; add it to the group \(group)"
    }
}
