package import DequeModule

/// A bounded MPEG-TS buffer between processes: one writer, many readers.
///
/// It holds whole access units with continuous counters and timestamps, which the ``Splicer`` provides. The program
/// tables come before each keyframe, so a reader can begin at any keyframe. Readers share the bytes, and each has its
/// own position. A reader that falls behind the window jumps to the newest keyframe, and the jump is counted. It never
/// delays the writer or another reader.
///
/// When the codecs change, a new *era* begins. Readers of the previous era end, because a process that decodes or
/// remultiplexes cannot follow such a change.
///
/// Only the task or thread that owns a feed may use it and its readers.
package final class Feed {
    /// The limits of the window.
    package struct Limits: Sendable, Hashable {
        /// The duration in ticks beyond which the oldest segments are removed, unless they contain the last whole GOP.
        package var duration: Int64
        /// The size in bytes beyond which the oldest segments are removed, unless they contain the last whole GOP.
        package var bytes: Int
        /// The size in bytes beyond which the oldest segments are always removed.
        package var maximumBytes: Int

        package init(duration: Int64 = 6 * Ticks.perSecond, bytes: Int = 24 << 20, maximumBytes: Int = 64 << 20) {
            self.duration = duration
            self.bytes = bytes
            self.maximumBytes = max(bytes, maximumBytes)
        }
    }

    /// A keyframe at which a reader can begin.
    package struct Entry: Sendable, Hashable {
        /// Presentation time of the keyframe.
        package var pts: Int64
        /// Decoding time of the keyframe.
        package var dts: Int64
        /// The number of bytes in the feed before the program tables of the keyframe.
        package var position: Int

        /// The number of video frames in the feed before it.
        package var frames: Int
        var segment: Int
        var offset: Int
        var era: Int
        /// The counters of the four packets that announce a jump to here.
        var continuity: Continuity
    }

    package let limits: Limits
    /// The keyframes in the window, oldest first.
    package private(set) var entries: Deque<Entry> = []
    /// The number of bytes that were ever written.
    package private(set) var position = 0
    /// The number of video frames that were ever written.
    package private(set) var frames = 0
    /// Decoding time of the newest unit. `nil` before the first.
    package private(set) var newestDTS: Int64?
    /// Decoding time of the newest video frame. `nil` before the first. Audio may continue while a source pauses its
    /// video.
    package private(set) var newestVideoDTS: Int64?
    /// How often the limit of bytes removed the last whole GOP.
    package private(set) var truncations = 0

    private(set) var era = 0
    private var segments: Deque<Segment> = []
    /// The size of the window's memory in bytes; segments may be partly empty.
    private(set) var heldBytes = 0

    /// The memory of a removed segment, for the next one: new pages cost more than writing to them.
    private(set) var spare: Segment.Pages?
    /// Called when a segment is removed. Returns whether no process holds a reference to bytes of the feed now.
    package var isReturned: () -> Bool = { false }

    static let segmentCapacity = 256 << 10

    package init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// The number of bytes in the window.
    package var byteCount: Int { position - (segments.first?.start ?? position) }

    /// Creates a reader that begins at the newest keyframe, or at the first one to come.
    package func makeReader() -> FeedReader { FeedReader(self, at: entries.last) }

    /// Creates a reader that begins at the newest keyframe whose presentation time is not after `pts`, else at the
    /// oldest.
    package func makeReader(notAfter pts: Int64) -> FeedReader {
        FeedReader(self, at: entries.last { $0.era == era && $0.pts <= pts } ?? entries.first { $0.era == era })
    }

    // MARK: Writing

    /// Reserves space for a unit of `count` bytes.
    func reserve(_ count: Int) -> UnsafeMutablePointer<UInt8> {
        if let last = segments.last, last.room >= count, last.era == era { return last.bytes + last.used }
        let pages =
            count <= Self.segmentCapacity
            ? spare ?? Segment.Pages(capacity: Self.segmentCapacity) : Segment.Pages(capacity: count)
        if pages === spare { spare = nil }
        let segment = Segment(
            pages, number: (segments.last?.number ?? -1) + 1, start: position, framesBefore: frames,
            era: era)
        segments.append(segment)
        heldBytes += segment.capacity
        return segment.bytes
    }

    /// Adds the bytes that were written to the reserved space.
    func commit(_ count: Int, pts: Int64, dts: Int64, isVideo: Bool, entry continuity: Continuity?) {
        guard let last = segments.last else { preconditionFailure("nothing was reserved") }
        if let continuity {
            entries.append(
                Entry(
                    pts: pts, dts: dts, position: position, frames: frames, segment: last.number, offset: last.used,
                    era: era,
                    continuity: continuity))
        }
        if isVideo {
            frames += 1
            newestVideoDTS = dts
        }
        last.append(count, pts: pts, dts: dts, frames: frames)
        position += count
        newestDTS = dts
        evict()
    }

    /// Begins an era: readers end after the bytes that are there.
    func beginEra() {
        guard position > 0 else { return }
        era += 1
    }

    private func evict() {
        guard let newestDTS else { return }
        while segments.count > 1 {
            let oldest = segments[0].number
            let tooMuch = heldBytes > limits.maximumBytes
            guard tooMuch || heldBytes > limits.bytes || newestDTS - segments[0].lastDTS > limits.duration else {
                return
            }
            // The last whole GOP extends from the keyframe before the newest one to the newest one.
            let firstNeeded = entries.count >= 2 ? entries[entries.count - 2].segment : 0
            if oldest >= firstNeeded {
                guard tooMuch else { return }
                truncations += 1
            }
            while let first = entries.first, first.segment <= oldest { entries.removeFirst() }
            heldBytes -= segments[0].capacity
            reuse(segments.removeFirst())
        }
    }

    private func reuse(_ segment: consuming Segment) {
        // A reader that is far behind may still read this segment.
        guard segment.capacity == Self.segmentCapacity, !segment.isLentForGood, isKnownUniquelyReferenced(&segment),
            isReturned()
        else { return }
        spare = segment.pages
    }

    /// Called when a process has received references to bytes and may keep them for any time.
    package func lendForGood() {
        for segment in segments { segment.isLentForGood = true }
    }

    // MARK: Reading

    /// The number of video frames that were ever written, up to the last one with this decoding time or an earlier one.
    /// If the window has none that is as early: the number of frames before the window.
    package func frames(until dts: Int64) -> Int {
        for segment in segments.reversed() {
            if let count = segment.frames(until: dts) { return count }
        }
        return segments.first?.framesBefore ?? frames
    }

    /// The number of video frames that were ever written and are shown at this time or earlier. Frames before the
    /// window count as earlier.
    ///
    /// An encoder has delivered as many frames when it has delivered the frame of that time: it delivers frames in
    /// presentation order, while the frames of a source with B-frames are decoded in another order, and earlier.
    package func frames(shownUntil pts: Int64) -> Int {
        segments.reduce(segments.first?.framesBefore ?? frames) { $0 + $1.frames(shownUntil: pts) }
    }

    func segment(_ number: Int) -> Segment? {
        guard let first = segments.first else { return nil }
        let index = number - first.number
        return segments.indices.contains(index) ? segments[index] : nil
    }

    var firstSegment: Int { segments.first?.number ?? 0 }
}

/// The next continuity counter of each PID in a feed.
struct Continuity: Sendable, Hashable {
    var association: UInt8 = 0
    var map: UInt8 = 0
    var video: UInt8 = 0
    var audio: UInt8 = 0
}
