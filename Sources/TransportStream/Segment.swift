/// A piece of a feed: whole access units, one behind the other, in memory that the feed and its readers share.
///
/// The feed lets go of its oldest segments; one that a reader still stands in lives until that reader has left it.
final class Segment {
    let bytes: UnsafeMutablePointer<UInt8>
    let capacity: Int
    private(set) var used = 0
    /// Counts the segments of a feed, from 0, without gaps.
    var number = 0
    /// Bytes of the feed before this segment.
    var start = 0
    /// The era of the feed that the segment belongs to; see ``Feed``.
    var era = 0
    /// Decoding time of the last unit in the segment.
    private(set) var lastDTS: Int64 = 0
    /// Where each unit ends, ascending.
    private var ends: ContiguousArray<Int> = []

    init(capacity: Int) {
        self.capacity = capacity
        bytes = .allocate(capacity: capacity)
        ends.reserveCapacity(1024)
    }

    deinit { bytes.deallocate() }

    var room: Int { capacity - used }

    func append(_ count: Int, dts: Int64) {
        used += count
        lastDTS = dts
        ends.append(used)
    }

    func reset(number: Int, start: Int, era: Int) {
        self.number = number
        self.start = start
        self.era = era
        used = 0
        ends.removeAll(keepingCapacity: true)
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
