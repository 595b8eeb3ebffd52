import MediaTypes

extension ConfigurationReader {
    func sources(_ fields: Fields, channel: String) -> [SourceConfiguration] {
        let example = "sources: [{ test: {} }]"
        guard let pair = fields["sources"] else {
            error(fields.location, "channel '\(channel)' has no 'sources'; add at least one, for instance \(example)")
            return []
        }
        guard let nodes = list(pair.value, what: "sources", example: example) else { return [] }
        if nodes.isEmpty {
            error(pair.value.location, "channel '\(channel)' has no sources; add at least one, for instance \(example)")
        }
        return nodes.enumerated().compactMap { position, node in
            source(node).map { SourceConfiguration(kind: $0, position: position, location: node.location) }
        }
    }

    private func source(_ node: YAMLNode) -> SourceKind? {
        let kinds = Printable.alternatives(SourceKind.names)
        guard case .mapping(let pairs) = node.content, let pair = pairs.first else {
            var message = "a source is \(node.found)"
            if case .scalar(let text, _) = node.content, SourceKind.names.contains(text) {
                message += "; write '\(text): { … }'"
            } else {
                message += "; write one of \(kinds) with its settings"
            }
            error(node.location, message)
            return nil
        }
        guard SourceKind.names.contains(pair.key) else {
            error(pair.keyLocation, Fields.unknown(pair.key, allowed: SourceKind.names))
            return nil
        }
        if pairs.count > 1 {
            let other = pairs[1]
            error(
                other.keyLocation,
                SourceKind.names.contains(other.key)
                    ? """
                    a source has one kind, but '\(other.key)' follows '\(pair.key)'; start a new list item with \
                    '- \(other.key):'
                    """
                    : """
                    '\(Printable.excerpt(other.key))' does not belong next to '\(pair.key)'; indent it further, so \
                    that it is inside '\(pair.key)'
                    """
            )
            if pair.value.isNull { return nil }
        }
        return source(pair.key, pair.value)
    }

    private func source(_ kind: String, _ node: YAMLNode) -> SourceKind? {
        switch kind {
        case "rtmp": rtmpSource(node).map(SourceKind.rtmp)
        case "srt": srtSource(node).map(SourceKind.srt)
        case "pull": pullSource(node).map(SourceKind.pull)
        case "capture": captureSource(node).map(SourceKind.capture)
        case "raw": rawSource(node).map(SourceKind.raw)
        case "file": fileSource(node).map(SourceKind.file)
        default: testSource(node).map(SourceKind.test)
        }
    }

    // MARK: Network

    private func rtmpSource(_ node: YAMLNode) -> RTMPSource? {
        guard let fields = fields(node, what: "an rtmp source", allowed: ["listen", "app", "key"]) else { return nil }
        let listen = fields.requiredValue("listen", expecting: SocketAddress.expectedForm, SocketAddress.init(parsing:))
        if let listen { claimListener(listen, .tcp, owner: "the rtmp source", at: fields.location(of: "listen")) }
        let app = fields.value("app", expecting: "the name of the application, for instance live") {
            text throws(ParseError) in
            guard text.utf8.count <= 64,
                text.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) })
            else {
                throw ParseError("is not an application name; allowed: 1 to 64 letters, digits, '.', '_' and '-'")
            }
            return text
        }
        let key = secret(fields, "key", use: .key)
        if !fields.has("key"), let listen, !listen.isLoopback {
            warning(
                fields.location,
                """
                the rtmp source has no key, so any client that reaches \(listen) goes on air; add key: { file: \
                PATH }, or listen on 127.0.0.1
                """
            )
        }
        return listen.map { RTMPSource(listen: $0, app: app ?? "live", key: key) }
    }

    private func srtSource(_ node: YAMLNode) -> SRTSource? {
        guard
            let fields = fields(node, what: "an srt source", allowed: ["listen", "passphrase", "streamid", "program"])
        else { return nil }
        let listen = fields.requiredValue(
            "listen", expecting: "an address and a port such as \"0.0.0.0:9000\"", SocketAddress.init(parsing:))
        if let listen { claimListener(listen, .udp, owner: "the srt source", at: fields.location(of: "listen")) }
        let passphrase = secret(fields, "passphrase", use: .passphrase)
        let streamid = secret(fields, "streamid", use: .streamid)
        if !fields.has("passphrase"), !fields.has("streamid"), let listen, !listen.isLoopback {
            warning(
                fields.location,
                """
                the srt source has no passphrase, so any client that reaches \(listen) goes on air; add \
                passphrase: { file: PATH }, or listen on 127.0.0.1
                """
            )
        }
        let program = program(fields)
        if fields.has("passphrase") {
            refuse(["program"], in: fields, of: "an srt source with a passphrase", fix: Self.noPrograms)
        }
        return listen.map { SRTSource(listen: $0, passphrase: passphrase, streamid: streamid, program: program) }
    }

    /// Why an input with a secret takes no `program`.
    static let noPrograms = "FFmpeg cannot list the programs of such a stream; let the sender send only one program"

    /// The number of a program in a transport stream.
    func program(_ fields: Fields) -> Int? {
        fields.value("program", expecting: "the number of a program, for instance 1") { text throws(ParseError) in
            guard let number = Int(text), (1...65_535).contains(number) else {
                throw ParseError("is not a program number; allowed: 1 to 65535")
            }
            return number
        }
    }

    // MARK: Local

    private func captureSource(_ node: YAMLNode) -> CaptureSource? {
        let keys = ["serial", "path", "model", "any", "size", "rate", "audio"]
        guard let fields = fields(node, what: "a capture source", allowed: keys) else { return nil }
        let binding = captureBinding(fields)
        let size = fields.value("size", expecting: FrameSize.expectedForm, FrameSize.init(parsing:))
        let rate = fields.value("rate", expecting: FrameRate.expectedForm, FrameRate.init(parsing:))
        let audio: CaptureAudio =
            switch fields.text("audio", expecting: "auto, none or an ALSA id such as hw:1,0") {
            case nil, "auto": .auto
            case "none": .none
            case let id?: .device(id)
            }
        return binding.map { CaptureSource(binding: $0, size: size, rate: rate, audio: audio) }
    }

    private func captureBinding(_ fields: Fields) -> CaptureBinding? {
        let written = ["serial", "path", "model", "any"].filter { fields.has($0) }
        guard let key = written.first else {
            error(fields.location, "a capture source does not name a card; write serial:, path:, model: or any: true")
            return nil
        }
        guard written.count == 1 else {
            error(
                fields[written[1]]?.keyLocation ?? fields.location,
                """
                a capture source names its card once, and here \(written[1]) follows \(key); keep one of serial, \
                path, model and any
                """
            )
            return nil
        }
        if key == "any" {
            guard fields.flag("any", default: true) else {
                error(
                    fields.location(of: "any"),
                    "any is false, so the source does not name a card; write serial:, path:, model: or any: true")
                return nil
            }
            return .any
        }
        guard let text = fields.text(key, expecting: "the \(key) of the card, as 'streambox probe' shows it") else {
            return nil
        }
        switch key {
        case "serial": return .serial(text)
        case "model": return .model(text)
        default:
            guard !text.hasPrefix("/dev/video") else {
                error(
                    fields.location(of: "path"),
                    """
                    path '\(Printable.excerpt(text))' has a number that changes each time a card is plugged in; \
                    write the USB or PCI path, or serial:, as 'streambox probe' shows them
                    """
                )
                return nil
            }
            return .path(text)
        }
    }

    private func rawSource(_ node: YAMLNode) -> RawSource? {
        guard let fields = fields(node, what: "a raw source", allowed: ["path", "size", "rate", "pixels"]) else {
            return nil
        }
        let path = fields.requiredText("path", expecting: "the path of the FIFO, for instance /run/streambox/frames")
        let size = fields.requiredValue("size", expecting: FrameSize.expectedForm, FrameSize.init(parsing:))
        let rate = fields.requiredValue("rate", expecting: FrameRate.expectedForm, FrameRate.init(parsing:))
        let pixels = fields.word("pixels", as: PixelFormat.self) ?? .bgra
        guard let path, let size, let rate else { return nil }
        return RawSource(path: path, size: size, rate: rate, pixels: pixels)
    }

    private func fileSource(_ node: YAMLNode) -> FileSource? {
        guard let fields = fields(node, what: "a file source", allowed: ["path", "loop", "program"]) else { return nil }
        let path = fields.requiredText("path", expecting: "the path of a media file, for instance show.mp4")
        if let path { requireFile(path, key: "path", at: fields.location(of: "path")) }
        let loop = fields.flag("loop", default: false)
        let program = program(fields)
        return path.map { FileSource(path: $0, loop: loop, program: program) }
    }

    private func testSource(_ node: YAMLNode) -> TestSource? {
        // `- test:` alone is the test picture with its defaults.
        guard !node.isNull else { return TestSource() }
        guard let fields = fields(node, what: "a test source", allowed: ["size", "rate"]) else { return nil }
        let standard = TestSource()
        return TestSource(
            size: fields.value("size", expecting: FrameSize.expectedForm, FrameSize.init(parsing:)) ?? standard.size,
            rate: fields.value("rate", expecting: FrameRate.expectedForm, FrameRate.init(parsing:)) ?? standard.rate)
    }
}
