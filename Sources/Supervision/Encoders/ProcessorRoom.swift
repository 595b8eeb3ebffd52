import Glibc

/// Tells whether the processors have room for a better preset.
///
/// The next better preset takes at most twice the time of the present one, decoder and scaler included. So as much time
/// as the encoder uses now has to be idle. Idle time beyond the limit of a container cannot be used, and that limit is
/// not known here. A preset that is too slow for that reason is detected when it is tried.
enum ProcessorRoom {
    /// What the kernel has counted so far, in its clock ticks.
    struct Sample: Sendable, Hashable {
        var pid: Int32
        /// The idle time of all processors together.
        var idle: UInt64
        /// The time of all processors together, idle or not.
        var total: UInt64
        /// The time that the encoder's process has used.
        var used: UInt64
    }

    /// How much time has to be idle, in percent of the time that the encoder uses. It is more than 100, to leave room
    /// for the rest of the machine.
    private static let needed: UInt64 = 120

    /// - Returns: Whether there was room between two samples of one process. `nil` if the samples do not show it.
    static func isThere(from first: Sample?, to last: Sample?) -> Bool? {
        guard let first, let last, first.pid == last.pid, last.total > first.total else { return nil }
        guard last.idle >= first.idle, last.used >= first.used else { return nil }
        return (last.idle - first.idle) * 100 >= (last.used - first.used) * needed
    }

    /// - Parameter processors: The file with the kernel's counts.
    static func sample(of pid: Int32, processors: String = "/proc/stat") -> Sample? {
        guard let machine = text(of: processors), let process = text(of: "/proc/\(pid)/stat") else { return nil }
        guard let times = times(inStat: machine), let used = used(inProcessStat: process) else { return nil }
        return Sample(pid: pid, idle: times.idle, total: times.total, used: used)
    }

    /// Reads the first line of `/proc/stat`: user, nice, system, idle, waiting for disks, interrupts (2), stolen, and
    /// guests, which are counted in the first two.
    static func times(inStat text: String) -> (idle: UInt64, total: UInt64)? {
        guard let line = text.split(separator: "\n").first, line.hasPrefix("cpu ") else { return nil }
        let times = line.split(separator: " ").dropFirst().prefix(8).compactMap { UInt64($0) }
        guard times.count >= 5 else { return nil }
        return (times[3] + times[4], times.reduce(0, +))
    }

    /// Reads user and system time, after the name of the program, which may contain any character.
    static func used(inProcessStat text: String) -> UInt64? {
        guard let name = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: name)...].split(separator: " ")
        guard fields.count > 12, let user = UInt64(fields[11]), let system = UInt64(fields[12]) else { return nil }
        return user + system
    }

    /// Reads a file of the kernel directly, because it is not on a disk.
    private static func text(of path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(file, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }
}
