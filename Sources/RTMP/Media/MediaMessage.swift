/// What the first bytes of a message of sound or picture say.
public struct MediaMessage: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case audio, video
    }

    /// What it is coded in, as far as that matters here.
    public enum Codec: Sendable, Hashable {
        /// By its number in FLV: 7 is H.264 of pictures, 10 AAC of sound.
        case number(UInt8)
        /// Enhanced RTMP names it by four characters.
        case fourCC(UInt32)
        /// Enhanced RTMP with several tracks, or with what was added later.
        case unknown
    }

    public var kind: Kind
    public var codec: Codec
    /// Decoding can begin with it.
    public var isKeyframe = false
    /// What a decoder has to know before the first picture or sound.
    public var isSequenceHeader = false
    /// Neither picture nor sound: a command to a player, or nothing.
    public var isEmpty = false

    /// - Parameter header: Of a message of sound or picture.
    public init(_ header: MessageHeader, _ bytes: Bytes) {
        kind = header.type == MessageType.video ? .video : .audio
        codec = .number(0)
        guard let first = bytes.first else {
            isEmpty = true
            return
        }
        if kind == .video { readVideo(first, bytes) } else { readAudio(first, bytes) }
    }

    private mutating func readVideo(_ first: UInt8, _ bytes: Bytes) {
        let isEnhanced = first & 0x80 != 0
        let frame = isEnhanced ? first >> 4 & 7 : first >> 4
        if frame == 5 { isEmpty = true }
        guard isEnhanced else {
            codec = .number(first & 0x0F)
            // H.264 says in the next byte what it is.
            isSequenceHeader = codec == .number(7) && bytes.count > 1 && bytes[1] == 0
            isKeyframe = frame == 1 && !isSequenceHeader && (codec != .number(7) || bytes.count > 1 && bytes[1] == 1)
            return
        }
        let packet = first & 0x0F
        guard packet < 6, bytes.count >= 5 else {
            codec = .unknown
            return
        }
        codec = .fourCC(bytes.bigEndian32(at: 1))
        isSequenceHeader = packet == 0
        isKeyframe = frame == 1 && (packet == 1 || packet == 3)
    }

    private mutating func readAudio(_ first: UInt8, _ bytes: Bytes) {
        let format = first >> 4
        guard format == 9 else {
            codec = .number(format)
            isSequenceHeader = format == 10 && bytes.count > 1 && bytes[1] == 0
            return
        }
        guard first & 0x0F < 5, bytes.count >= 5 else {
            codec = .unknown
            return
        }
        codec = .fourCC(bytes.bigEndian32(at: 1))
        isSequenceHeader = first & 0x0F == 0
    }
}

extension MediaMessage.Codec: CustomStringConvertible {
    public static let hevc = Self.fourCC(0x6876_6331)

    public var description: String {
        switch self {
        case .number(let number): "codec \(number)"
        case .fourCC(let code):
            String((0..<4).map { UInt8(truncatingIfNeeded: code >> (24 - 8 * $0)) }.map { (0x21...0x7E).contains($0) ? Character(UnicodeScalar($0)) : "?" })
        case .unknown: "a stream of several tracks"
        }
    }
}
