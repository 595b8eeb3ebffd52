/// The two kinds of elementary stream in a feed.
package enum StreamKind: Sendable, Hashable {
    case video
    case audio
}

/// One whole PES packet from a ``UnitSource``: a video frame, or one or more audio frames.
package struct AccessUnit: Sendable, Hashable {
    package var kind: StreamKind
    /// Presentation time, 33 bits as on the wire.
    package var pts: Int64
    /// Decoding time, 33 bits as on the wire.
    package var dts: Int64
    /// Whether decoding can start at this unit. Always false for audio.
    package var isKeyframe: Bool
    /// The duration of an audio unit in ticks, from its ADTS headers; 0 for video.
    package var duration: Int64
    /// The format of an audio unit; `nil` for video, and if its frames state no format or different ones.
    package var audioFormat: AACFormat?
    /// The size of its transport packets in bytes: a multiple of 188.
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
