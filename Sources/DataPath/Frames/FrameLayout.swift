/// What frames look like: all of a source have the same size in bytes.
public struct FrameLayout: Sendable, Hashable {
    public var width: Int
    public var height: Int
    /// How its pixels lie, in the four letters that FFmpeg reads them by: `NV12`.
    public var tag: UInt32
    /// Of one frame.
    public var byteCount: Int

    public init(width: Int, height: Int, tag: UInt32, byteCount: Int) {
        precondition(width > 0 && height > 0 && byteCount > 0)
        self.width = width
        self.height = height
        self.tag = tag
        self.byteCount = byteCount
    }
}
