package import MediaTypes

/// How a group gets its video.
package enum VideoOutput: Sendable, Equatable {
    /// The group passes the video on as the source sent it.
    case copy
    case encode(VideoEncoding)
}

extension VideoCodec {
    /// The profiles that the file may name.
    package var profiles: [String] {
        switch self {
        case .h264: ["baseline", "main", "high"]
        case .hevc: ["main", "main10"]
        case .av1: ["main"]
        }
    }

    /// The profile if the file names none. `nil` for the encoder's own choice.
    package var defaultProfile: String? {
        switch self {
        case .h264: "high"
        case .hevc: "main"
        case .av1: nil
        }
    }
}

/// How the service fits a frame with another aspect ratio into the group's frame size. The pixels of the group's frames
/// are square.
package enum PictureFit: String, Sendable, CaseIterable {
    /// The whole frame, with black bars.
    case pad
    /// The middle of the frame fills the size.
    case crop
    /// The frame fills the size, distorted.
    case stretch
}

/// How the service handles frames that the source marks as interlaced.
package enum DeinterlaceMode: String, Sendable, CaseIterable {
    /// Each frame becomes a progressive frame.
    case auto
    /// The frames stay interlaced.
    case off
    /// Each of the two fields of a frame becomes a progressive frame.
    case field
}

/// How the video of a group is encoded.
package struct VideoEncoding: Sendable, Equatable {
    /// If the file has no `codec`, this is the codec of the first encoder that the file names. If it names no encoder,
    /// this is H.264.
    package var codec: VideoCodec
    /// `auto` by default.
    package var encoder: EncoderChoice
    /// `nil` for the size of the source.
    package var size: FrameSize?
    /// `nil` for the rate of the source.
    package var frameRate: FrameRate?
    /// From 50k to 500M. The default is 6M, because the large platforms advise it for 1080p30.
    package var bitrate: Bitrate
    /// From 100ms to 20s and at least the duration of one frame. The default is 2s, because the large platforms ask for
    /// it.
    package var keyframeInterval: Duration
    /// One of the codec's profiles; by default its ``VideoCodec/defaultProfile``.
    package var profile: String?
    /// `pad` by default.
    package var fit: PictureFit
    /// `auto` by default.
    package var deinterlace: DeinterlaceMode

    package static let bitrateLimits = Bitrate(bitsPerSecond: 50_000)...Bitrate(bitsPerSecond: 500_000_000)
    package static let keyframeIntervalLimits = Duration.milliseconds(100)...Duration.seconds(20)

    /// - Parameter profile: `nil` for the default of the codec.
    package init(
        codec: VideoCodec = .h264, encoder: EncoderChoice = .auto, size: FrameSize? = nil,
        frameRate: FrameRate? = nil, bitrate: Bitrate = Bitrate(bitsPerSecond: 6_000_000),
        keyframeInterval: Duration = .seconds(2), profile: String? = nil, fit: PictureFit = .pad,
        deinterlace: DeinterlaceMode = .auto
    ) {
        self.codec = codec
        self.encoder = encoder
        self.size = size
        self.frameRate = frameRate
        self.bitrate = bitrate
        self.keyframeInterval = keyframeInterval
        self.profile = profile ?? codec.defaultProfile
        self.fit = fit
        self.deinterlace = deinterlace
    }
}
