import Glibc

/// Programs on disk.
enum ExecutableSearch {
    /// The first program of that name on `PATH`. `nil` if there is none.
    static func onPath(_ name: String, environment: [String: String]) -> String? {
        let path = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        // A relative entry would depend on the folder in which the service was started.
        return path.split(separator: ":").filter { $0.hasPrefix("/") }
            .map { "\($0)/\(name)" }
            .first(where: isProgram)
    }

    /// Whether it is a regular file that the service's user may execute.
    static func isProgram(_ path: String) -> Bool {
        var info = stat()
        guard stat(path, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { return false }
        return access(path, X_OK) == 0
    }
}
