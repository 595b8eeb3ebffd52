import FFmpeg
import TransportStream

extension FrameSize {
    /// Of the pictures of a stream.
    init(_ format: VideoFormat) { self.init(width: format.width, height: format.height) }
}
