/// The size and the pixel format of a source's uncompressed frames. All frames of a source have the same size in bytes.
package struct FrameFormat: Sendable, Hashable {
    package var width: Int
    package var height: Int
    /// The FourCC by which FFmpeg identifies the pixel format, such as `NV12`.
    package var fourCC: UInt32
    /// Bytes of one frame.
    package var byteCount: Int

    package init(width: Int, height: Int, fourCC: UInt32, byteCount: Int) {
        precondition(width > 0 && height > 0 && byteCount > 0)
        self.width = width
        self.height = height
        self.fourCC = fourCC
        self.byteCount = byteCount
    }
}
