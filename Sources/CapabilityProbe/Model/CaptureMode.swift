/// What a capture device can be asked for.
package struct CaptureMode: Sendable, Hashable, Codable {
    /// V4L2's four letters: `YUYV`, `MJPG`, `NV12`.
    package var format: String
    /// Pixels; the greatest size where the device scales to any.
    package var width: Int
    package var height: Int
    /// Pixels; the smallest size of a device that scales to any between, else `nil`.
    package var leastWidth: Int?
    package var leastHeight: Int?
    /// Pictures a second, `60` or `60000/1001`; the highest and the lowest where the device does any between.
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
