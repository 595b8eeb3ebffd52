import MediaTypes

extension ConfigurationReader {
    func groups(_ fields: Fields) -> [GroupConfiguration] {
        guard let pair = fields["groups"],
            let nodes = list(pair.value, what: "groups", example: "groups: [{ name: hd, targets: [] }]")
        else { return [] }
        return nodes.map(group)
    }

    private func group(_ node: YAMLNode) -> GroupConfiguration {
        guard let fields = fields(node, what: "a group", allowed: ["name", "video", "audio", "tap", "targets"]) else {
            return GroupConfiguration(name: "", location: node.location)
        }
        let name = name(fields, kind: .group)
        let video = fields["video"].map { self.video($0.value) } ?? .encode(VideoEncoding())
        let tap = fields.flag("tap", default: false)
        let targets = self.targets(fields, video: video)
        if targets.isEmpty, !tap, hasNoTargets(fields["targets"]) {
            warning(
                node.location,
                "group '\(name)' has neither targets nor a tap, so its stream is not used; add targets: or tap: true")
        }
        return GroupConfiguration(
            name: name, video: video, audio: fields["audio"].map { audio($0.value) } ?? .encode(AudioEncoding()),
            tap: tap, targets: targets, location: node.location)
    }

    private func hasNoTargets(_ pair: YAMLPair?) -> Bool {
        guard let pair else { return true }
        if case .sequence(let nodes) = pair.value.content { return nodes.isEmpty }
        return false
    }

    // MARK: Copying

    /// Whether the output is passed through. `nil` for a mapping with settings of the encoder. Reports other spellings
    /// of `copy`.
    private func isCopy(_ node: YAMLNode, _ what: String) -> Bool? {
        switch node.content {
        case .scalar("copy", _): return true
        case .scalar(let text, _):
            error(
                node.location,
                node.isNull
                    ? "\(what) is empty; write copy or a mapping, or leave it out"
                    : """
                    \(what) is '\(Printable.excerpt(text))'; write copy or a mapping with the settings of the \
                    encoder
                    """
            )
            return false
        case .sequence:
            error(node.location, "\(what) is a list; write copy or a mapping with the settings of the encoder")
            return false
        case .mapping(let pairs):
            guard let copy = pairs.first(where: { $0.key == "copy" || isWord($0.value, "copy", for: $0.key) }) else {
                return nil
            }
            let others = pairs.map(\.key).filter { $0 != copy.key }
            let reason =
                others.isEmpty
                ? ""
                : """
                copy passes the \(what) through as it is, so it cannot have \
                \(Printable.alternatives(others.map { Printable.excerpt($0) })); 
                """
            error(
                copy.keyLocation,
                reason
                    + """
                    write '\(what): copy' alone, or \
                    \(copy.key == "copy" ? "remove 'copy'" : "name a codec to encode")
                    """
            )
            return false
        }
    }

    private func isWord(_ node: YAMLNode, _ word: String, for key: String) -> Bool {
        guard key == "codec" || key == "encoder", case .scalar(word, _) = node.content else { return false }
        return true
    }

    // MARK: Video

    private static let videoKeys = [
        "codec", "encoder", "size", "rate", "bitrate", "keyframe", "profile", "fit", "deinterlace",
    ]

    private func video(_ node: YAMLNode) -> VideoOutput {
        if let copy = isCopy(node, "video") { return copy ? .copy : .encode(VideoEncoding()) }
        guard let fields = fields(node, what: "video", allowed: Self.videoKeys) else { return .encode(VideoEncoding()) }
        let written = videoCodec(fields)
        let encoder = encoderChoice(fields, codec: written)
        let codec = written ?? self.codec(of: encoder) ?? .h264
        let standard = VideoEncoding(codec: codec)
        let frameRate = fields.value("rate", expecting: FrameRate.expectedForm, FrameRate.init(parsing:))
        let keyframeInterval = fields.duration(
            "keyframe", default: standard.keyframeInterval, in: VideoEncoding.keyframeIntervalLimits)
        if let frameRate, keyframeInterval < frameRate.frameDuration {
            error(
                fields.location(of: "keyframe"),
                """
                keyframe '\(DurationNotation.text(keyframeInterval))' is shorter than one frame at rate \(frameRate); \
                write at least \(Self.roundedUp(frameRate.frameDuration))
                """
            )
        }
        let encoding = VideoEncoding(
            codec: codec, encoder: encoder,
            size: fields.value("size", expecting: FrameSize.expectedForm, FrameSize.init(parsing:)),
            frameRate: frameRate,
            bitrate: fields.bitrate("bitrate", default: standard.bitrate, in: VideoEncoding.bitrateLimits),
            keyframeInterval: keyframeInterval, profile: profile(fields, codec: codec),
            fit: fields.word("fit", as: PictureFit.self) ?? standard.fit,
            deinterlace: fields.word("deinterlace", as: DeinterlaceMode.self) ?? standard.deinterlace)
        noteAV1(encoding, fields)
        return .encode(encoding)
    }

    private static func roundedUp(_ duration: Duration) -> String {
        let milliseconds = duration.wholeMilliseconds
        let whole = Duration.milliseconds(milliseconds) == duration ? milliseconds : milliseconds + 1
        return DurationNotation.text(.milliseconds(whole))
    }

    private static let otherCodecNames = [
        "h265": "hevc", "x265": "hevc", "h.265": "hevc", "x264": "h264", "h.264": "h264", "avc": "h264",
    ]

    private func videoCodec(_ fields: Fields) -> VideoCodec? {
        let words = VideoCodec.allCases.map(\.rawValue)
        return fields.value("codec", expecting: Printable.alternatives(words)) { text throws(ParseError) in
            if let codec = VideoCodec(rawValue: text) { return codec }
            if let name = Self.otherCodecNames[text.lowercased()] {
                throw ParseError("is called '\(name)' here; allowed: \(words.joined(separator: ", "))")
            }
            if let encoder = EncoderName.known(text) {
                throw ParseError("is an encoder; write codec: \(encoder.codec.rawValue), encoder: \(text)")
            }
            throw Fields.unknownWord(text, among: words)
        }
    }

    private func profile(_ fields: Fields, codec: VideoCodec) -> String? {
        fields.value("profile", expecting: Printable.alternatives(codec.profiles)) { text throws(ParseError) in
            guard codec.profiles.contains(text) else {
                throw ParseError(
                    "is not a profile of \(codec.rawValue); allowed: \(codec.profiles.joined(separator: ", "))")
            }
            return text
        }
    }

    // MARK: Audio

    private func audio(_ node: YAMLNode) -> AudioOutput {
        if let copy = isCopy(node, "audio") { return copy ? .copy : .encode(AudioEncoding()) }
        guard let fields = fields(node, what: "audio", allowed: ["codec", "bitrate", "rate", "channels"]) else {
            return .encode(AudioEncoding())
        }
        let standard = AudioEncoding()
        let rates = AudioEncoding.rates.map(String.init).joined(separator: ", ")
        let rate = fields.value("rate", expecting: "samples per second, for instance 48000") {
            text throws(ParseError) in
            guard let rate = DecimalNotation.wholeNumber(text[...]), AudioEncoding.rates.contains(rate) else {
                throw ParseError("is not a supported sample rate; allowed: \(rates)")
            }
            return rate
        }
        let channels = fields.value("channels", expecting: "a number from 1 to 8") { text throws(ParseError) in
            guard let channels = DecimalNotation.wholeNumber(text[...]), AudioEncoding.channelLimits.contains(channels)
            else {
                throw ParseError("is out of range; allowed: 1 to 8")
            }
            return channels
        }
        return .encode(
            AudioEncoding(
                codec: fields.word("codec", as: AudioCodec.self) ?? standard.codec,
                bitrate: fields.bitrate("bitrate", default: standard.bitrate, in: AudioEncoding.bitrateLimits),
                rate: rate ?? standard.rate, channels: channels ?? standard.channels))
    }
}
