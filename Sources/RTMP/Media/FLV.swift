/// A publisher's audio as FLV, for an FFmpeg that decodes it: a header once, and each message as a tag.
package enum FLV {
    /// Audio alone comes, so that nobody waits for video. Behind it stands the length of a tag that is not there.
    package static let header: [UInt8] = [0x46, 0x4C, 0x56, 1, 4, 0, 0, 0, 9, 0, 0, 0, 0]

    private static let tagHeaderSize = 11
    private static let tagTrailerSize = 4
    /// Bytes of a message before its body, at the most: those of Enhanced RTMP.
    private static let mostHead = 5

    /// Gives a message as a tag, in three pieces that follow each other.
    ///
    /// AAC and MP3 are named as every FFmpeg knows them: before 8.0 it knows no FourCC, and no FFmpeg knows the number
    /// that MP3 with 8 kHz has (Adobe FLV 10.1, E.4.2.1). What the head of MP3 says of rate and channels means nothing:
    /// its frames tell.
    ///
    /// - Parameters:
    ///   - message: All of its bytes.
    ///   - timestamp: Milliseconds.
    package static func withTag<Result>(
        of audio: MediaReader.ForeignAudio, in message: Bytes, timestamp: UInt32,
        _ body: (_ head: Bytes, _ content: Bytes, _ tail: Bytes) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(byteCount: tagHeaderSize + mostHead + tagTrailerSize, alignment: 1) { room in
            var end = tagHeaderSize
            switch audio.coding {
            case .aac:
                room[end] = 0xAF
                room[end + 1] = audio.isHeader ? 0 : 1
                end += 2
            case .mp3:
                room[end] = 0x2F
                end += 1
            default:
                for byte in message[..<min(audio.body.lowerBound, mostHead)] {
                    room[end] = byte
                    end += 1
                }
            }
            let content = Bytes(rebasing: message[audio.body])
            let size = end - tagHeaderSize + content.count
            room[0] = MessageType.audio
            for index in 0..<3 {
                room[1 + index] = UInt8(truncatingIfNeeded: size >> (16 - 8 * index))
                room[4 + index] = UInt8(truncatingIfNeeded: timestamp >> UInt32(16 - 8 * index))
                room[8 + index] = 0
            }
            room[7] = UInt8(truncatingIfNeeded: timestamp >> 24)
            for index in 0..<tagTrailerSize {
                room[end + index] = UInt8(truncatingIfNeeded: (tagHeaderSize + size) >> (24 - 8 * index))
            }
            let bytes = Bytes(room)
            return body(
                Bytes(rebasing: bytes[..<end]), content, Bytes(rebasing: bytes[end..<end + tagTrailerSize]))
        }
    }
}
