/// A message of audio, video or data that a client sent.
package struct StubMessage: Sendable, Hashable {
    package enum Kind: UInt8, Sendable {
        case audio = 8
        case video = 9
        case data = 18
    }

    package var kind: Kind
    /// In milliseconds, modulo 2^32.
    package var time: UInt32
    /// The id of its chunk stream.
    package var chunkStream: Int
    package var body: [UInt8]
    /// When its last byte was read.
    package var arrival: ContinuousClock.Instant

    /// The same as a tag of a file; `nil` for data.
    package var tag: FLVFile.Tag? {
        FLVFile.Tag.Kind(rawValue: kind.rawValue).map { FLVFile.Tag(kind: $0, time: Int(time), body: body) }
    }

    /// The bytes of a tag in a file, with the length that follows it.
    var fileBytes: [UInt8] {
        let size = UInt32(body.count)
        let head = [kind.rawValue] + size.bigEndianBytes.dropFirst() + time.bigEndianBytes.dropFirst()
        return head + [UInt8(time >> 24), 0, 0, 0] + body + (size + 11).bigEndianBytes
    }
}
