import CLinux
import Glibc

/// Memory holds the keys, and a core is a copy of it on the disk.
enum CoreDumps {
    /// Neither this process nor a child of it leaves a core, and no other process of the same user (an FFmpeg that was taken over,
    /// for one) can look into this one's memory or environment.
    static func forbid() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0 else { return }
        // A limit of 1 byte, unlike 0, also keeps the kernel from piping the core to a program that collects them.
        limit.rlim_max = min(limit.rlim_max, 1)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
        _ = set_dumpable(0)
    }
}
