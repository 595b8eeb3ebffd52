import Glibc

/// A small file that is read as a whole.
struct LocalFile {
    let bytes: [UInt8]
    /// Whether neither the group nor other users have any permission on it.
    let ownerOnly: Bool
    /// Whether every user who may enter its folder may read it.
    let isForAll: Bool
    /// The number of the user that owns it.
    let owner: uid_t

    struct Failure: Error {
        let isMissing: Bool
        /// A sentence without its subject.
        let message: String
    }

    /// Reads the regular file at `path` unless it has more than `limit` bytes.
    static func read(_ path: String, limit: Int) throws(Failure) -> LocalFile {
        // O_NONBLOCK: opening a FIFO by mistake must not wait for its writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure(errno) }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw failure(errno) }
        switch information.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw Failure(isMissing: false, message: "is a folder, not a file")
        default: throw Failure(isMissing: false, message: "is not a regular file")
        }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: min(limit + 1, 65536))
        while bytes.count <= limit {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw failure(errno)
            }
            if count == 0 { break }
            bytes.append(contentsOf: buffer[..<count])
        }
        guard bytes.count <= limit else {
            throw Failure(isMissing: false, message: "is too large; at most \(sizeText(limit)) are read")
        }
        return LocalFile(
            bytes: bytes, ownerOnly: information.st_mode & 0o077 == 0, isForAll: information.st_mode & S_IROTH != 0,
            owner: information.st_uid)
    }

    /// Whether the file exists, and its group or other users have a permission on it.
    static func isOpenToOthers(_ path: String) -> Bool {
        var information = stat()
        return stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
            && information.st_mode & 0o077 != 0
    }

    /// Why the regular file at `path` cannot be read, as a sentence without its subject. `nil` if it can be read.
    static func objection(to path: String) -> String? {
        var information = stat()
        guard stat(path, &information) == 0 else { return failure(errno).message }
        if information.st_mode & S_IFMT == S_IFDIR { return "is a folder, not a file" }
        guard access(path, R_OK) == 0 else { return failure(errno).message }
        return nil
    }

    private static func sizeText(_ bytes: Int) -> String {
        bytes % 1_048_576 == 0 ? "\(bytes / 1_048_576) MiB" : "\(bytes) bytes"
    }

    private static func failure(_ code: Int32) -> Failure {
        switch code {
        case ENOENT: Failure(isMissing: true, message: "does not exist")
        case EACCES, EPERM:
            Failure(isMissing: false, message: "cannot be read: permission denied; give this user the right to read it")
        case ENOTDIR: Failure(isMissing: true, message: "does not exist: a part of its path is not a folder")
        case ELOOP: Failure(isMissing: false, message: "cannot be read: too many symbolic links")
        case ENAMETOOLONG: Failure(isMissing: false, message: "cannot be read: the path is too long")
        default: Failure(isMissing: false, message: "cannot be read: \(String(cString: strerror(code)))")
        }
    }
}
