import Glibc

/// A piece of a feed: whole access units, one behind the other, in memory that the feed and its readers share.
///
/// The feed lets go of its oldest segments; one that a reader still stands in lives until that reader has left it.
final class Segment {
    let pages: Pages
    var bytes: UnsafeMutablePointer<UInt8> { pages.bytes }
    var capacity: Int { pages.capacity }
    /// Somebody who reads no more may hold references to its pages.
    var isLentForGood = false
    private(set) var used = 0
    /// Counts the segments of a feed, from 0, without gaps.
    let number: Int
    /// Bytes of the feed before this segment.
    let start: Int
    /// Pictures of the feed before this segment.
    let picturesBefore: Int
    /// The era of the feed that the segment belongs to; see ``Feed``.
    let era: Int
    /// Decoding time of the last unit in the segment.
    private(set) var lastDTS: Int64 = 0
    private var marks: ContiguousArray<Mark> = []

    /// Where a unit ends, and what came up to there.
    private struct Mark {
        /// Bytes of the segment up to its end; ascending.
        var end: Int
        var pts: Int64
        var dts: Int64
        /// Pictures of the feed up to its end.
        var pictures: Int
    }

    init(_ pages: Pages, number: Int, start: Int, picturesBefore: Int, era: Int) {
        self.pages = pages
        self.number = number
        self.picturesBefore = picturesBefore
        self.start = start
        self.era = era
        marks.reserveCapacity(256)
    }

    /// Memory of a segment: pages of its own, given back to the kernel as a whole. A reader may hand them on by
    /// reference (vmsplice), so they are not written twice while anybody may hold one.
    final class Pages {
        let bytes: UnsafeMutablePointer<UInt8>
        let capacity: Int

        init(capacity: Int) {
            self.capacity = (capacity + 4095) & ~4095
            let pages = mmap(
                nil, self.capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0)
            guard let pages, pages != MAP_FAILED else { fatalError("no memory for \(capacity) bytes of feed") }
            bytes = pages.assumingMemoryBound(to: UInt8.self)
        }

        deinit { munmap(bytes, capacity) }
    }

    var room: Int { capacity - used }

    /// - Parameter pictures: Pictures of the feed, with this unit.
    func append(_ count: Int, pts: Int64, dts: Int64, pictures: Int) {
        used += count
        lastDTS = dts
        marks.append(Mark(end: used, pts: pts, dts: dts, pictures: pictures))
    }

    /// Pictures of the feed up to the unit that ends at `offset`, and its decoding time.
    func place(at offset: Int) -> (pictures: Int, dts: Int64) {
        let index = firstMark(endingAtOrAfter: offset)
        if index < marks.count, marks[index].end == offset { return (marks[index].pictures, marks[index].dts) }
        return (picturesBefore, marks.first?.dts ?? lastDTS)
    }

    /// Pictures of the feed up to the last unit that ends at `offset` or before it.
    func pictures(endingBy offset: Int) -> Int {
        let index = firstMark(endingAtOrAfter: offset)
        if index < marks.count, marks[index].end == offset { return marks[index].pictures }
        return index > 0 ? marks[index - 1].pictures : picturesBefore
    }

    /// Pictures of the feed up to the last one here with this decoding time or an earlier one; `nil` where there is
    /// none.
    func pictures(until dts: Int64) -> Int? {
        var last: Int?
        var before = picturesBefore
        for mark in marks {
            if mark.pictures != before, mark.dts <= dts { last = mark.pictures }
            before = mark.pictures
        }
        return last
    }

    /// How many of the pictures here are shown at this time or earlier.
    func pictures(shownUntil pts: Int64) -> Int {
        var count = 0
        var before = picturesBefore
        for mark in marks {
            if mark.pictures != before, mark.pts <= pts { count += 1 }
            before = mark.pictures
        }
        return count
    }

    /// The end of the unit that the byte at `offset` belongs to; `offset` itself when a unit begins there.
    func unitEnd(at offset: Int) -> Int {
        let index = firstMark(endingAtOrAfter: offset)
        guard offset > 0, index < marks.count else { return offset }
        return marks[index].end
    }

    private func firstMark(endingAtOrAfter offset: Int) -> Int {
        var low = 0
        var high = marks.count
        while low < high {
            let middle = (low + high) / 2
            if marks[middle].end < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
