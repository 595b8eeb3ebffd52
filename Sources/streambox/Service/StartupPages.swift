import Glibc

/// The code that only starting needed: reading YAML, listing encoders, opening sockets.
///
/// It stays resident for as long as nobody wants the memory; given back, what the service shows as its memory is what
/// it works with. What is needed again comes back from the page cache, page by page.
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
            // Code alone: it is read from the file and never written, so nothing can be lost.
            guard fields.count == 6, fields[1] == "r-xp", fields[5].hasSuffix("/streambox") else { continue }
            let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard ends.count == 2, let start = UnsafeMutableRawPointer(bitPattern: ends[0]) else { continue }
            madvise(start, Int(ends[1] - ends[0]), MADV_DONTNEED)
        }
    }
}
