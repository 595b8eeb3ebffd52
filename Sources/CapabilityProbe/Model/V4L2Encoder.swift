/// An encoder with a V4L2 memory-to-memory node, as boards with a system-on-chip have.
package struct V4L2Encoder: Sendable, Hashable, Codable {
    /// `/dev/video11`
    package var node: String
    package var name: String
    package var driver: String
    /// `h264`, `hevc`
    package var codecs: [String]

    package init(node: String, name: String, driver: String, codecs: [String]) {
        self.node = node
        self.name = name
        self.driver = driver
        self.codecs = codecs
    }
}
