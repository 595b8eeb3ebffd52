import CLinux
import Glibc

/// Sets the kernel's limits for this process and its children.
enum ProcessLimits {
    /// Disables core dumps of this process and its children: memory holds the keys, and a core is a copy of it on the
    /// disk. It also keeps other processes of the same user, such as a compromised FFmpeg, from reading the memory or
    /// the environment of this one.
    static func forbidCores() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0 else { return }
        // A limit of 1 byte, unlike 0, also keeps the kernel from piping the core to a program that collects them.
        limit.rlim_max = min(limit.rlim_max, 1)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
        _ = set_dumpable(0)
    }

    /// Raises the limit of open descriptors: the clients of taps and of the status are bounded, but together they can
    /// need more than the usual 1024.
    static func allowDescriptors() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 16_384))
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
