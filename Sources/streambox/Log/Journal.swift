import Glibc

/// Detects whether systemd's journal reads the output of this process.
enum Journal {
    /// Whether the descriptor is the stream that `JOURNAL_STREAM` names. The variable alone proves nothing: programs
    /// inherit it even if their output is redirected.
    static func reads(_ descriptor: CInt, environment: [String: String]) -> Bool {
        guard let stream = environment["JOURNAL_STREAM"] else { return false }
        let numbers = stream.split(separator: ":", omittingEmptySubsequences: false).map { UInt64($0) }
        var info = stat()
        guard numbers.count == 2, let device = numbers[0], let inode = numbers[1], fstat(descriptor, &info) == 0 else {
            return false
        }
        return UInt64(info.st_dev) == device && UInt64(info.st_ino) == inode
    }
}
