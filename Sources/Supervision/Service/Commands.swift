package import BoxConfiguration
package import CapabilityProbe
import EncoderSelection
package import FFmpeg
package import MPEGTS
package import MediaTypes

/// Builds the command lines for a configuration. `run` and `plan` both use these functions, so that they agree.
package enum Commands {
    /// The conversions that a relay makes.
    package struct Transcoding: Sendable, Hashable {
        /// Whether to encode the video, because a feed does not carry its codec.
        package var video = false
        /// Whether to encode the audio, because a feed does not carry its codec, or its format differs from the
        /// channel's.
        package var audio = false
        /// Sample rate of generated or encoded audio: 48,000 or 44,100, the channel's if it is known.
        package var audioRate = 48_000
        /// The format of the source's audio, if it is AAC in another format than the channel's.
        package var otherAudio: AACFormat?
        /// How interlaced frames are deinterlaced, if the video is encoded.
        package var deinterlacing: VideoSettings.Deinterlacing?
        /// Measured bits a second of the source, video and audio. `nil` if not measured yet.
        package var measured: Int?

        package init() {}

        /// The conversions with which a channel's relays begin.
        package init(for channel: ChannelConfiguration) {
            deinterlacing = Self.deinterlacing(for: channel.groups.map(\.video))
        }

        /// Every field becomes a frame if one group wants that. Frames stay interlaced only if every group encodes and
        /// wants them unchanged: a stream that is passed on has to be progressive, because platforms accept nothing
        /// else.
        private static func deinterlacing(for outputs: [VideoOutput]) -> VideoSettings.Deinterlacing? {
            let wishes = outputs.map { output in
                if case .encode(let wish) = output { wish.deinterlace } else { DeinterlaceMode.auto }
            }
            if wishes.contains(.field) { return .fields }
            return !wishes.isEmpty && wishes.allSatisfy { $0 == .off } ? nil : .frames
        }

        /// Sets the channel's format for generated and encoded audio.
        ///
        /// - Parameter format: `nil` if the channel's audio may have any format. Nothing needs to be converted then.
        mutating func keep(_ format: AACFormat?) {
            audioRate = format?.sampleRate ?? AACFormat.stereo48.sampleRate
            if format == nil, otherAudio != nil { (audio, otherAudio) = (false, nil) }
        }

        /// Sets that the audio is encoded in the channel's format.
        ///
        /// - Parameter other: The format of the source's audio.
        /// - Returns: Whether this changes the conversion.
        mutating func convertAudio(_ other: AACFormat, to format: AACFormat) -> Bool {
            guard !audio || audioRate != format.sampleRate else { return false }
            // If it is encoded already, its format says nothing new about the source.
            if !audio { otherAudio = other }
            (audio, audioRate) = (true, format.sampleRate)
            return true
        }

        /// Whether the relay of a source would stay the same.
        func treats(_ source: SourceConfiguration, like other: Transcoding) -> Bool {
            switch source.kind {
            case .srt, .pull, .file: self == other
            // None of these sends a codec that a feed cannot carry.
            case .capture: deinterlacing == other.deinterlacing
            // A publisher has no relay.
            case .raw, .test, .rtmp: true
            }
        }
    }

    /// Reads one of the service's secrets.
    ///
    /// - Parameter isPlan: Whether the command is only shown, perhaps to a user without access to the service's
    ///   secrets. Such a secret is replaced by a placeholder, because it is not shown anyway.
    private static func reveal(
        _ secret: SecretReference?, as use: SecretUse, environment: [String: String], isPlan: Bool
    ) throws(SecretError) -> String? {
        guard let secret else { return nil }
        if isPlan, case .credential = secret, (environment["CREDENTIALS_DIRECTORY"] ?? "").isEmpty { return "secret" }
        do {
            return try secret.resolve(environment: environment, as: use).reveal()
        } catch {
            if isPlan, error.code == .foreign { return "secret" }
            throw error
        }
    }

    /// Builds the command that reads a source.
    ///
    /// - Parameters:
    ///   - streams: The streams to select. `nil` follows the configuration.
    ///   - isNarrow: For an SRT source with a passphrase: only the first video and audio stream of a caller.
    ///   - transport: The transport of an RTSP source, if the configuration leaves it open.
    ///   - card: The card of a capture source, which cannot run without one.
    ///   - isPlan: Whether the command is only shown, perhaps to another user than the service's.
    /// - Returns: `nil` for an RTMP publisher and for raw frames, which the service reads itself.
    /// - Throws: ``SecretError`` or ``CommandError``. ``NotRunnable`` if the card is not plugged in.
    package static func relay(
        _ source: SourceConfiguration, mezzanine: MezzanineConfiguration, transcoding: Transcoding,
        streams: StreamMap? = nil, isNarrow: Bool = false,
        transport: RTSPWay = .auto, card: CaptureDevice? = nil, ffmpeg: FFmpegCapabilities,
        environment: [String: String], isPlan: Bool = false
    ) throws -> FFmpegCommand? {
        let kind: RelaySource
        switch source.kind {
        case .srt(let srt):
            let passphrase = try reveal(srt.passphrase, as: .passphrase, environment: environment, isPlan: isPlan)
            // FFmpeg does not check stream ids: the service does. Without the secret no caller could be accepted.
            _ = try reveal(srt.streamid, as: .streamid, environment: environment, isPlan: isPlan)
            kind = .srtListen(
                address: srt.listen.description, passphrase: passphrase, latency: nil, tellsCaller: true,
                isNarrow: isNarrow)
        case .pull(let pull):
            kind = .pull(
                url: pull.url,
                passphrase: try reveal(pull.passphrase, as: .passphrase, environment: environment, isPlan: isPlan),
                streamID: try reveal(pull.streamid, as: .streamid, environment: environment, isPlan: isPlan),
                password: try reveal(pull.password, as: .key, environment: environment, isPlan: isPlan),
                tls: PeerCheck(pull.tls), transport: pull.transport == .auto ? transport : RTSPWay(pull.transport))
        case .file(let file):
            kind = .file(path: file.path, loop: file.loop)
        case .test(let test):
            kind = .test(size: test.size, rate: test.rate)
        case .capture(let capture):
            guard let card else { throw NotRunnable(what: "no card \(capture.binding.sentence) is plugged in") }
            let setting = CaptureSetting(card.modes, size: capture.size, rate: capture.rate)
            return CardReaderCommand(card: self.captureInput(capture, card, setting), size: setting.frameSize).command(
                for: ffmpeg)
        case .rtmp, .raw:
            return nil
        }
        return try relay(kind, mezzanine, transcoding, streams ?? source.streamMap).command(for: ffmpeg)
    }

    private static func relay(
        _ source: RelaySource, _ mezzanine: MezzanineConfiguration, _ transcoding: Transcoding, _ streams: StreamMap
    ) -> RelayCommand {
        var audio =
            transcoding.audio ? RelayAudio.aac(bitrate: convertedAudioBitrate, rate: transcoding.audioRate) : .copy
        if case .test = source { audio = .aac(bitrate: RelayCommand.testAudioBitrate, rate: transcoding.audioRate) }
        return RelayCommand(
            source: source,
            video: transcoding.video
                ? .mezzanine(
                    bitrate: mezzanine.relayBitrate(for: transcoding), keyframeInterval: mezzanine.keyframeInterval,
                    deinterlacing: transcoding.deinterlacing)
                : .copy,
            audio: audio, streams: streams)
    }

    /// Bits a second of audio that a relay or an audio converter encodes.
    static let convertedAudioBitrate = 192_000

    /// Builds the command that converts a publisher's audio to AAC, if a feed does not carry its codec.
    ///
    /// - Parameters:
    ///   - sampleRate: Samples a second of the AAC.
    ///   - firstSample: Where it continues the output of an earlier process, see ``AudioConverterCommand/firstSample``.
    package static func audioConverter(sampleRate: Int = 48_000, firstSample: Int64? = nil) -> FFmpegCommand {
        AudioConverterCommand(bitrate: convertedAudioBitrate, sampleRate: sampleRate, firstSample: firstSample)
            .command()
    }

    /// Builds the command that converts an SRT caller's transport stream for the feed. The process can be replaced
    /// while the caller stays connected.
    ///
    /// - Parameter streams: The streams to select. `nil` follows the configuration.
    /// - Returns: `nil` for a source that is not an SRT listener.
    package static func callRelay(
        _ source: SourceConfiguration, mezzanine: MezzanineConfiguration, transcoding: Transcoding,
        streams: StreamMap? = nil, ffmpeg: FFmpegCapabilities
    ) throws -> FFmpegCommand? {
        guard case .srt = source.kind else { return nil }
        return try relay(.transportStream, mezzanine, transcoding, streams ?? source.streamMap).command(for: ffmpeg)
    }

    /// Builds the input of a capture card.
    ///
    /// - Parameter hasAudio: Whether to read the card's audio, if it has some and the configuration wants it.
    static func captureInput(
        _ source: CaptureSource, _ card: CaptureDevice, _ setting: CaptureSetting, hasAudio: Bool = true
    )
        -> CaptureInput
    {
        let audio: String? =
            switch source.audio {
            case _ where !hasAudio: nil
            case .auto: card.sound
            case .none: nil
            case .device(let id): id
            }
        return CaptureInput(
            node: card.node, format: setting.format, size: setting.size, rate: setting.rate, audio: audio)
    }

    /// Builds the command that encodes the frames of a source. `nil` if the source's relay delivers encoded video.
    ///
    /// - Parameter recipe: How FFmpeg uses the chosen encoder.
    /// - Throws: ``NotRunnable`` if the card is not plugged in.
    static func frameEncoder(
        _ source: SourceConfiguration, mezzanine: MezzanineConfiguration, card: CaptureDevice?,
        recipe: any EncoderRecipe, ffmpeg: FFmpegCapabilities
    ) throws -> FFmpegCommand? {
        let size: FrameSize
        let rate: FrameRate?
        switch source.kind {
        case .capture(let capture):
            guard let card else { throw NotRunnable(what: "no card \(capture.binding.sentence) is plugged in") }
            let setting = CaptureSetting(card.modes, size: capture.size, rate: capture.rate)
            (size, rate) = (setting.frameSize, setting.rate)
        case .raw(let raw):
            (size, rate) = (raw.size, raw.rate)
        case .rtmp, .srt, .pull, .file, .test:
            return nil
        }
        return FrameEncoderCommand(settings: mezzanine.job(size: size, rate: rate).settings, recipe: recipe, rate: rate)
            .command(for: ffmpeg)
    }

    /// Builds the command that encodes a group.
    ///
    /// - Parameters:
    ///   - recipe: How FFmpeg uses the encoder chosen for the group. Ignored if the group copies its video.
    ///   - format: The format of the input, if known.
    ///   - size: The size to encode if the group names none. `nil` keeps that of the source.
    ///   - resume: Where the group's feed ends.
    package static func encoder(
        _ group: GroupConfiguration, recipe: any EncoderRecipe, format: VideoFormat?, size: FrameSize? = nil,
        resume: ResumePoint?,
        ffmpeg: FFmpegCapabilities
    ) -> FFmpegCommand {
        let arriving: FrameRate?
        var announced: FrameRate?
        let video: VideoTreatment
        switch group.video {
        case .copy:
            arriving = format?.frameRate
            video = .copy
        case .encode(let wish):
            arriving = wish.rate(of: format)
            announced = wish.rate(format?.announcedRate, of: format)
            let frames = format.map { ArrivingFrames($0) }
            video = .encode(VideoSettings(wish, size: size, arriving: arriving, frames: frames), with: recipe)
        }
        let audio: AudioTreatment
        switch group.audio {
        case .copy: audio = .copy
        case .encode(let wish):
            audio = .aac(bitrate: wish.bitrate.bitsPerSecond, rate: wish.rate, channels: wish.channels)
        }
        return EncoderCommand(
            video: video, audio: audio, inputRate: arriving, announcedRate: announced,
            inputSize: format?.size, resume: resume
        ).command(for: ffmpeg)
    }

    /// Builds the command that sends a group to a target.
    ///
    /// - Parameter rate: Frames per second, if known and ``FFmpegCapabilities/needsRateOfPublishers`` asks for it.
    /// - Throws: ``SecretError`` or ``CommandError``. ``StartError`` for a codec that FFmpeg cannot send to the target:
    ///   it would publish an empty stream repeatedly.
    package static func publisher(
        _ target: TargetConfiguration, of group: GroupConfiguration, take: Int, rate: FrameRate? = nil,
        ffmpeg: FFmpegCapabilities,
        environment: [String: String], isPlan: Bool = false
    ) throws -> FFmpegCommand {
        if let missing = MissingAbility.codec(of: target, in: group, for: ffmpeg) {
            throw StartError(missing.sentence(ffmpeg: "\(ffmpeg.version)"))
        }
        let kind: PublisherTarget
        switch target.destination {
        case .rtmp(let rtmp):
            kind = .rtmp(
                url: rtmp.url, key: try reveal(rtmp.key, as: .key, environment: environment, isPlan: isPlan),
                tls: PeerCheck(rtmp.tls))
        case .srt(let srt):
            kind = .srt(
                url: srt.url,
                passphrase: try reveal(srt.passphrase, as: .passphrase, environment: environment, isPlan: isPlan),
                streamID: try reveal(srt.streamid, as: .streamid, environment: environment, isPlan: isPlan),
                latency: nil)
        case .record(let record):
            kind = .record(folder: record.folder, name: target.name, segment: record.segment, take: take)
        }
        return try PublisherCommand(target: kind, rate: rate).command(for: ffmpeg)
    }
}

extension VideoEncoding {
    /// Frames a second that reach the encoder from a stream, if the stream has a rate.
    func rate(of format: VideoFormat?) -> FrameRate? { rate(format?.frameRate, of: format) }

    /// Frames a second that reach the encoder from a stream of this format with a given frame rate.
    func rate(_ frames: FrameRate?, of format: VideoFormat?) -> FrameRate? {
        guard let format, let rate = frames else { return nil }
        let fields = format.isInterlaced && deinterlace == .field ? 2 : 1
        return FrameRate(rate.numerator * fields, rate.denominator)
    }
}

extension SourceConfiguration {
    /// The number of the program that the configuration asks for.
    var program: Int? {
        switch kind {
        case .srt(let source): source.program
        case .pull(let source): source.program
        case .file(let source): source.program
        case .rtmp, .capture, .raw, .test: nil
        }
    }

    /// Whether its relay lists programs and streams, and reports how much it passes on.
    var isDescribed: Bool {
        switch kind {
        case .srt, .pull, .file: true
        case .rtmp, .capture, .raw, .test: false
        }
    }

    /// Whether its secret is passed to FFmpeg in a way in which FFmpeg does not list the programs of a transport
    /// stream.
    var hidesPrograms: Bool {
        switch kind {
        case .srt(let source): source.passphrase != nil
        case .pull(let source): source.hasSecret && RelaySource.mayHavePrograms(at: source.url)
        case .rtmp, .capture, .raw, .file, .test: false
        }
    }

    /// The streams to select until FFmpeg has listed them.
    var streamMap: StreamMap { program.map(StreamMap.program) ?? .first }
}

extension MezzanineConfiguration {
    /// The bitrate of video that a relay encodes: a fifth more than the source's video and audio, because encoding
    /// again costs some quality, but no more than a card's.
    func relayBitrate(for transcoding: Commands.Transcoding) -> Int {
        guard let measured = transcoding.measured else { return bitrate.bitsPerSecond }
        return max(Self.least, min(measured / 5 * 6, Self.most, bitrate.bitsPerSecond))
    }

    private static let least = 1_000_000
    private static let most = 20_000_000
}

extension RTSPWay {
    init(_ transport: RTSPTransport) {
        self =
            switch transport {
            case .auto: .auto
            case .tcp: .tcp
            case .udp: .udp
            }
    }
}

extension PeerCheck {
    init(_ verification: TLSVerification) {
        self =
            switch verification {
            case .system: .system
            case .authorities(let file): .authorities(file: file)
            case .none: .none
            }
    }
}

extension ChannelConfiguration {
    /// Whether a group copies the channel's audio. The audio then keeps one format, because targets cannot follow a
    /// change.
    var copiesAudio: Bool { groups.contains { $0.audio == .copy } }
}

extension GroupConfiguration {
    /// Whether the group sends its channel on unchanged, so that it needs no encoder and no feed of its own.
    package var passesThrough: Bool { video == .copy && audio == .copy }
}
