import FFmpeg
import MPEGTS
import MediaTypes

extension ArrivingFrames {
    /// The frames of a stream, with square pixels where the stream names no aspect.
    init(_ format: VideoFormat) {
        self.init(
            size: format.size, pixel: format.pixelAspect ?? .square, isInterlaced: format.isInterlaced,
            // FFmpeg marks none of HEVC.
            areMarked: format.codec != .hevc)
    }
}
