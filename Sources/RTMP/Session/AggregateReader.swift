/// Reads the messages in an aggregate message: each has the form of an FLV tag, followed by its length.
struct AggregateReader {
    private let start: UInt32
    private var firstTime: UInt32?
    private var offset = 0
    private var range = 0..<0

    private static let headSize = 11
    private static let tailSize = 4

    /// - Parameter start: The timestamp of the aggregate message, which is that of its first message.
    init(start: UInt32) {
        self.start = start
    }

    /// Returns the next message of audio or video; `nil` at the end, or if the rest is invalid.
    mutating func next(_ bytes: Bytes) -> MessageHeader? {
        while bytes.count - offset >= Self.headSize {
            let type = bytes[offset]
            let size = bytes.bigEndian24(at: offset + 1)
            let time = UInt32(bytes.bigEndian24(at: offset + 4)) | UInt32(bytes[offset + 7]) << 24
            let body = offset + Self.headSize
            guard bytes.count - body >= size else { return nil }
            offset = min(bytes.count, body + size + Self.tailSize)
            let first = firstTime ?? time
            firstTime = first
            guard type == MessageType.audio || type == MessageType.video else { continue }
            range = body..<body + size
            return MessageHeader(type: type, timestamp: start &+ (time &- first))
        }
        return nil
    }

    /// The bytes of the last message.
    func part(of bytes: Bytes) -> Bytes { Bytes(rebasing: bytes[range]) }
}
