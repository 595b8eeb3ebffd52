/// An encoder behind a V4L2 memory-to-memory node, as boards with an SoC have them.
public struct V4L2Encoder: Sendable, Hashable, Codable {
    /// `/dev/video11`
    public var node: String
    public var name: String
    public var driver: String
    /// `h264`, `hevc`
    public var codecs: [String]

    public init(node: String, name: String, driver: String, codecs: [String]) {
        self.node = node
        self.name = name
        self.driver = driver
        self.codecs = codecs
    }
}
