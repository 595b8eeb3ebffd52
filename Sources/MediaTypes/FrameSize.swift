/// Width and height of a frame in pixels.
package struct FrameSize: Sendable, Hashable, CustomStringConvertible {
    package let width: Int
    package let height: Int

    package init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    /// `1920x1080`, as FFmpeg reads it.
    package var description: String { "\(width)x\(height)" }
}
