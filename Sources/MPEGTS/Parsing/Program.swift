package import MediaTypes

/// The `stream_type` values of the PMT that a feed can carry (ISO/IEC 13818-1, table 2-34).
package enum StreamType: UInt8, Sendable, Hashable {
    case h264 = 0x1B
    case hevc = 0x24
    /// AAC in ADTS frames.
    case aac = 0x0F

    /// - Returns: `nil` for a codec that a feed cannot carry.
    package init?(_ codec: VideoCodec) {
        switch codec {
        case .h264: self = .h264
        case .hevc: self = .hevc
        case .av1: return nil
        }
    }

    /// The video codec of the stream; `nil` for audio.
    package var videoCodec: VideoCodec? {
        switch self {
        case .h264: .h264
        case .hevc: .hevc
        case .aac: nil
        }
    }
}

/// The streams of a program map: the first video and the first audio stream that a feed can carry, and the types of
/// those that it cannot carry.
package struct Program: Sendable, Hashable {
    /// One elementary stream of a program.
    package struct Stream: Sendable, Hashable {
        package var pid: UInt16
        package var type: StreamType

        package init(pid: UInt16, type: StreamType) {
            self.pid = pid
            self.type = type
        }
    }

    package var video: Stream?
    package var audio: Stream?
    /// The `stream_type` of every stream that a feed cannot carry, in the order of the map.
    package var foreign: [UInt8]

    package init(video: Stream?, audio: Stream?, foreign: [UInt8] = []) {
        self.video = video
        self.audio = audio
        self.foreign = foreign
    }

    /// Whether a stream in ``foreign`` is video (ISO/IEC 13818-1, table 2-34).
    package var hasForeignVideo: Bool {
        foreign.contains { [0x01, 0x02, 0x10, 0x20, 0x21, 0x33, 0x42, 0xD1, 0xEA].contains($0) }
    }
    /// Whether the program's only audio streams are ones that a feed cannot carry.
    package var hasForeignAudio: Bool {
        audio == nil
            && foreign.contains { [0x03, 0x04, 0x06, 0x11, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87].contains($0) }
    }
}
