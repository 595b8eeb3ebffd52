/// The V4L2 memory-to-memory encoders of the machine.
package enum V4L2EncoderList {
    private static let known = ["H264": "h264", "HEVC": "hevc"]

    /// Lists the encoders, sorted by node. It opens each video device that this process may open and that is not a
    /// capture card.
    package static func read() -> [V4L2Encoder] {
        guard let udev = Udev() else { return [] }
        return udev.devices(of: "video4linux").compactMap { device -> V4L2Encoder? in
            guard let path = device.node, let node = try? V4L2Node(path), let identity = node.identity(),
                identity.isMemoryToMemory
            else {
                return nil
            }
            // A decoder has these formats at its input. Only an encoder has them at its output.
            let codecs = node.formats().compactMap { known[V4L2Notation.text($0)] }
            guard !codecs.isEmpty else { return nil }
            return V4L2Encoder(node: path, name: identity.card, driver: identity.driver, codecs: codecs)
        }.sorted { ($0.node.utf8.count, $0.node) < ($1.node.utf8.count, $1.node) }
    }
}
