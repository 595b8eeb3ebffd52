package import DequeModule

/// A bounded MPEG-TS buffer between processes: one writer, many readers.
///
/// What goes in are whole access units with continuous counters and timestamps (the ``Splicer`` sees to that); before
/// each keyframe stand the program tables, so a reader may begin at any keyframe. Readers share the bytes and have a
/// position each. A reader that falls behind the window jumps to the newest keyframe, and the jump is counted; it
/// never holds up the writer or another reader.
///
/// When the codecs change, a new *era* begins: readers of the era before come to their end, because a process that
/// decodes or remultiplexes cannot follow such a change.
///
/// A feed is confined to the task or thread that owns it; so are its readers.
package final class Feed {
    /// How much a feed keeps.
    package struct Limits: Sendable, Hashable {
        /// Ticks of stream beyond which the oldest segments go, unless the last whole GOP is in them.
        package var duration: Int64
        /// Bytes of memory beyond which the oldest segments go, unless the last whole GOP is in them.
        package var bytes: Int
        /// Bytes of memory beyond which the oldest segments go whatever is in them.
        package var mostBytes: Int

        package init(duration: Int64 = 6 * Ticks.perSecond, bytes: Int = 24 << 20, mostBytes: Int = 64 << 20) {
            self.duration = duration
            self.bytes = bytes
            self.mostBytes = max(bytes, mostBytes)
        }
    }

    /// A place where a reader may begin.
    package struct Entry: Sendable, Hashable {
        /// Presentation time of the keyframe.
        package var pts: Int64
        /// Decoding time of the keyframe.
        package var dts: Int64
        /// Bytes of the feed before the program tables of the keyframe.
        package var position: Int

        /// Pictures of the feed before it.
        package var pictures: Int
        var segment: Int
        var offset: Int
        var era: Int
        /// The counters of the four packets that announce a jump to here.
        var continuity: Continuity
    }

    package let limits: Limits
    /// The keyframes in the window, oldest first.
    package private(set) var entries: Deque<Entry> = []
    /// Bytes that ever went in.
    package private(set) var position = 0
    /// Pictures that ever went in.
    package private(set) var pictures = 0
    /// Decoding time of the newest unit; `nil` before the first.
    package private(set) var newestDTS: Int64?
    /// Decoding time of the newest picture; `nil` before the first. Audio may go on while a source pauses its picture.
    package private(set) var newestPictureDTS: Int64?
    /// How often the byte limit forced the last whole GOP out.
    package private(set) var truncations = 0

    private(set) var era = 0
    private var segments: Deque<Segment> = []
    /// Memory of the window; a segment need not be full.
    private(set) var heldBytes = 0

    /// Memory of a segment that went, for the next one: new pages cost more than what is written to them.
    private var spare: Segment.Pages?
    /// For tests.
    var hasSpare: Bool { spare != nil }
    /// Asked when a segment goes: whether nobody to whom bytes were handed on by reference holds any now.
    package var isReturned: () -> Bool = { false }

    static let segmentCapacity = 256 << 10

    package init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Bytes in the window.
    package var byteCount: Int { position - (segments.first?.start ?? position) }

    /// A reader that begins at the newest keyframe, or at the first one to come.
    package func makeReader() -> FeedReader { FeedReader(self, at: entries.last) }

    /// A reader that begins at the newest keyframe whose presentation time is not after `pts`, else at the oldest.
    package func makeReader(notAfter pts: Int64) -> FeedReader {
        FeedReader(self, at: entries.last { $0.era == era && $0.pts <= pts } ?? entries.first { $0.era == era })
    }

    // MARK: Writing

    /// Room for a unit of `count` bytes.
    func reserve(_ count: Int) -> UnsafeMutablePointer<UInt8> {
        if let last = segments.last, last.room >= count, last.era == era { return last.bytes + last.used }
        let pages =
            count <= Self.segmentCapacity
            ? spare ?? Segment.Pages(capacity: Self.segmentCapacity) : Segment.Pages(capacity: count)
        if pages === spare { spare = nil }
        let segment = Segment(
            pages, number: (segments.last?.number ?? -1) + 1, start: position, picturesBefore: pictures,
            era: era)
        segments.append(segment)
        heldBytes += segment.capacity
        return segment.bytes
    }

    /// Puts the bytes that were written to the reserved room into the feed.
    func commit(_ count: Int, pts: Int64, dts: Int64, isPicture: Bool, entry continuity: Continuity?) {
        guard let last = segments.last else { preconditionFailure("nothing was reserved") }
        if let continuity {
            entries.append(
                Entry(
                    pts: pts, dts: dts, position: position, pictures: pictures, segment: last.number, offset: last.used,
                    era: era,
                    continuity: continuity))
        }
        if isPicture {
            pictures += 1
            newestPictureDTS = dts
        }
        last.append(count, pts: pts, dts: dts, pictures: pictures)
        position += count
        newestDTS = dts
        evict()
    }

    /// Ends the readers of what came so far.
    func beginEra() {
        guard position > 0 else { return }
        era += 1
    }

    private func evict() {
        guard let newestDTS else { return }
        while segments.count > 1 {
            let oldest = segments[0].number
            let tooMuch = heldBytes > limits.mostBytes
            guard tooMuch || heldBytes > limits.bytes || newestDTS - segments[0].lastDTS > limits.duration else {
                return
            }
            // The last whole GOP runs from the keyframe before the newest one to the newest one.
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
        // A reader that is as far behind reads on there.
        guard segment.capacity == Self.segmentCapacity, !segment.isLentForGood, isKnownUniquelyReferenced(&segment),
            isReturned()
        else { return }
        spare = segment.pages
    }

    /// Somebody to whom bytes were handed on by reference keeps them as long as it likes.
    package func lendForGood() {
        for segment in segments { segment.isLentForGood = true }
    }

    // MARK: Reading

    /// Pictures that ever went in, up to the last one with this decoding time or an earlier one; those before the
    /// window where none of it is as early.
    package func pictures(until dts: Int64) -> Int {
        for segment in segments.reversed() {
            if let count = segment.pictures(until: dts) { return count }
        }
        return segments.first?.picturesBefore ?? pictures
    }

    /// Pictures that ever went in and are shown at this time or earlier; those before the window are taken for earlier.
    ///
    /// This is what an encoder has given when it has given the picture of that time: it gives them as they are shown,
    /// while the pictures of a source with B-frames are decoded in another order, and sooner.
    package func pictures(shownUntil pts: Int64) -> Int {
        segments.reduce(segments.first?.picturesBefore ?? pictures) { $0 + $1.pictures(shownUntil: pts) }
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
