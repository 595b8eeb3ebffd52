/// The video that a group wants.
public struct VideoSettings: Sendable, Hashable {
    /// `nil` keeps the source's size. Scaling does not keep the aspect ratio; the pixels become square.
    public var size: FrameSize?
    /// Set only when the rate has to be converted: frames are then doubled or dropped on a grid that does not depend
    /// on where the encoder started. `nil` keeps every frame and its time.
    public var rate: FrameRate?
    /// Bits/s, also the maximum.
    public var bitrate: Int
    /// Time between keyframes.
    public var keyframe: Duration
    /// As the encoder names it: `baseline`, `main`, `high`.
    public var profile: String?

    public init(
        size: FrameSize? = nil, rate: FrameRate? = nil, bitrate: Int, keyframe: Duration = .seconds(2),
        profile: String? = nil
    ) {
        self.size = size
        self.rate = rate
        self.bitrate = bitrate
        self.keyframe = keyframe
        self.profile = profile
    }
}
