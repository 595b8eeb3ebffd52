/// One reader's position in a ``Feed``.
///
///     while let bytes = reader.next() {
///         let count = write(pipe, bytes)
///         reader.consume(count)
///     }
package final class FeedReader {
    private let feed: Feed
    private var segment: Segment?
    private var offset = 0
    private var era: Int
    /// Position of the newest keyframe that the reader has been moved to.
    private var lastEntry = -1
    /// The packets that announce a jump. `nil` before the first jump.
    private var announcement: UnsafeMutableBufferPointer<UInt8>?
    /// Bytes of the announcement that are not delivered yet.
    private var unannounced = 0

    /// The number of times that the reader fell behind the window and jumped.
    package private(set) var skips = 0
    /// The part of the stream that a reader skipped, all jumps together.
    package struct Skipped: Sendable, Hashable {
        /// Video frames.
        package var frames = 0
        /// Duration of the stream.
        package var ticks: Int64 = 0
        /// Decoding time of the keyframe that the last jump led to.
        package var end: Int64 = 0

        package init() {}
    }

    package private(set) var skipped = Skipped()
    /// The position at which it fell behind, until it has jumped.
    private var leftAt: (frames: Int, dts: Int64)?
    /// The number of bytes delivered so far.
    package private(set) var delivered = 0
    /// Whether a new era began, and this reader has read everything before it.
    package private(set) var isFinished = false
    /// The keyframe at which the reader began. `nil` while it waits for one.
    package private(set) var firstEntry: Feed.Entry?

    init(_ feed: Feed, at entry: Feed.Entry?) {
        self.feed = feed
        era = feed.era
        if let entry { moveTo(entry) }
    }

    deinit { announcement?.deallocate() }

    /// The number of bytes of the feed that the reader has not read.
    package var lag: Int { position.map { feed.position - $0 } ?? 0 }

    /// The number of video frames of the feed that the reader has not read; 0 while it waits for its first keyframe.
    package var framesBehind: Int {
        if let leftAt { return feed.frames - leftAt.frames }
        return segment.map { feed.frames - $0.frames(endingBy: offset) } ?? 0
    }

    /// The position in the feed of the next byte to deliver. `nil` while the reader waits for a keyframe.
    var position: Int? { segment.map { $0.start + offset } }

    /// Whether ``next()`` returns the feed's own memory. It is not written again while a process may refer to it, so it
    /// can be passed on by reference. Other bytes have to be copied before the next call.
    package var givesSharedBytes: Bool { unannounced == 0 }

    /// Returns the next contiguous bytes. `nil` if there are none now. They stay valid until the next call.
    package func next() -> UnsafeRawBufferPointer? {
        if unannounced > 0, let announcement {
            return UnsafeRawBufferPointer(
                rebasing: UnsafeRawBufferPointer(announcement)[(announcement.count - unannounced)...])
        }
        while !isFinished {
            guard let current = segment else {
                guard let entry = feed.entries.last, entry.position > lastEntry else { return nil }
                moveTo(entry)
                if unannounced > 0 { return next() }
                continue
            }
            if current.number >= feed.firstSegment {
                if offset < current.used {
                    return UnsafeRawBufferPointer(start: current.bytes + offset, count: current.used - offset)
                }
                guard let following = feed.segment(current.number + 1) else { return nil }
                segment = following
                offset = 0
                if following.era != era { finish() }
            } else {
                let end = current.unitEnd(at: offset)
                if offset < end { return UnsafeRawBufferPointer(start: current.bytes + offset, count: end - offset) }
                skip(from: current)
            }
        }
        return nil
    }

    /// Advances past bytes that ``next()`` returned.
    package func consume(_ count: Int) {
        delivered += count
        if unannounced > 0 {
            unannounced -= count
        } else {
            offset += count
        }
    }

    private func finish() {
        isFinished = true
        segment = nil
    }

    private func skip(from current: Segment) {
        skips += 1
        leftAt = current.place(at: offset)
        segment = nil
        if feed.era != era { finish() }
    }

    private func moveTo(_ entry: Feed.Entry) {
        guard entry.era == era || firstEntry == nil else { return finish() }
        era = entry.era
        if firstEntry == nil {
            firstEntry = entry
        } else {
            announce(entry.continuity)
        }
        if let leftAt {
            skipped.frames += entry.frames - leftAt.frames
            skipped.ticks += entry.dts - leftAt.dts
            skipped.end = entry.dts
        }
        leftAt = nil
        lastEntry = entry.position
        segment = feed.segment(entry.segment)
        offset = entry.offset
    }

    /// Prepares packets without payload that tell a demultiplexer that the counters are discontinuous, so that it
    /// accepts the last unit before the jump and the first one after it as whole.
    private func announce(_ next: Continuity) {
        let streams: [(pid: UInt16, next: UInt8)] = [
            (0, next.association), (FeedLayout.programMapPID, next.map), (FeedLayout.videoPID, next.video),
            (FeedLayout.audioPID, next.audio),
        ]
        let packets = announcement ?? .allocate(capacity: streams.count * Packet.size)
        announcement = packets
        packets.update(repeating: 0xFF)
        for (index, stream) in streams.enumerated() {
            let packet = packets.baseAddress! + index * Packet.size
            packet[0] = Packet.syncByte
            packet[1] = UInt8(stream.pid >> 8)
            packet[2] = UInt8(truncatingIfNeeded: stream.pid)
            packet[3] = 0x20 | (stream.next &- 1) & 0x0F
            packet[4] = 183
            packet[5] = 0x80
        }
        unannounced = packets.count
    }
}
