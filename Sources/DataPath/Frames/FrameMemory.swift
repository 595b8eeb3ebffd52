import Glibc

/// Memory for one frame, in pages of its own, which can be lent to a pipe.
final class FrameMemory {
    let base: UnsafeMutableRawPointer
    let byteCount: Int

    /// - Returns: `nil` when the system has no memory left.
    init?(byteCount: Int) {
        guard let base = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            base != MAP_FAILED
        else { return nil }
        self.base = base
        self.byteCount = byteCount
    }

    // Pages that a pipe still holds stay valid there.
    deinit { munmap(base, byteCount) }
}
