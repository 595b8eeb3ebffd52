import Glibc

/// Releases the memory of code that only the start needs, such as reading YAML, listing encoders and opening sockets.
///
/// The kernel keeps such pages resident for as long as no other process needs the memory. Once they are released, the
/// resident memory of the service is the memory that it works with. Pages that are needed again come back from the page
/// cache.
enum StartupPages {
    static func giveBack() {
        guard let file = fopen("/proc/self/maps", "re") else { return }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 4096)
        while fgets(&line, CInt(line.count), file) != nil {
            // `55d0…-55d1… r-xp 00123000 fe:00 1234  /usr/bin/streambox`
            let fields = String(
                decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self
            )
            .split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
            // Only code: its pages come from the file and are never written, so no data is lost.
            guard fields.count == 6, fields[1] == "r-xp", fields[5].hasSuffix("/streambox") else { continue }
            let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard ends.count == 2, let start = UnsafeMutableRawPointer(bitPattern: ends[0]) else { continue }
            madvise(start, Int(ends[1] - ends[0]), MADV_DONTNEED)
        }
    }
}
