import Glibc
import SystemPackage

/// Writes secret files for one process and removes them again.
struct SecretFileStore {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Token → path.
    let paths: [String: String]

    /// - Parameter folder: created 0700 when it is missing; refused when others may look into it.
    static func write(_ files: [SecretFile], folder: String) throws(Failure) -> SecretFileStore {
        guard !files.isEmpty else { return SecretFileStore(paths: [:]) }
        try prepare(folder)
        var paths: [String: String] = [:]
        do throws(Failure) {
            for file in files {
                let path = "\(folder)/\(unusedName()).\(file.kind.rawValue)"
                paths[file.token] = path
                try write(file.contents, to: path)
            }
        } catch {
            SecretFileStore(paths: paths).remove()
            throw error
        }
        return SecretFileStore(paths: paths)
    }

    func remove() {
        for path in paths.values { unlink(path) }
    }

    private static func prepare(_ folder: String) throws(Failure) {
        if mkdir(folder, 0o700) != 0, errno != EEXIST {
            throw Failure(description: "the folder \(folder) for secrets cannot be made: \(Errno(rawValue: errno))")
        }
        var info = stat()
        guard lstat(folder, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else {
            throw Failure(description: "\(folder), the place for secrets, is not a folder")
        }
        guard info.st_uid == geteuid(), info.st_mode & 0o077 == 0 else {
            throw Failure(description: "the folder \(folder) for secrets is open to others: chmod 700 it")
        }
    }

    private static func write(_ contents: String, to path: String) throws(Failure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw Failure(description: "the secret file \(path) cannot be made: \(Errno(rawValue: errno))")
        }
        let file = FileDescriptor(rawValue: descriptor)
        defer { try? file.close() }
        do {
            try file.writeAll(contents.utf8)
        } catch {
            throw Failure(description: "the secret file \(path) cannot be written: \(error)")
        }
    }

    private static func unusedName() -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        return String((0..<16).map { _ in letters.randomElement()! })
    }
}
