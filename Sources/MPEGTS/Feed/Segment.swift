import Glibc

/// A part of a feed: whole access units, one after the other, in memory that the feed and its readers share.
///
/// The feed releases its oldest segments. A segment that a reader still reads stays until that reader has left it.
final class Segment {
    let pages: Pages
    var bytes: UnsafeMutablePointer<UInt8> { pages.bytes }
    var capacity: Int { pages.capacity }
    /// Whether a process that the feed no longer has a connection with may hold references to its pages.
    var isLentForGood = false
    private(set) var used = 0
    /// The number of the segment in its feed, from 0, without gaps.
    let number: Int
    /// The number of bytes in the feed before this segment.
    let start: Int
    /// The number of video frames in the feed before this segment.
    let framesBefore: Int
    /// The era of the feed that the segment belongs to; see ``Feed``.
    let era: Int
    /// Decoding time of the last unit in the segment.
    private(set) var lastDTS: Int64 = 0
    private var marks: ContiguousArray<Mark> = []

    /// The end of a unit.
    private struct Mark {
        /// The number of bytes in the segment up to its end; ascending.
        var end: Int
        var pts: Int64
        var dts: Int64
        /// The number of video frames in the feed up to its end.
        var frames: Int
    }

    init(_ pages: Pages, number: Int, start: Int, framesBefore: Int, era: Int) {
        self.pages = pages
        self.number = number
        self.framesBefore = framesBefore
        self.start = start
        self.era = era
        marks.reserveCapacity(256)
    }

    /// The memory of a segment: its own pages, returned to the kernel as a whole. A reader may pass them on by
    /// reference (vmsplice), so they are not written again while a process may hold a reference.
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

    /// - Parameter frames: The number of video frames in the feed, including this unit.
    func append(_ count: Int, pts: Int64, dts: Int64, frames: Int) {
        used += count
        lastDTS = dts
        marks.append(Mark(end: used, pts: pts, dts: dts, frames: frames))
    }

    /// The number of video frames in the feed up to the unit that ends at `offset`, and its decoding time.
    func place(at offset: Int) -> (frames: Int, dts: Int64) {
        let index = firstMark(endingAtOrAfter: offset)
        if index < marks.count, marks[index].end == offset { return (marks[index].frames, marks[index].dts) }
        return (framesBefore, marks.first?.dts ?? lastDTS)
    }

    /// The number of video frames in the feed up to the last unit that ends at `offset` or before it.
    func frames(endingBy offset: Int) -> Int {
        let index = firstMark(endingAtOrAfter: offset)
        if index < marks.count, marks[index].end == offset { return marks[index].frames }
        return index > 0 ? marks[index - 1].frames : framesBefore
    }

    /// The number of video frames in the feed up to the last one in this segment with this decoding time or an earlier
    /// one. `nil` if there is none.
    func frames(until dts: Int64) -> Int? {
        var last: Int?
        var before = framesBefore
        for mark in marks {
            if mark.frames != before, mark.dts <= dts { last = mark.frames }
            before = mark.frames
        }
        return last
    }

    /// The number of video frames in this segment that are shown at this time or earlier.
    func frames(shownUntil pts: Int64) -> Int {
        var count = 0
        var before = framesBefore
        for mark in marks {
            if mark.frames != before, mark.pts <= pts { count += 1 }
            before = mark.frames
        }
        return count
    }

    /// The end of the unit that contains the byte at `offset`; `offset` itself if a unit begins there.
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
