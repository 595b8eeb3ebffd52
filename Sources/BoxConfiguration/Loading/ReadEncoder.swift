import MediaTypes

extension ConfigurationReader {
    /// Reads `auto`, one name, or a list in order. If `codec` is `nil`, the first name decides the codec.
    func encoderChoice(_ fields: Fields, codec: VideoCodec?) -> EncoderChoice {
        guard let pair = fields["encoder"] else { return .auto }
        guard case .sequence(let nodes) = pair.value.content else {
            guard
                let text = fields.text(
                    "encoder", expecting: "auto, one encoder or a list such as [h264_vaapi, libx264]")
            else { return .auto }
            if text == "auto" { return .auto }
            return request(text, codec: codec, at: pair.value.location).map { .list([$0]) } ?? .auto
        }
        guard !nodes.isEmpty else {
            error(pair.value.location, "encoder is an empty list; write auto or at least one encoder")
            return .auto
        }
        var codec = codec
        var requests: [EncoderRequest] = []
        for node in nodes {
            guard case .scalar(let text, _) = node.content, !node.isNull else {
                error(node.location, "an entry of encoder is \(node.found); write the name of an encoder")
                continue
            }
            guard text != "auto" else {
                error(node.location, "auto is in a list; write 'encoder: auto' alone, or only names of encoders")
                continue
            }
            guard let request = request(text, codec: codec, at: node.location) else { continue }
            codec = codec ?? EncoderName.known(request.name)?.codec
            guard !requests.contains(request) else {
                error(node.location, "\(request) is listed twice in encoder; keep one")
                continue
            }
            requests.append(request)
        }
        return requests.isEmpty ? .auto : .list(requests)
    }

    func codec(of choice: EncoderChoice) -> VideoCodec? {
        guard case .list(let requests) = choice, let first = requests.first else { return nil }
        return EncoderName.known(first.name)?.codec
    }

    private func request(_ text: String, codec: VideoCodec?, at location: FileLocation) -> EncoderRequest? {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let name = parts[0]
        guard let known = EncoderName.known(name) else {
            error(location, "encoder '\(Printable.excerpt(name))' \(EncoderName.refusal(of: name).message)")
            return nil
        }
        if let codec, known.codec != codec {
            let others = EncoderName.all.filter { $0.codec == codec }.map(\.name).joined(separator: ", ")
            error(
                location,
                """
                encoder '\(name)' makes \(known.codec.rawValue), but codec is \(codec.rawValue); allowed with it: \
                auto, \(others)
                """
            )
            return nil
        }
        guard parts.count == 2 else { return EncoderRequest(name: name) }
        if let objection = Self.objection(toSlot: parts[1], of: known) {
            error(location, "encoder '\(Printable.excerpt(text))' \(objection)")
            return nil
        }
        return EncoderRequest(name: name, gpu: parts[1])
    }

    private static func objection(toSlot slot: String, of encoder: EncoderName) -> String? {
        if encoder.family == .software {
            return "runs on the processor and takes no GPU; remove '@\(Printable.excerpt(slot))'"
        }
        if slot.isEmpty { return "does not name a GPU after '@'; write its PCI slot, for instance @0000:03:00.0" }
        if slot.contains("/") || slot.hasPrefix("renderD") || slot.hasPrefix("card") {
            return
                """
                names a device node, whose number can change; write the PCI slot of the GPU, for instance \
                @0000:03:00.0
                """
        }
        guard slot.utf8.count <= 64,
            slot.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || ".:_-".contains($0)) })
        else {
            return "does not name a GPU; write its PCI slot, for instance @0000:03:00.0"
        }
        // lspci shows the slot without its domain.
        let isShort = slot.utf8.count == 7 && slot.split(separator: ":").count == 2 && slot.contains(".")
        if isShort, slot.allSatisfy({ $0.isHexDigit || ":.".contains($0) }) {
            return "names the PCI slot without its domain; write @0000:\(slot)"
        }
        return nil
    }

    func noteAV1(_ encoding: VideoEncoding, _ fields: Fields) {
        guard encoding.codec == .av1 else { return }
        notYet(
            .av1, fields.has("encoder") ? fields.location(of: "encoder") : fields.location(of: "codec"),
            "this version does not encode av1; libx264 is used instead")
    }
}
