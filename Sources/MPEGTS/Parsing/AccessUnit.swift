/// The two kinds of elementary stream in a feed.
package enum StreamKind: Sendable, Hashable {
    case video
    case audio
}

/// One whole PES packet as its ``UnitSource`` gives it: a picture, or one or more frames of sound.
package struct AccessUnit: Sendable, Hashable {
    package var kind: StreamKind
    /// Presentation time, 33 bits as on the wire.
    package var pts: Int64
    /// Decoding time, 33 bits as on the wire.
    package var dts: Int64
    /// Decoding can start at this unit. Always false for audio.
    package var isKeyframe: Bool
    /// Ticks of sound in an audio unit, by its ADTS headers; 0 for video.
    package var duration: Int64
    /// What an audio unit is in; `nil` for video, and where its frames do not say, or not the same.
    package var audioFormat: AACFormat?
    /// Bytes of its transport packets: a multiple of 188.
    package var byteCount: Int

    package init(
        kind: StreamKind, pts: Int64, dts: Int64, isKeyframe: Bool, duration: Int64, audioFormat: AACFormat? = nil,
        byteCount: Int
    ) {
        self.kind = kind
        self.pts = pts
        self.dts = dts
        self.isKeyframe = isKeyframe
        self.duration = duration
        self.audioFormat = audioFormat
        self.byteCount = byteCount
    }
}
