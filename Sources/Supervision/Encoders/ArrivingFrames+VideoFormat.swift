import FFmpeg
import MPEGTS
import MediaTypes

extension ArrivingFrames {
    /// The frames of a stream. Their pixels are square if the stream names no aspect.
    init(_ format: VideoFormat) {
        self.init(
            size: format.size, pixel: format.pixelAspect ?? .square, isInterlaced: format.isInterlaced,
            // FFmpeg does not mark interlaced frames of HEVC.
            areMarked: format.codec != .hevc)
    }
}
