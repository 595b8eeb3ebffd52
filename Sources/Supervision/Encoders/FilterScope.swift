import BoxConfiguration
import EncoderSelection
import FFmpeg
import MediaTypes

/// The frames that the filters of an encoder were made for. Other frames may need another encoder.
struct FilterScope: Sendable {
    private let encoding: VideoEncoding
    /// The size of the group's video if the configuration names none.
    private let size: FrameSize?
    /// The frames that the encoder was started for. `nil` if nothing was known about the source.
    private let frames: ArrivingFrames?
    private let settings: VideoSettings
    private let scalesOnGPU: Bool

    init(_ encoding: VideoEncoding, size: FrameSize?, frames: ArrivingFrames?, scalesOnGPU: Bool) {
        self.encoding = encoding
        self.size = size
        self.frames = frames
        self.scalesOnGPU = scalesOnGPU
        settings = VideoSettings(encoding, size: size, arriving: nil, frames: frames)
    }

    /// Whether other frames also come out of the filters as the group's configuration asks for.
    func suits(_ other: ArrivingFrames) -> Bool {
        let needed = VideoSettings(encoding, size: size, arriving: nil, frames: other)
        if needed.deinterlacing != nil, settings.deinterlacing == nil { return false }
        // Progressive frames would lose detail, and frames without a mark would stay interlaced.
        if settings.deinterlacing != nil, needed.deinterlacesAll != settings.deinterlacesAll { return false }
        // Frames of another size are scaled to the size of the expected ones, which costs detail.
        if let frames, scalesToOneSize, frames.size != other.size { return false }
        switch settings.fit {
        case .stretch: return needed.fit == .stretch
        // Frames of the right shape pass without bars.
        case .pad, .crop: return frames?.pixel == other.pixel
        }
    }

    private var scalesToOneSize: Bool {
        if settings.deinterlacing != nil { return true }
        return switch settings.fit {
        case .stretch: scalesOnGPU
        case .pad: false
        case .crop: true
        }
    }
}
