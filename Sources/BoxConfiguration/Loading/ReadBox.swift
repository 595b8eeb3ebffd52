extension ConfigurationReader {
    private static let boxKeys = ["ffmpeg", "runtime", "state", "status", "encoders", "channels"]

    func box(_ node: YAMLNode) -> BoxConfiguration? {
        guard let fields = fields(node, what: "the configuration", allowed: Self.boxKeys) else { return nil }
        // Read before the channels, so that a conflict is reported at the source and not at the status.
        let status = fields["status"].map { self.status($0.value) } ?? StatusConfiguration()
        return BoxConfiguration(
            ffmpeg: fields.text("ffmpeg", expecting: "the path of the program, for instance /usr/bin/ffmpeg"),
            runtime: fields.text("runtime", expecting: "the path of a folder, for instance /run/streambox"),
            state: fields.text("state", expecting: "the path of a folder, for instance /var/lib/streambox"),
            status: status,
            encoders: fields["encoders"].map { encoders($0.value) } ?? EncoderPreferences(),
            channels: channels(fields))
    }

    private func status(_ node: YAMLNode) -> StatusConfiguration {
        guard let fields = fields(node, what: "status", allowed: ["file", "every", "listen"]) else {
            return StatusConfiguration()
        }
        let file = fields.text("file", expecting: "the path of the file, for instance /run/streambox/streambox.prom")
        if let file, !file.hasSuffix(".prom") {
            warning(
                fields.location(of: "file"),
                "node_exporter reads only files whose names end with .prom; call it \(file).prom")
        }
        let every = fields.duration("every", default: .seconds(2), in: StatusConfiguration.everyLimits)
        let listen = fields.value(
            "listen", expecting: "an address and a port such as \"127.0.0.1:9163\""
        ) { text throws(ParseError) in
            // A port alone listens on this box only: other machines get the status only if the file says so.
            try SocketAddress(parsing: DecimalNotation.wholeNumber(text[...]) == nil ? text : "127.0.0.1:\(text)")
        }
        if let listen { claimListener(listen, .tcp, owner: "status", at: fields.location(of: "listen")) }
        return StatusConfiguration(file: file, every: every, listen: listen)
    }

    private func encoders(_ node: YAMLNode) -> EncoderPreferences {
        let families = EncoderFamily.allCases.map(\.rawValue)
        guard let fields = fields(node, what: "encoders", allowed: ["order"]), let pair = fields["order"],
            let nodes = list(pair.value, what: "order", example: "[\(families.joined(separator: ", "))]")
        else { return EncoderPreferences() }
        guard !nodes.isEmpty else {
            error(
                pair.value.location,
                """
                order is an empty list, so nothing could encode; name at least one of \
                \(families.joined(separator: ", "))
                """
            )
            return EncoderPreferences()
        }
        var order: [EncoderFamily] = []
        for node in nodes {
            guard case .scalar(let text, _) = node.content, !node.isNull else {
                error(
                    node.location,
                    "an entry of order is \(node.found); write one of \(families.joined(separator: ", "))")
                continue
            }
            guard let family = EncoderFamily(rawValue: text) else {
                error(
                    node.location,
                    "encoder family '\(Printable.excerpt(text))' \(Fields.unknownWord(text, among: families).message)")
                continue
            }
            guard !order.contains(family) else {
                error(node.location, "\(text) is listed twice in order; keep one")
                continue
            }
            order.append(family)
        }
        return EncoderPreferences(order: order)
    }

    private func channels(_ fields: Fields) -> [ChannelConfiguration] {
        let example = "channels: [{ name: main, sources: [{ test: {} }] }]"
        guard let pair = fields["channels"] else {
            error(fields.location, "the configuration has no 'channels'; add at least one, for instance \(example)")
            return []
        }
        guard let nodes = list(pair.value, what: "channels", example: example) else { return [] }
        if nodes.isEmpty {
            error(pair.value.location, "channels is an empty list; add at least one, for instance \(example)")
        }
        return nodes.map(channel)
    }
}
