/// Cuts the server's own messages into chunks: few and short ones.
struct ChunkWriter {
    /// What the peer is told. Own messages are short; FFmpeg sends in the size that it is told, each chunk by itself,
    /// and with this one a picture arrives in one piece.
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
