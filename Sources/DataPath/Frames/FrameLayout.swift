/// The layout of a source's uncompressed frames. All frames of a source have the same size in bytes.
package struct FrameLayout: Sendable, Hashable {
    package var width: Int
    package var height: Int
    /// The FourCC by which FFmpeg identifies the pixel format, such as `NV12`.
    package var tag: UInt32
    /// Bytes of one frame.
    package var byteCount: Int

    package init(width: Int, height: Int, tag: UInt32, byteCount: Int) {
        precondition(width > 0 && height > 0 && byteCount > 0)
        self.width = width
        self.height = height
        self.tag = tag
        self.byteCount = byteCount
    }
}
