/// Cuts the server's own messages into chunks: few and short ones.
struct ChunkWriter {
    /// What the peer is told.
    static let chunkSize = 4096
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
        if header.type == MessageType.setChunkSize { size = Self.chunkSize }
    }
}
