import BoxConfiguration
import EncoderSelection
import FFmpeg
import MediaTypes

/// What the filters of an encoder were made for. Other frames may ask for another encoder.
struct FilterScope: Sendable {
    private let wish: VideoEncoding
    /// What the group encodes where it names no size.
    private let size: FrameSize?
    /// `nil` where nothing was known of the source.
    private let frames: ArrivingFrames?
    private let settings: VideoSettings
    private let scalesOnGPU: Bool

    init(_ wish: VideoEncoding, size: FrameSize?, frames: ArrivingFrames?, scalesOnGPU: Bool) {
        self.wish = wish
        self.size = size
        self.frames = frames
        self.scalesOnGPU = scalesOnGPU
        settings = VideoSettings(wish, size: size, arriving: nil, frames: frames)
    }

    /// Whether these frames come out as they should.
    func suits(_ other: ArrivingFrames) -> Bool {
        let needed = VideoSettings(wish, size: size, arriving: nil, frames: other)
        if needed.deinterlacing != nil, settings.deinterlacing == nil { return false }
        // Progressive frames would lose detail, and unmarked ones stay interlaced.
        if settings.deinterlacing != nil, needed.deinterlacesAll != settings.deinterlacesAll { return false }
        // Frames of another size are brought to that of the expected ones, which costs detail.
        if let frames, bringsToOneSize, frames.size != other.size { return false }
        switch settings.fit {
        case .stretch: return needed.fit == .stretch
        // Frames of the right shape pass without bars.
        case .pad, .crop: return frames?.pixel == other.pixel
        }
    }

    private var bringsToOneSize: Bool {
        if settings.deinterlacing != nil { return true }
        return switch settings.fit {
        case .stretch: scalesOnGPU
        case .pad: false
        case .crop: true
        }
    }
}
