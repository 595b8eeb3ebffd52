/// Writes a publisher's audio as FLV, for an FFmpeg that decodes it: one header, and each message as a tag.
package enum FLV {
    /// The FLV header. It announces only audio, so that FFmpeg does not wait for video. The length of the previous tag,
    /// 0, follows it.
    package static let header: [UInt8] = [0x46, 0x4C, 0x56, 1, 4, 0, 0, 0, 9, 0, 0, 0, 0]

    private static let tagHeaderSize = 11
    private static let tagTrailerSize = 4
    /// The largest size of a message header in bytes: that of Enhanced RTMP.
    private static let maximumHeaderSize = 5

    /// Calls `body` with a message as a tag, in three consecutive pieces.
    ///
    /// AAC and MP3 get the codes that every FFmpeg knows: before 8.0 it knows no FourCC, and no FFmpeg knows the number
    /// of MP3 with 8 kHz (Adobe FLV 10.1, E.4.2.1). The rate and channels in the header of MP3 have no meaning: its
    /// frames contain them.
    ///
    /// - Parameters:
    ///   - message: All bytes of the message.
    ///   - timestamp: Milliseconds.
    package static func withTag<Result>(
        of audio: MediaReader.ForeignAudioMessage, in message: Bytes, timestamp: UInt32,
        _ body: (_ head: Bytes, _ content: Bytes, _ tail: Bytes) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(byteCount: tagHeaderSize + maximumHeaderSize + tagTrailerSize, alignment: 1) {
            buffer in
            var end = tagHeaderSize
            switch audio.coding {
            case .aac:
                buffer[end] = 0xAF
                buffer[end + 1] = audio.isHeader ? 0 : 1
                end += 2
            case .mp3:
                buffer[end] = 0x2F
                end += 1
            default:
                for byte in message[..<min(audio.body.lowerBound, maximumHeaderSize)] {
                    buffer[end] = byte
                    end += 1
                }
            }
            let content = Bytes(rebasing: message[audio.body])
            let size = end - tagHeaderSize + content.count
            buffer[0] = MessageType.audio
            for index in 0..<3 {
                buffer[1 + index] = UInt8(truncatingIfNeeded: size >> (16 - 8 * index))
                buffer[4 + index] = UInt8(truncatingIfNeeded: timestamp >> UInt32(16 - 8 * index))
                buffer[8 + index] = 0
            }
            buffer[7] = UInt8(truncatingIfNeeded: timestamp >> 24)
            for index in 0..<tagTrailerSize {
                buffer[end + index] = UInt8(truncatingIfNeeded: (tagHeaderSize + size) >> (24 - 8 * index))
            }
            let bytes = Bytes(buffer)
            return body(
                Bytes(rebasing: bytes[..<end]), content, Bytes(rebasing: bytes[end..<end + tagTrailerSize]))
        }
    }
}
