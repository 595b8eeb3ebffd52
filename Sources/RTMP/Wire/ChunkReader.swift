/// Puts messages together from chunks.
///
/// What comes out does not depend on how the bytes were cut. Memory grows with what has arrived, never with what was
/// announced, and is bounded by ``Limits``.
struct ChunkReader: ~Copyable {
    /// What a peer may have put together here.
    struct Limits: Sendable, Hashable {
        /// Bytes of a message, and of all messages under way together.
        var message: Int
        var chunkStreams: Int
    }

    var limits: Limits
    /// Bytes of a chunk, without its header.
    private(set) var chunkSize = 128

    private var streams: [ChunkStream] = []
    /// The stream whose chunk is being read.
    private var current: Int?
    /// The stream of the chunk before.
    private var latest = 0
    /// Bytes of that chunk that are to come.
    private var rest = 0
    /// What has come of the header of a chunk.
    private var head: [UInt8] = []
    /// The stream whose message was given out last.
    private var complete: Int?
    /// Bytes of messages under way.
    private var underWay = 0

    private final class ChunkStream {
        let id: Int
        var header = MessageHeader(type: 0)
        var delta: UInt32 = 0
        var length = 0
        /// The long form of the timestamp, where the header has one.
        var extended: UInt32?
        var body: [UInt8] = []
        /// A message is under way.
        var isOpen = false

        init(id: Int) {
            self.id = id
        }
    }

    /// Bytes of a body that are kept for the next message.
    private static let keptCapacity = 256 << 10
    private static let longestHead = 18

    init(limits: Limits) {
        self.limits = limits
        head.reserveCapacity(Self.longestHead)
    }

    mutating func setChunkSize(_ size: UInt32) throws(Violation) {
        guard (1...0x7FFF_FFFF).contains(size) else { throw .chunkSize }
        chunkSize = Int(size)
    }

    /// Forgets what has come of the message on a chunk stream.
    mutating func abort(_ id: UInt32) {
        guard let stream = streams.first(where: { $0.id == Int(id) }) else { return }
        drop(stream)
    }

    /// Takes bytes from the front of `input` until a message is whole.
    ///
    /// - Returns: `nil` when all bytes are taken. The message's bytes can be had from ``withBody(_:)`` until the next
    ///   call.
    mutating func next(_ input: inout Bytes) throws(Violation) -> MessageHeader? {
        release()
        while true {
            guard let index = current else {
                if resume(&input) { continue }
                guard try readHead(&input) else { return nil }
                continue
            }
            let stream = streams[index]
            let part = input.takeFirst(rest)
            guard underWay + part.count <= limits.message else { throw .messageTooLong }
            stream.body.append(contentsOf: part)
            underWay += part.count
            rest -= part.count
            if rest > 0 { return nil }
            current = nil
            guard stream.body.count == stream.length else { continue }
            complete = index
            return stream.header
        }
    }

    /// The bytes of the message that was given out last.
    func withBody<Result, Failure: Error>(_ body: (Bytes) throws(Failure) -> Result) throws(Failure) -> Result {
        guard let complete else { return try body(Bytes(start: nil, count: 0)) }
        let result = streams[complete].body.withUnsafeBytes { bytes in
            do throws(Failure) {
                return Swift.Result<Result, Failure>.success(try body(bytes))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private mutating func release() {
        guard let index = complete else { return }
        complete = nil
        drop(streams[index])
    }

    private mutating func drop(_ stream: ChunkStream) {
        underWay -= stream.body.count
        stream.body.removeAll(keepingCapacity: stream.body.capacity <= Self.keptCapacity)
        stream.isOpen = false
    }

    // MARK: Headers

    /// The header that nearly every chunk has: one byte, for more of the message that the chunk before was of.
    private mutating func resume(_ input: inout Bytes) -> Bool {
        guard let byte = input.first, head.isEmpty, byte & 0xC0 == 0xC0, latest < streams.count else { return false }
        let stream = streams[latest]
        guard stream.isOpen, stream.extended == nil, Int(byte & 0x3F) == stream.id else { return false }
        _ = input.takeFirst(1)
        current = latest
        rest = min(chunkSize, stream.length - stream.body.count)
        return true
    }

    /// - Returns: `false` when more bytes are needed.
    private mutating func readHead(_ input: inout Bytes) throws(Violation) -> Bool {
        while true {
            let needed = try headLength()
            if head.count == needed { break }
            let part = input.takeFirst(needed - head.count)
            guard !part.isEmpty else { return false }
            head.append(contentsOf: part)
        }
        try takeHead()
        head.removeAll(keepingCapacity: true)
        return true
    }

    private var format: Int { Int(head[0] >> 6) }
    private var basicLength: Int {
        switch head[0] & 0x3F {
        case 0: 2
        case 1: 3
        default: 1
        }
    }
    private var chunkStreamID: Int {
        switch head[0] & 0x3F {
        case 0: Int(head[1]) + 64
        case 1: Int(head[2]) << 8 + Int(head[1]) + 64
        case let id: Int(id)
        }
    }
    private static let lengths = [11, 7, 3, 0]
    private static let longTimestamp = 0xFF_FFFF

    /// Bytes of the header that has begun, as far as it can be told.
    private func headLength() throws(Violation) -> Int {
        guard !head.isEmpty else { return 1 }
        let basic = basicLength
        guard head.count >= basic else { return basic }
        let plain = basic + Self.lengths[format]
        guard head.count >= plain else { return plain }
        if format == 3 {
            guard let stream = streams.first(where: { $0.id == chunkStreamID }) else { throw .chunkWithoutHeader }
            return stream.extended == nil ? plain : plain + 4
        }
        let field = head.withUnsafeBytes { $0.bigEndian24(at: basic) }
        return field == Self.longTimestamp ? plain + 4 : plain
    }

    private mutating func takeHead() throws(Violation) {
        let id = chunkStreamID
        let index: Int
        if let known = streams.firstIndex(where: { $0.id == id }) {
            index = known
        } else {
            guard format <= 1 else { throw .chunkWithoutHeader }
            guard streams.count < limits.chunkStreams else { throw .tooManyChunkStreams }
            streams.append(ChunkStream(id: id))
            index = streams.count - 1
        }
        let stream = streams[index]
        let (format, basic) = (format, basicLength)
        let plain = basic + Self.lengths[format]
        var early: [UInt8] = []
        // Whatever was under way there is given up.
        if format < 3, stream.isOpen { drop(stream) }
        head.withUnsafeBytes { head in
            if format < 3 {
                let field = head.bigEndian24(at: basic)
                stream.extended = field == Self.longTimestamp ? head.bigEndian32(at: plain) : nil
                let time = stream.extended ?? UInt32(field)
                if format < 2 {
                    stream.length = head.bigEndian24(at: basic + 3)
                    stream.header.type = head[basic + 6]
                }
                if format == 0 { stream.header.streamID = head.littleEndian32(at: basic + 7) }
                // A type 3 chunk behind one of type 0 begins a message of the same time: that is what senders mean by
                // it.
                stream.delta = format == 0 ? 0 : time
                stream.header.timestamp = format == 0 ? time : stream.header.timestamp &+ time
                stream.isOpen = true
            } else {
                if !stream.isOpen {
                    stream.isOpen = true
                    stream.header.timestamp &+= stream.delta
                }
                // Some senders leave the long timestamp out here: then these are four bytes of the message.
                if let extended = stream.extended, head.bigEndian32(at: plain) != extended,
                    min(chunkSize, stream.length - stream.body.count) >= 4
                {
                    early = Array(head[plain...])
                }
            }
        }
        guard stream.length <= limits.message else { throw .messageTooLong }
        (current, latest) = (index, index)
        rest = min(chunkSize, stream.length - stream.body.count)
        guard !early.isEmpty else { return }
        guard underWay + early.count <= limits.message else { throw .messageTooLong }
        stream.body += early
        underWay += early.count
        rest -= early.count
    }
}
