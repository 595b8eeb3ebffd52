/// Assembles messages from chunks.
///
/// The result does not depend on how the bytes were split. Memory grows with the bytes that have arrived, never with
/// announced lengths, and ``Limits`` bounds it.
struct ChunkReader: ~Copyable {
    /// The limits for a client.
    struct Limits: Sendable, Hashable {
        /// The largest size of a message, and of all unfinished messages together, in bytes.
        var message: Int
        var chunkStreams: Int
    }

    var limits: Limits
    /// The size of a chunk without its header, in bytes.
    private(set) var chunkSize = 128

    private var streams: [ChunkStream] = []
    /// The stream whose chunk is being read.
    private var current: Int?
    /// The stream of the previous chunk.
    private var latest = 0
    /// The bytes of the current chunk that have not come yet.
    private var rest = 0
    /// The bytes of a chunk header that have come.
    private var head: [UInt8] = []
    /// The stream of the last complete message.
    private var complete: Int?
    /// The size of all unfinished messages in bytes.
    private var unfinished = 0

    private final class ChunkStream {
        let id: Int
        var header = MessageHeader(type: 0)
        var delta: UInt32 = 0
        var length = 0
        /// The extended timestamp, if the header has one.
        var extended: UInt32?
        var body: [UInt8] = []
        /// Whether a message is unfinished.
        var isOpen = false

        init(id: Int) {
            self.id = id
        }
    }

    /// The largest capacity of a body that is kept for the next message, in bytes.
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

    /// Drops the unfinished message of a chunk stream.
    mutating func abort(_ id: UInt32) {
        guard let stream = streams.first(where: { $0.id == Int(id) }) else { return }
        drop(stream)
    }

    /// Consumes bytes from the front of `input` until a message is complete.
    ///
    /// - Returns: `nil` if all bytes are consumed. ``withBody(_:)`` gives the message's bytes until the next call.
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
            guard unfinished + part.count <= limits.message else { throw .messageTooLong }
            stream.body.append(contentsOf: part)
            unfinished += part.count
            rest -= part.count
            if rest > 0 { return nil }
            current = nil
            guard stream.body.count == stream.length else { continue }
            complete = index
            return stream.header
        }
    }

    /// Calls `body` with the bytes of the last complete message.
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
        unfinished -= stream.body.count
        stream.body.removeAll(keepingCapacity: stream.body.capacity <= Self.keptCapacity)
        stream.isOpen = false
    }

    // MARK: Headers

    /// Reads the header that nearly every chunk has: one byte, which continues the message of the previous chunk.
    private mutating func resume(_ input: inout Bytes) -> Bool {
        guard let byte = input.first, head.isEmpty, byte & 0xC0 == 0xC0, latest < streams.count else { return false }
        let stream = streams[latest]
        guard stream.isOpen, stream.extended == nil, Int(byte & 0x3F) == stream.id else { return false }
        _ = input.takeFirst(1)
        current = latest
        rest = min(chunkSize, stream.length - stream.body.count)
        return true
    }

    /// - Returns: `false` if more bytes are needed.
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

    /// The size of the header in bytes, as far as its bytes so far determine it.
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
        // An unfinished message of the stream is dropped.
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
                // A chunk of type 3 after one of type 0 begins a message with the same time: senders use it that way.
                stream.delta = format == 0 ? 0 : time
                stream.header.timestamp = format == 0 ? time : stream.header.timestamp &+ time
                stream.isOpen = true
            } else {
                if !stream.isOpen {
                    stream.isOpen = true
                    stream.header.timestamp &+= stream.delta
                }
                // Some senders omit the extended timestamp here. The four bytes then belong to the message.
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
        guard unfinished + early.count <= limits.message else { throw .messageTooLong }
        stream.body += early
        unfinished += early.count
        rest -= early.count
    }
}
