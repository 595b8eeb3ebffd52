/// What frames look like: all of a source have the same size in bytes.
package struct FrameLayout: Sendable, Hashable {
    package var width: Int
    package var height: Int
    /// How its pixels lie, in the four letters that FFmpeg reads them by: `NV12`.
    package var tag: UInt32
    /// Of one frame.
    package var byteCount: Int

    package init(width: Int, height: Int, tag: UInt32, byteCount: Int) {
        precondition(width > 0 && height > 0 && byteCount > 0)
        self.width = width
        self.height = height
        self.tag = tag
        self.byteCount = byteCount
    }
}
