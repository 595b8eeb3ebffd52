import Glibc

/// Decides when the service stops waiting for a killed child.
///
/// A child that waits in the kernel for a disk or a driver may never end. Any other child ends as soon as it gets a
/// processor, which may take seconds on a loaded machine. Pure: the caller passes in what it observed.
struct DeathWatch {
    /// An observation of a killed child.
    enum Observation: Sendable, Hashable {
        case ended
        /// A thread of the child waits in the kernel, where no signal reaches it.
        case waitsInKernel
        /// The child is ending, or needs a processor to end.
        case ends
    }

    /// The time between two observations.
    static let observationInterval = Duration.milliseconds(100)
    /// How long to wait for a child that waits in the kernel, and for any child if the service has to end.
    private static let patience = Duration.seconds(1)
    /// How long to wait for any other child.
    private static let longest = Duration.seconds(8)

    /// When the child began to wait in the kernel, according to the observations. `nil` if it did not wait at the last
    /// one.
    private var since: Duration?

    /// - Parameters:
    ///   - elapsed: The time since it was killed.
    ///   - isUrgent: Whether the service cannot wait any longer.
    /// - Returns: Whether to leave the child to the kernel.
    mutating func abandons(_ observation: Observation, after elapsed: Duration, isUrgent: Bool) -> Bool {
        since = observation == .waitsInKernel ? since ?? elapsed : nil
        guard observation != .ended, elapsed >= Self.patience else { return false }
        if isUrgent || elapsed >= Self.longest { return true }
        // It has waited in the kernel from the beginning, or for long enough.
        return since.map { $0 <= Self.observationInterval * 2 || elapsed - $0 >= Self.patience } ?? false
    }

    // MARK: Thread states

    /// Whether a thread of the process is in uninterruptible sleep.
    static func waitsInKernel(_ pid: pid_t) -> Bool { hasThread(in: "D", pid) }

    /// Whether a thread of the process is in a state, given by the kernel's letter.
    static func hasThread(in state: Character, _ pid: pid_t) -> Bool {
        guard let directory = opendir("/proc/\(pid)/task") else { return false }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.first != ".", Self.state(inStatOf: "/proc/\(pid)/task/\(name)/stat") == state { return true }
        }
        return false
    }

    private static func state(inStatOf path: String) -> Character? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = read(file, &bytes, bytes.count)
        return state(inStat: String(decoding: bytes.prefix(max(0, count)), as: UTF8.self))
    }

    /// The state in a line of `/proc/PID/stat`. The name before it is in parentheses, and may contain some itself.
    static func state(inStat text: String) -> Character? {
        guard let end = text.lastIndex(of: ")") else { return nil }
        return text[text.index(after: end)...].first { $0 != " " }
    }
}
