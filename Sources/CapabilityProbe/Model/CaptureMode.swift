/// What a capture device can be asked for.
public struct CaptureMode: Sendable, Hashable, Codable {
    /// V4L2's four letters: `YUYV`, `MJPG`, `NV12`.
    public var format: String
    /// Pixels; the greatest size where the device scales to any.
    public var width: Int
    public var height: Int
    /// Pixels; the smallest size of a device that scales to any between, else `nil`.
    public var leastWidth: Int?
    public var leastHeight: Int?
    /// Pictures a second, `60` or `60000/1001`; the highest and the lowest where the device does any between.
    public var rates: [String]

    public init(
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
