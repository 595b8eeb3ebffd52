package import MediaTypes

/// The properties of the input frames that filters depend on.
package struct ArrivingFrames: Sendable, Hashable {
    package var size: FrameSize
    package var pixel: PixelAspect
    /// Whether frames may consist of two fields.
    package var isInterlaced: Bool
    /// Whether each frame is marked as interlaced or not. If false, all frames are interlaced.
    package var areMarked: Bool

    package init(size: FrameSize, pixel: PixelAspect = .square, isInterlaced: Bool = false, areMarked: Bool = true) {
        self.size = size
        self.pixel = pixel
        self.isInterlaced = isInterlaced
        self.areMarked = areMarked
    }

    /// The size that the frames have with square pixels. Width and height are even, as 4:2:0 needs it.
    package var squareSize: FrameSize {
        FrameSize(width: Self.even(size.width * pixel.width, over: pixel.height), height: max(2, size.height / 2 * 2))
    }

    /// Whether the frames, shown with square pixels, have the aspect ratio of a size. A difference of up to 1 % is
    /// ignored: bars of a few pixels would look worse than the stretching.
    package func hasShape(of other: FrameSize) -> Bool {
        let (mine, others) = (size.width * pixel.width * other.height, other.width * size.height * pixel.height)
        return abs(mine - others) * 100 <= others
    }

    /// The largest part of a frame that has the aspect ratio of a size, in pixels of the frame.
    package func part(withShapeOf other: FrameSize) -> FrameSize {
        let (mine, others) = (size.width * pixel.width * other.height, other.width * size.height * pixel.height)
        let (width, height) = (max(2, size.width / 2 * 2), max(2, size.height / 2 * 2))
        if mine > others {
            let part = Self.even(size.height * other.width * pixel.height, over: other.height * pixel.width)
            return FrameSize(width: min(width, part), height: height)
        }
        let part = Self.even(size.width * pixel.width * other.height, over: pixel.height * other.width)
        return FrameSize(width: width, height: min(height, part))
    }

    /// The nearest even number, at least 2.
    private static func even(_ number: Int, over divisor: Int) -> Int {
        max(2, (number + divisor) / (2 * divisor) * 2)
    }
}
