import Glibc

/// A piece of a feed: whole access units, one behind the other, in memory that the feed and its readers share.
///
/// The feed lets go of its oldest segments; one that a reader still stands in lives until that reader has left it.
final class Segment {
    let bytes: UnsafeMutablePointer<UInt8>
    let capacity: Int
    private(set) var used = 0
    /// Counts the segments of a feed, from 0, without gaps.
    let number: Int
    /// Bytes of the feed before this segment.
    let start: Int
    /// The era of the feed that the segment belongs to; see ``Feed``.
    let era: Int
    /// Decoding time of the last unit in the segment.
    private(set) var lastDTS: Int64 = 0
    /// Where each unit ends, ascending.
    private var ends: ContiguousArray<Int> = []

    init(capacity: Int, number: Int, start: Int, era: Int) {
        self.number = number
        self.start = start
        self.era = era
        // Pages of its own, given back to the kernel as a whole and never written twice: a reader may hand them on by
        // reference (vmsplice), and whoever holds a reference still has what was in them.
        self.capacity = (capacity + 4095) & ~4095
        let pages = mmap(nil, self.capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0)
        guard let pages, pages != MAP_FAILED else { fatalError("no memory for \(capacity) bytes of feed") }
        bytes = pages.assumingMemoryBound(to: UInt8.self)
        ends.reserveCapacity(256)
    }

    deinit { munmap(bytes, capacity) }

    var room: Int { capacity - used }

    func append(_ count: Int, dts: Int64) {
        used += count
        lastDTS = dts
        ends.append(used)
    }

    /// The end of the unit that the byte at `offset` belongs to; `offset` itself when a unit begins there.
    func unitEnd(at offset: Int) -> Int {
        var low = 0
        var high = ends.count
        while low < high {
            let middle = (low + high) / 2
            if ends[middle] < offset { low = middle + 1 } else { high = middle }
        }
        guard offset > 0, low < ends.count else { return offset }
        return ends[low]
    }
}
