import Glibc

/// Decides when a killed child is no longer waited for.
///
/// One that waits in the kernel for a disk or a driver may never end. Any other ends as soon as it is given the
/// processor, which a loaded machine may not do for seconds. Pure: looks come in.
struct DeathWatch {
    /// How a killed child is found.
    enum Look: Sendable, Hashable {
        case ended
        /// A thread of it waits in the kernel, and no signal reaches that.
        case waitsInKernel
        /// It ends, or has to be given the processor for that.
        case ends
    }

    /// Between two looks.
    static let pause = Duration.milliseconds(100)
    /// How long a child that waits in the kernel is waited for, and any child once there is no time left.
    private static let patience = Duration.seconds(1)
    /// How long any other is waited for.
    private static let longest = Duration.seconds(8)

    /// Since when it was found waiting in the kernel at every look.
    private var since: Duration?

    /// - Parameters:
    ///   - elapsed: Since it was killed.
    ///   - isUrgent: The service cannot wait any longer.
    /// - Returns: Whether the child is left to the kernel.
    mutating func abandons(_ look: Look, after elapsed: Duration, isUrgent: Bool) -> Bool {
        since = look == .waitsInKernel ? since ?? elapsed : nil
        guard look != .ended, elapsed >= Self.patience else { return false }
        if isUrgent || elapsed >= Self.longest { return true }
        // It was there from the beginning, or has been for long enough since.
        return since.map { $0 <= Self.pause * 2 || elapsed - $0 >= Self.patience } ?? false
    }

    // MARK: The kernel's word

    /// Whether a thread of the process is in uninterruptible sleep.
    static func waitsInKernel(_ pid: pid_t) -> Bool { hasThread(in: "D", pid) }

    /// Whether a thread of the process is in a state, by the kernel's letter.
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

    /// The state in a line of `/proc/PID/stat`. The name in front of it stands in parentheses, and may have some
    /// itself.
    static func state(inStat text: String) -> Character? {
        guard let end = text.lastIndex(of: ")") else { return nil }
        return text[text.index(after: end)...].first { $0 != " " }
    }
}
