import Glibc

/// systemd's journal as the reader of what we write.
enum Journal {
    /// Whether the descriptor is the stream that systemd says leads to the journal: `JOURNAL_STREAM` is inherited by
    /// programs whose output has been led elsewhere.
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
