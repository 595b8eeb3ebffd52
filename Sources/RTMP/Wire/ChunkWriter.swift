/// Splits the server's messages into chunks. They are few and short.
struct ChunkWriter {
    /// The chunk size that the server announces. Its own messages are short. FFmpeg then sends chunks of this size,
    /// each by itself, and with this size a frame arrives in one piece.
    static let chunkSize = 128 << 10
    private var size = 128

    mutating func write(_ header: MessageHeader, _ body: [UInt8], chunkStream: UInt8, to out: inout [UInt8]) {
        out.append(chunkStream)
        out.appendBigEndian24(Int(min(header.timestamp, 0xFF_FFFE)))
        out.appendBigEndian24(body.count)
        out.append(header.type)
        out.appendBigEndian(header.streamID.byteSwapped)
        var rest = body[...]
        while true {
            out += rest.prefix(size)
            rest = rest.dropFirst(size)
            if rest.isEmpty { break }
            out.append(0xC0 | chunkStream)
        }
        if header.type == MessageType.setChunkSize, body.count == 4 {
            size = max(1, Int(body.withUnsafeBytes { $0.bigEndian32(at: 0) }))
        }
    }
}
