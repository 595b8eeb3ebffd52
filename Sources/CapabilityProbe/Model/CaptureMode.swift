/// A mode that a capture device offers.
package struct CaptureMode: Sendable, Hashable, Codable {
    /// V4L2's four letters: `YUYV`, `MJPG`, `NV12`.
    package var format: String
    /// The width in pixels. The largest one if the device scales to any size.
    package var width: Int
    package var height: Int
    /// The smallest width in pixels, if the device scales to any size in between. `nil` otherwise.
    package var leastWidth: Int?
    package var leastHeight: Int?
    /// Frames per second, `60` or `60000/1001`. The highest and the lowest rate if the device offers any rate in
    /// between.
    package var rates: [String]

    package init(
        format: String, width: Int, height: Int, leastWidth: Int? = nil, leastHeight: Int? = nil, rates: [String]
    ) {
        self.format = format
        self.width = width
        self.height = height
        self.leastWidth = leastWidth
        self.leastHeight = leastHeight
        self.rates = rates
    }
}
