extension ConfigurationReader {
    private static let channelKeys = ["name", "sources", "slate", "mezzanine", "tap", "groups"]

    func channel(_ node: YAMLNode) -> ChannelConfiguration {
        guard let fields = fields(node, what: "a channel", allowed: Self.channelKeys) else {
            return ChannelConfiguration(name: "", sources: [], location: node.location)
        }
        let name = name(fields, kind: .channel)
        let tap = fields.flag("tap", default: false)
        let groups = self.groups(fields)
        if groups.isEmpty, !tap, !fields.has("groups") || isList(fields["groups"]) {
            warning(
                node.location,
                "channel '\(name)' has neither groups nor a tap, so its stream is not used; add groups: or tap: true")
        }
        return ChannelConfiguration(
            name: name,
            sources: sources(fields, channel: name),
            slate: fields["slate"].map { slate($0.value) } ?? SlateConfiguration(),
            mezzanine: fields["mezzanine"].map { mezzanine($0.value) } ?? MezzanineConfiguration(),
            tap: tap,
            groups: groups,
            location: node.location)
    }

    private func isList(_ pair: YAMLPair?) -> Bool {
        if case .sequence = pair?.value.content { return true }
        return false
    }

    private func slate(_ node: YAMLNode) -> SlateConfiguration {
        guard let fields = fields(node, what: "slate", allowed: ["after", "image", "text"]) else {
            return SlateConfiguration()
        }
        let after = fields.duration("after", default: .seconds(1), in: SlateConfiguration.afterLimits)
        let image = fields.text("image", expecting: "the path of an image file, for instance standby.png")
        if let image { requireFile(image, key: "image", at: fields.location(of: "image")) }
        let text = fields.value("text", expecting: "a text in one line") { text throws(ParseError) in
            guard text.count <= 200 else { throw ParseError("is too long; at most 200 characters are shown") }
            return text
        }
        return SlateConfiguration(after: after, image: image, text: text)
    }

    private func mezzanine(_ node: YAMLNode) -> MezzanineConfiguration {
        guard let fields = fields(node, what: "mezzanine", allowed: ["bitrate", "keyframe"]) else {
            return MezzanineConfiguration()
        }
        let standard = MezzanineConfiguration()
        return MezzanineConfiguration(
            bitrate: fields.bitrate("bitrate", default: standard.bitrate, in: MezzanineConfiguration.bitrateLimits),
            keyframeInterval: fields.duration(
                "keyframe", default: standard.keyframeInterval, in: MezzanineConfiguration.keyframeIntervalLimits)
        )
    }
}
