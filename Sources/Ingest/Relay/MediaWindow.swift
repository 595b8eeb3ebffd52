import DequeModule
import NIOCore
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
        var came: NIODeadline
        /// The sequence headers that hold there.
        var videoHeader: ByteBuffer?
        var audioHeader: ByteBuffer?
    }

    private let limits: IngestLimits
    private let allocator = ByteBufferAllocator()
    private var pieces: Deque<ByteBuffer> = []
    /// The number of the first piece that is kept.
    private var first = 0
    /// The number of the piece that the relay gets next.
    private var next = 0
    private var starts: Deque<Start> = []
    /// The piece that is being written.
    private var open: ByteBuffer?
    private var videoHeader: ByteBuffer?
    private var audioHeader: ByteBuffer?
    /// For new pieces.
    private var spare: [ByteBuffer] = []
    /// Bytes that whole pieces occupy.
    private(set) var kept = 0
    /// Bytes that the relay has not taken.
    private(set) var unread = 0
    /// The relay has to begin with the next keyframe: it is missing what comes before.
    private var awaitsKeyframe = false
    /// The time of the last picture that is known to have come out of the relay.
    private var confirmed = Int64.min
    private var clock = MediaClock()

    private static let spares = 8
    private static let largestSpare = 16 << 10
    private static let pieceSize = 2 << 10

    init(limits: IngestLimits) {
        self.limits = limits
    }

    private var end: Int { first + pieces.count }

    // MARK: In

    mutating func append(_ message: MediaMessage, _ header: MessageHeader, _ bytes: UnsafeRawBufferPointer, now: NIODeadline) {
        let time = clock.time(of: header.timestamp)
        if message.isSequenceHeader {
            let tag = Self.tag(message.kind, bytes, time: time, into: allocator.buffer(capacity: bytes.count + FLV.tagHeaderSize + FLV.tagTrailerSize))
            if message.kind == .video { videoHeader = tag } else { audioHeader = tag }
        }
        if message.kind == .video, message.isKeyframe {
            seal(now: now)
            starts.append(Start(piece: end, timestamp: time, came: now, videoHeader: videoHeader, audioHeader: audioHeader))
        }
        let size = bytes.count + FLV.tagHeaderSize + FLV.tagTrailerSize
        var piece = open.take() ?? newPiece(for: size)
        piece.reserveCapacity(minimumWritableBytes: size)
        open = Self.tag(message.kind, bytes, time: time, into: piece)
    }

    private static func tag(_ kind: MediaMessage.Kind, _ bytes: UnsafeRawBufferPointer, time: Int64, into buffer: consuming ByteBuffer) -> ByteBuffer {
        FLV.withTagHeader(kind, size: bytes.count, timestamp: UInt32(truncatingIfNeeded: time)) { _ = buffer.writeBytes($0) }
        buffer.writeBytes(bytes)
        buffer.writeInteger(UInt32(FLV.tagHeaderSize + bytes.count))
        return buffer
    }

    private mutating func newPiece(for size: Int) -> ByteBuffer {
        guard size <= Self.largestSpare else { return allocator.buffer(capacity: size) }
        var piece = spare.popLast() ?? allocator.buffer(capacity: Self.pieceSize)
        piece.clear()
        return piece
    }

    /// Everything that was read has been appended.
    mutating func seal(now: NIODeadline) {
        if let piece = open.take() {
            pieces.append(piece)
            kept += piece.capacity
            unread += piece.readableBytes
        }
        trim(now: now)
    }

    /// The relay has given the picture of this time.
    mutating func confirm(_ time: Int64) { confirmed = max(confirmed, time) }

    /// Lets go of what no relay needs any more: what the one in use has taken, up to a keyframe that it has given out. What
    /// a relay was given may wait in its pipe for long.
    private mutating func trim(now: NIODeadline) {
        while starts.count > 1, starts[1].piece <= next,
            starts[1].timestamp <= confirmed || kept > limits.kept || now - starts[1].came >= TimeAmount(limits.relayDelay)
        {
            drop(until: starts[1].piece)
        }
        while kept > limits.kept, first < next { drop(until: first + 1) }
    }

    private mutating func drop(until piece: Int) {
        while first < piece, let dropped = pieces.popFirst() {
            first += 1
            kept -= dropped.capacity
            if spare.count < Self.spares, dropped.capacity <= Self.largestSpare { spare.append(dropped) }
        }
        while let start = starts.first, start.piece < first { starts.removeFirst() }
    }

    // MARK: Out

    /// Begins anew, for another relay.
    ///
    /// - Parameter time: The decoding time, in milliseconds of the stream, of the last picture that came out of the relay
    ///   before; `nil` for the first.
    /// - Returns: What the relay gets first.
    mutating func begin(after time: Int64?) -> ByteBuffer {
        var head = ByteBuffer(bytes: FLV.header)
        awaitsKeyframe = false
        if let start = time.flatMap({ time in starts.last { $0.timestamp <= time } }) ?? (first > 0 ? starts.first : nil) {
            next = start.piece
            for var header in [start.videoHeader, start.audioHeader] { if header != nil { head.writeBuffer(&header!) } }
        } else if first == 0 {
            next = 0
        } else {
            next = end
            awaitsKeyframe = true
        }
        unread = pieces.dropFirst(next - first).reduce(0) { $0 + $1.readableBytes }
        return head
    }

    /// The next piece for the relay.
    mutating func take(now: NIODeadline) -> ByteBuffer? {
        if awaitsKeyframe {
            guard let start = starts.first(where: { $0.piece >= next }), start.piece < end else {
                next = end
                unread = 0
                return nil
            }
            awaitsKeyframe = false
            unread -= pieces[next - first..<start.piece - first].reduce(0) { $0 + $1.readableBytes }
            next = start.piece
            var head = ByteBuffer()
            for var header in [start.videoHeader, start.audioHeader] { if header != nil { head.writeBuffer(&header!) } }
            if head.readableBytes > 0 { return head }
        }
        guard next < end else { return nil }
        let piece = pieces[next - first]
        next += 1
        unread -= piece.readableBytes
        return piece
    }

    var hasAll: Bool { next == end }
    /// The publisher is not to be read any further.
    var isFull: Bool { unread > limits.unread }
    /// It can be read again.
    var hasRoom: Bool { unread < limits.unread / 2 }
}

extension Optional where Wrapped == ByteBuffer {
    /// Takes the value out, so that writing to it copies nothing.
    mutating func take() -> ByteBuffer? {
        defer { self = nil }
        return self
    }
}
