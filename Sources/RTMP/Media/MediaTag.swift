/// The kind of a media message's body.
enum MediaContent: Sendable, Hashable {
    /// A sequence header, which a decoder needs before the first frame.
    case header
    case frame
    /// The end of a sequence, a command to a player, metadata, or an undefined type.
    case other
}

/// The header of a video message: Adobe FLV 10.1, E.4.3.1 (`VIDEODATA`), or Enhanced RTMP v2 (`ExVideoTagHeader`).
struct VideoTag: Hashable {
    var coding: VideoCoding
    var content: MediaContent
    /// Whether the publisher marks it as a keyframe. This is only a hint: the NAL units decide.
    var isKeyframe: Bool
    /// Milliseconds from decoding to presentation, -2²³..<2²³.
    var compositionTime = 0
    /// The size of the header in bytes.
    var size: Int

    /// The frame type of a command to a player: the start or end of a seek.
    private static let command: UInt8 = 5

    /// - Parameter bytes: A message that is not empty.
    init(_ bytes: Bytes) throws(MediaFault) {
        if bytes[0] & 0x80 != 0 { try self.init(enhanced: bytes) } else { try self.init(plain: bytes) }
    }

    private init(plain bytes: Bytes) throws(MediaFault) {
        coding = VideoCoding(number: bytes[0] & 0x0F)
        isKeyframe = bytes[0] >> 4 == 1
        if bytes[0] >> 4 == Self.command {
            (content, size) = (.other, 1)
            return
        }
        guard coding == .h264 || coding == .hevc else {
            (content, size) = (.frame, 1)
            return
        }
        guard bytes.count >= 2 else { throw .shortMessage }
        switch bytes[1] {
        case 0: content = .header
        case 1: content = .frame
        default: content = .other
        }
        size = 5
        guard content != .other else { return }
        guard bytes.count >= size else { throw .shortMessage }
        compositionTime = Self.signed24(bytes, at: 2)
    }

    private init(enhanced bytes: Bytes) throws(MediaFault) {
        isKeyframe = bytes[0] >> 4 & 7 == 1
        let packet = bytes[0] & 0x0F
        guard packet < 6 else {
            (coding, content, size) = (.multitrack, .other, 1)
            return
        }
        guard bytes.count >= 5 else { throw .shortMessage }
        coding = VideoCoding(fourCC: bytes.bigEndian32(at: 1))
        size = 5
        switch packet {
        case _ where bytes[0] >> 4 & 7 == Self.command: content = .other
        case 0: content = .header
        case 1, 3: content = .frame
        default: content = .other
        }
        // CodedFrames of these two codecs have a composition time. CodedFramesX omits it if it is zero.
        guard packet == 1, content == .frame, coding == .h264 || coding == .hevc else { return }
        guard bytes.count >= 8 else { throw .shortMessage }
        compositionTime = Self.signed24(bytes, at: 5)
        size = 8
    }

    private static func signed24(_ bytes: Bytes, at offset: Int) -> Int {
        let value = bytes.bigEndian24(at: offset)
        return value < 1 << 23 ? value : value - 1 << 24
    }
}

/// The header of an audio message: Adobe FLV 10.1, E.4.2.1 (`AUDIODATA`), or Enhanced RTMP v2 (`ExAudioTagHeader`).
struct AudioTag: Hashable {
    var coding: AudioCoding
    var content: MediaContent
    /// The size of the header in bytes.
    var size: Int

    /// - Parameter bytes: A message that is not empty.
    init(_ bytes: Bytes) throws(MediaFault) {
        let format = bytes[0] >> 4
        (content, size) = (.frame, 1)
        guard format == 9 else {
            coding = AudioCoding(number: format)
            guard coding == .aac else { return }
            guard bytes.count >= 2 else { throw .shortMessage }
            content = bytes[1] == 0 ? .header : bytes[1] == 1 ? .frame : .other
            size = 2
            return
        }
        let packet = bytes[0] & 0x0F
        guard packet < 5 else {
            (coding, content) = (.multitrack, .other)
            return
        }
        guard bytes.count >= 5 else { throw .shortMessage }
        coding = AudioCoding(fourCC: bytes.bigEndian32(at: 1))
        content = packet == 0 ? .header : packet == 1 ? .frame : .other
        size = 5
    }
}
