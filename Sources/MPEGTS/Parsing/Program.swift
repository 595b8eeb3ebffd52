/// The codecs that a feed carries, by their `stream_type` in the PMT.
package enum Codec: UInt8, Sendable, Hashable {
    case h264 = 0x1B
    case hevc = 0x24
    /// AAC in ADTS frames.
    case aac = 0x0F
}

/// What a program map says: the first video and the first audio stream that a feed can carry, and what else there is.
package struct Program: Sendable, Hashable {
    /// One elementary stream of a program.
    package struct Stream: Sendable, Hashable {
        package var pid: UInt16
        package var codec: Codec

        package init(pid: UInt16, codec: Codec) {
            self.pid = pid
            self.codec = codec
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

    /// The stream types in ``foreign`` that are video (ISO/IEC 13818-1, table 2-34).
    package var hasForeignVideo: Bool {
        foreign.contains { [0x01, 0x02, 0x10, 0x20, 0x21, 0x33, 0x42, 0xD1, 0xEA].contains($0) }
    }
    /// There is a stream that a feed cannot carry and that is not known to be video.
    package var hasForeignAudio: Bool {
        audio == nil
            && foreign.contains { [0x03, 0x04, 0x06, 0x11, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87].contains($0) }
    }
}
