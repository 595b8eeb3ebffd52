/// Splits the server's messages into chunks. They are few and short.
struct ChunkWriter {
    /// The chunk size that the server announces. FFmpeg as a publisher then uses it too, and writes each chunk
    /// separately, so the size is large enough for a whole frame. The server's own messages are short.
    static let announcedSize = 128 << 10
    /// 128 until the server has announced another size.
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
