import DequeModule
import Polling
import RTMP

/// What a publisher sent, as FLV: what its relay has not taken yet, and enough before that for another relay to go on
/// where the first one broke off. Bounded in bytes.
///
/// The bytes are kept in pieces, one for what was read from the socket at a time, cut before keyframes; a piece goes to the
/// relay by reference.
struct MediaWindow {
    /// Where a relay can begin.
    private struct Start {
        /// The number of the piece that begins with a keyframe.
        var piece: Int
        /// Of the keyframe, in milliseconds of the stream.
        var timestamp: Int64
        var came: Int64
        /// The sequence headers that hold there.
        var videoHeader: [UInt8]
        var audioHeader: [UInt8]
        /// Bytes that it occupies itself.
        var cost: Int
    }

    private let limits: IngestLimits
    private var pieces: Deque<[UInt8]> = []
    /// The number of the first piece that is kept.
    private var first = 0
    /// The number of the piece that the relay gets next.
    private var next = 0
    private var starts: Deque<Start> = []
    /// The piece that is being written.
    private var open: [UInt8] = []
    private var videoHeader: [UInt8] = []
    private var audioHeader: [UInt8] = []
    /// For new pieces.
    private var spare: [[UInt8]] = []
    /// Bytes that whole pieces and starts occupy.
    private(set) var kept = 0
    /// No start has been charged with the headers that hold now.
    private var hasNewHeader = false
    /// Bytes that the relay has not taken.
    private(set) var unread = 0
    /// The relay has to begin with the next keyframe: it is missing what comes before.
    private var awaitsKeyframe = false
    /// The time of the last picture that is known to have come out of the relay.
    private var confirmed = Int64.min
    private var clock = MediaClock()

    private static let spares = 8
    private static let largestSpare = 16 << 10
    /// Bytes that a piece, or a start, takes beside its own.
    private static let overhead = 64
    /// The codecs' parameters have a few hundred bytes; what is longer is passed on, and not kept for other relays.
    private static let largestHeader = 64 << 10

    init(limits: IngestLimits) {
        self.limits = limits
    }

    private var end: Int { first + pieces.count }

    // MARK: In

    mutating func append(_ message: MediaMessage, _ header: MessageHeader, _ bytes: Bytes, now: Int64) {
        let time = clock.time(of: header.timestamp)
        if message.isSequenceHeader, bytes.count <= Self.largestHeader {
            var tag: [UInt8] = []
            Self.append(message.kind, bytes, time: time, to: &tag)
            hasNewHeader = true
            if message.kind == .video { videoHeader = tag } else { audioHeader = tag }
        }
        if message.kind == .video, message.isKeyframe {
            seal(now: now)
            let cost = MemoryLayout<Start>.stride + (hasNewHeader ? videoHeader.capacity + audioHeader.capacity : 0)
            hasNewHeader = false
            kept += cost
            starts.append(Start(piece: end, timestamp: time, came: now, videoHeader: videoHeader, audioHeader: audioHeader, cost: cost))
        }
        if open.isEmpty, let piece = spare.popLast() { open = piece }
        Self.append(message.kind, bytes, time: time, to: &open)
    }

    private static func append(_ kind: MediaMessage.Kind, _ bytes: Bytes, time: Int64, to piece: inout [UInt8]) {
        // Twice as large where it does not suffice: many small messages would be copied again with each of them.
        let needed = piece.count + bytes.count + FLV.tagHeaderSize + FLV.tagTrailerSize
        if piece.capacity < needed { piece.reserveCapacity(max(needed, 2 * piece.capacity)) }
        FLV.withTagHeader(kind, size: bytes.count, timestamp: UInt32(truncatingIfNeeded: time)) { piece.append(contentsOf: $0) }
        piece.append(contentsOf: bytes)
        withUnsafeBytes(of: UInt32(FLV.tagHeaderSize + bytes.count).bigEndian) { piece.append(contentsOf: $0) }
    }

    /// Everything that was read has been appended.
    mutating func seal(now: Int64) {
        if !open.isEmpty {
            kept += open.capacity + Self.overhead
            unread += open.count
            pieces.append(open)
            open = []
        }
        trim(now: now)
    }

    /// The relay has given the picture of this time.
    mutating func confirm(_ time: Int64) { confirmed = max(confirmed, time) }

    /// Lets go of what no relay needs any more: what the one in use has taken, up to a keyframe that it has given out. What
    /// a relay was given may wait in its pipe for long.
    private mutating func trim(now: Int64) {
        while starts.count > 1, starts[1].piece <= next,
            starts[1].timestamp <= confirmed || kept > limits.kept || now - starts[1].came >= limits.relayDelay.wholeNanoseconds
        {
            drop(until: starts[1].piece)
        }
        while kept > limits.kept, first < next { drop(until: first + 1) }
    }

    private mutating func drop(until piece: Int) {
        while first < piece, var dropped = pieces.popFirst() {
            first += 1
            kept -= dropped.capacity + Self.overhead
            guard spare.count < Self.spares, dropped.capacity <= Self.largestSpare else { continue }
            dropped.removeAll(keepingCapacity: true)
            spare.append(dropped)
        }
        while let start = starts.first, start.piece < first {
            kept -= start.cost
            starts.removeFirst()
        }
    }

    // MARK: Out

    /// Begins anew, for another relay.
    ///
    /// - Parameter time: The decoding time, in milliseconds of the stream, of the last picture that came out of the relay
    ///   before; `nil` for the first.
    /// - Returns: What the relay gets first.
    mutating func begin(after time: Int64?) -> [UInt8] {
        var head = FLV.header
        awaitsKeyframe = false
        if let start = time.flatMap({ time in starts.last { $0.timestamp <= time } }) ?? (first > 0 ? starts.first : nil) {
            next = start.piece
            head += start.videoHeader + start.audioHeader
        } else if first == 0 {
            next = 0
        } else {
            next = end
            awaitsKeyframe = true
        }
        unread = pieces.dropFirst(next - first).reduce(0) { $0 + $1.count }
        return head
    }

    /// The next piece for the relay.
    mutating func take(now: Int64) -> [UInt8]? {
        if awaitsKeyframe {
            guard let start = starts.first(where: { $0.piece >= next }), start.piece < end else {
                next = end
                unread = 0
                return nil
            }
            awaitsKeyframe = false
            unread -= pieces[next - first..<start.piece - first].reduce(0) { $0 + $1.count }
            next = start.piece
            let head = start.videoHeader + start.audioHeader
            if !head.isEmpty { return head }
        }
        guard next < end else { return nil }
        let piece = pieces[next - first]
        next += 1
        unread -= piece.count
        return piece
    }

    var hasAll: Bool { next == end }
    /// The publisher is not to be read any further.
    var isFull: Bool { unread > limits.unread || kept > limits.kept + limits.unread }
    /// It can be read again.
    var hasRoom: Bool { unread < limits.unread / 2 }
}
