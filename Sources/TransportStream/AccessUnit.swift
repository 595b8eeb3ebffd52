/// The two kinds of elementary stream in a feed.
public enum StreamKind: Sendable, Hashable {
    case video
    case audio
}

/// One whole PES packet as a ``UnitParser`` found it: a picture, or one or more frames of sound.
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
    /// Bytes of its transport packets: a multiple of 188.
    public var byteCount: Int
}
