package import MediaTypes

/// What happens to the picture of a group.
package enum VideoOutput: Sendable, Equatable {
    /// Passed through as the source sent it.
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

    /// The profile when the file names none; nil: the encoder's own choice.
    package var defaultProfile: String? {
        switch self {
        case .h264: "high"
        case .hevc: "main"
        case .av1: nil
        }
    }
}

/// How frames of another shape than the group's are brought to its size. Its pixels are square.
package enum PictureFit: String, Sendable, CaseIterable {
    /// The whole frame, with black bars.
    case pad
    /// The middle of the frame fills the size.
    case crop
    /// The frame fills the size, distorted.
    case stretch
}

/// What is done with frames that the source marks as interlaced.
package enum Deinterlacing: String, Sendable, CaseIterable {
    /// Each becomes a progressive frame.
    case auto
    /// They stay as they are.
    case off
    /// Each of its two fields becomes a progressive frame.
    case field
}

/// How a group's picture is encoded.
package struct VideoEncoding: Sendable, Equatable {
    /// h264 by default; without `codec` in the file, the codec of the first encoder it names.
    package var codec: VideoCodec
    /// `auto` by default.
    package var encoder: EncoderChoice
    /// nil: the size of the source.
    package var size: FrameSize?
    /// nil: the rate of the source.
    package var rate: FrameRate?
    /// 50k to 500M; 6M by default, what the large platforms advise for 1080p30.
    package var bitrate: Bitrate
    /// The distance of keyframes, 100ms to 20s and at least one frame; 2s by default, what the
    /// large platforms ask for.
    package var keyframe: Duration
    /// One of the codec's profiles; by default its ``VideoCodec/defaultProfile``.
    package var profile: String?
    /// `pad` by default.
    package var fit: PictureFit
    /// `auto` by default.
    package var deinterlace: Deinterlacing

    package static let bitrateLimits = Bitrate(bitsPerSecond: 50_000)...Bitrate(bitsPerSecond: 500_000_000)
    package static let keyframeLimits = Duration.milliseconds(100)...Duration.seconds(20)

    /// `profile` nil means the codec's default.
    package init(
        codec: VideoCodec = .h264, encoder: EncoderChoice = .auto, size: FrameSize? = nil,
        rate: FrameRate? = nil, bitrate: Bitrate = Bitrate(bitsPerSecond: 6_000_000),
        keyframe: Duration = .seconds(2), profile: String? = nil, fit: PictureFit = .pad,
        deinterlace: Deinterlacing = .auto
    ) {
        self.codec = codec
        self.encoder = encoder
        self.size = size
        self.rate = rate
        self.bitrate = bitrate
        self.keyframe = keyframe
        self.profile = profile ?? codec.defaultProfile
        self.fit = fit
        self.deinterlace = deinterlace
    }
}
