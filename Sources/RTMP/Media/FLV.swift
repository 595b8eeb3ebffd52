package import TransportStream

/// FLV around the messages: a header once, and each message as a tag.
package enum FLV {
    /// Audio and video may come. Behind it stands the length of a tag that is not there.
    package static let header: [UInt8] = [0x46, 0x4C, 0x56, 1, 5, 0, 0, 0, 9, 0, 0, 0, 0]

    /// Bytes around those of a message.
    package static let tagHeaderSize = 11
    package static let tagTrailerSize = 4

    /// What stands before a message.
    ///
    /// - Parameters:
    ///   - size: Bytes of the message.
    ///   - timestamp: Milliseconds.
    package static func withTagHeader<Result>(
        _ kind: StreamKind, size: Int, timestamp: UInt32, _ body: (Bytes) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(byteCount: tagHeaderSize, alignment: 1) { header in
            header[0] = kind == .video ? MessageType.video : MessageType.audio
            for index in 0..<3 {
                header[1 + index] = UInt8(truncatingIfNeeded: size >> (16 - 8 * index))
                header[4 + index] = UInt8(truncatingIfNeeded: timestamp >> UInt32(16 - 8 * index))
                header[8 + index] = 0
            }
            header[7] = UInt8(truncatingIfNeeded: timestamp >> 24)
            return body(Bytes(header))
        }
    }
}
