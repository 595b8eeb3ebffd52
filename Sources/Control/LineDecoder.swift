import NIOCore

/// Splits a stream of bytes into lines.
struct LineDecoder: ByteToMessageDecoder {
    typealias InboundOut = ByteBuffer

    /// The most bytes of a line, its line feed included.
    let most: Int

    struct TooLong: Error {}

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let length = buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\n")).map({ $0 - buffer.readerIndex })
        else {
            if buffer.readableBytes >= most { throw TooLong() }
            return .needMoreData
        }
        guard length < most, let line = buffer.readSlice(length: length) else { throw TooLong() }
        buffer.moveReaderIndex(forwardBy: 1)
        context.fireChannelRead(wrapInboundOut(line))
        return .continue
    }

    /// Discards a line without a line feed.
    mutating func decodeLast(context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool) throws
        -> DecodingState
    {
        guard buffer.readableBytesView.contains(UInt8(ascii: "\n")) else {
            buffer.clear()
            return .needMoreData
        }
        return try decode(context: context, buffer: &buffer)
    }
}
