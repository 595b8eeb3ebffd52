/// Makes messages of the chunks that a client sends. Stricter than servers are: it throws where the bytes are not RTMP.
struct StubChunks {
    struct Message {
        var kind: UInt8
        /// In milliseconds, modulo 2^32.
        var time: UInt32
        /// The id of the message stream.
        var stream: UInt32
        /// The id of the chunk stream.
        var chunkStream: Int
        var body: [UInt8]
    }

    /// The last header of a chunk stream, and the message that is being read.
    private struct Lane {
        var time: UInt32 = 0
        var delta: UInt32 = 0
        var size = 0
        var kind: UInt8 = 0
        var stream: UInt32 = 0
        /// Whether its headers have an extended timestamp.
        var isExtended = false
        var body: [UInt8]?
    }

    /// The most bytes of a chunk that the client sends; 128 until it says another number.
    var chunkSize = 128
    private var lanes: [Int: Lane] = [:]
    /// The message that the last chunk completed.
    private var finished: Message?
    private var bytes: [UInt8] = []
    /// The index of the first byte that is not read yet.
    private var position = 0

    mutating func append(_ piece: some Sequence<UInt8>) {
        bytes.removeFirst(position)
        position = 0
        bytes += piece
    }

    /// Returns the next message; `nil` if it has not come whole.
    ///
    /// - Throws: `Failed` if a chunk breaks the rules.
    mutating func next() throws -> Message? {
        while try readChunk() {
            if let message = finished {
                finished = nil
                return message
            }
        }
        return nil
    }

    /// Reads a chunk.
    ///
    /// - Returns: False if it has not come whole.
    private mutating func readChunk() throws -> Bool {
        var at = position
        guard let first = take(1, &at)?.first, let id = chunkStream(first, &at) else { return false }
        let format = first >> 6
        guard var lane = lanes[id] ?? (format == 0 ? Lane() : nil) else {
            throw Failed("a chunk stream that begins without a full header")
        }
        guard format == 3 || lane.body == nil else { throw Failed("a header within a message") }
        guard let header = take([11, 7, 3, 0][Int(format)], &at).map(Array.init) else { return false }
        if format < 3 { lane.isExtended = header[..<3].allSatisfy { $0 == 0xFF } }
        var time = header.prefix(3).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        if lane.isExtended {
            guard let extended = take(4, &at) else { return false }
            time = extended.reduce(0) { $0 << 8 | UInt32($1) }
        }
        if format < 2 {
            lane.size = header[3..<6].reduce(0) { $0 << 8 | Int($1) }
            lane.kind = header[6]
        }
        if format == 0 { lane.stream = header[7..<11].reversed().reduce(0) { $0 << 8 | UInt32($1) } }
        if lane.body == nil {
            // A message without a header repeats the last difference; after a full header, that is its time.
            if format < 3 { lane.delta = time }
            lane.time = format == 0 ? time : lane.time &+ lane.delta
        }
        let missing = lane.size - (lane.body?.count ?? 0)
        guard let part = take(min(chunkSize, missing), &at) else { return false }
        lane.body = (lane.body ?? []) + part
        position = at
        if let body = lane.body, body.count == lane.size {
            finished = Message(kind: lane.kind, time: lane.time, stream: lane.stream, chunkStream: id, body: body)
            lane.body = nil
        }
        lanes[id] = lane
        return true
    }

    /// Forgets the part of a message that has come on a chunk stream.
    mutating func abort(_ chunkStream: Int) { lanes[chunkStream]?.body = nil }

    private func chunkStream(_ first: UInt8, _ at: inout Int) -> Int? {
        switch first & 63 {
        case 0: take(1, &at).map { 64 + Int($0[$0.startIndex]) }
        case 1: take(2, &at).map { 64 + Int($0[$0.startIndex]) + Int($0[$0.startIndex + 1]) << 8 }
        case let id: Int(id)
        }
    }

    private func take(_ count: Int, _ at: inout Int) -> ArraySlice<UInt8>? {
        guard at + count <= bytes.count else { return nil }
        defer { at += count }
        return bytes[at..<at + count]
    }
}
