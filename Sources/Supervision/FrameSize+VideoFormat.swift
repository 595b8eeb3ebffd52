import FFmpeg
import TransportStream

extension FrameSize {
    /// Of the pictures of a stream.
    init(_ format: VideoFormat) { self.init(width: format.width, height: format.height) }
}

extension ArrivingFrames {
    /// The pictures of a stream.
    init(_ format: VideoFormat) {
        self.init(
            size: FrameSize(format), pixel: PixelAspect(format.pixelAspect), isInterlaced: format.isInterlaced,
            // FFmpeg marks none of HEVC.
            areMarked: format.codec != .hevc)
    }
}

extension PixelAspect {
    /// Square where the stream names none.
    init(_ fraction: VideoFormat.Fraction?) {
        self.init(width: fraction?.numerator ?? 1, height: fraction?.denominator ?? 1)
    }
}
