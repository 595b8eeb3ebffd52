/// The two kinds of elementary stream in a feed.
public enum StreamKind: Sendable, Hashable {
    case video
    case audio
}

/// One whole PES packet as its ``UnitSource`` gives it: a picture, or one or more frames of sound.
public struct AccessUnit: Sendable, Hashable {
    public var kind: StreamKind
    /// Presentation time, 33 bits as on the wire.
    public var pts: Int64
    /// Decoding time, 33 bits as on the wire.
    public var dts: Int64
    /// Decoding can start at this unit. Always false for audio.
    public var isKeyframe: Bool
    /// Ticks of sound in an audio unit, by its ADTS headers; 0 for video.
    public var duration: Int64
    /// What an audio unit is in; `nil` for video, and where its frames do not say, or not the same.
    public var audioFormat: AACFormat?
    /// Bytes of its transport packets: a multiple of 188.
    public var byteCount: Int

    public init(
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
