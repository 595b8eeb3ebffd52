import CLinux
import Glibc

/// What the kernel allows this process and its children.
enum ProcessLimits {
    /// Neither this process nor a child of it leaves a core: memory holds the keys, and a core is a copy of it on the
    /// disk. And no other process of the same user (an FFmpeg that was taken over, for one) can look into this one's
    /// memory or environment.
    static func forbidCores() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0 else { return }
        // A limit of 1 byte, unlike 0, also keeps the kernel from piping the core to a program that collects them.
        limit.rlim_max = min(limit.rlim_max, 1)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
        _ = set_dumpable(0)
    }

    /// Clients of taps and of the status are bounded, but all of them together are more than the usual 1024.
    static func allowDescriptors() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 16_384))
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
