/// The ratio of a pixel's width to its height: 64:45 for a wide picture in 720x576.
package struct PixelAspect: Sendable, Hashable {
    package let width: Int
    package let height: Int

    package static let square = PixelAspect(width: 1, height: 1)

    /// Makes the ratio. One that no video has, such as 100:1, becomes square.
    package init(width: Int, height: Int) {
        let isSensible =
            (1...1 << 16).contains(width) && (1...1 << 16).contains(height) && width <= 8 * height
            && height <= 8 * width
        let divisor = isSensible ? greatestCommonDivisor(width, height) : 1
        self.width = isSensible ? width / divisor : 1
        self.height = isSensible ? height / divisor : 1
    }
}
