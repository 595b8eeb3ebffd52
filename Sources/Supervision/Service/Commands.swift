package import BoxConfiguration
package import CapabilityProbe
import EncoderSelection
package import FFmpeg
package import MPEGTS
package import MediaTypes

/// The command lines for what a configuration asks for. `run` and `plan` make them here, so that they are the same.
package enum Commands {
    /// How a relay treats what the source sends.
    package struct Transcoding: Sendable, Hashable {
        /// The picture is in a codec that a feed does not carry.
        package var video = false
        /// So is the sound, or it is in another format than the channel's.
        package var audio = false
        /// Samples a second of sound that is made or encoded: 48,000 or 44,100, the channel's where it is known.
        package var soundRate = 48_000
        /// What the sound is in that comes, where it is AAC that does not have the channel's format.
        package var otherSound: AACFormat?
        /// What is done with interlaced frames of such a picture.
        package var deinterlacing: VideoSettings.Deinterlacing?
        /// Bits a second of what came, picture and sound; `nil` while it is not measured.
        package var measured: Int?

        package init() {}

        /// What a channel's relays begin with.
        package init(for channel: ChannelConfiguration) {
            deinterlacing = Self.deinterlacing(for: channel.groups.map(\.video))
        }

        /// Where one group wants every field, all get them. Only where each encodes and wants them as they are, they
        /// stay interlaced: what is passed on has to be progressive, since platforms take nothing else.
        private static func deinterlacing(for outputs: [VideoOutput]) -> VideoSettings.Deinterlacing? {
            let wishes = outputs.map { output in
                if case .encode(let wish) = output { wish.deinterlace } else { Deinterlacing.auto }
            }
            if wishes.contains(.field) { return .fields }
            return !wishes.isEmpty && wishes.allSatisfy { $0 == .off } ? nil : .frames
        }

        /// What is made or encoded is in the channel's format from now on.
        ///
        /// - Parameter format: `nil` while the channel's sound may be in any: then nothing needs to be converted.
        mutating func keep(_ format: AACFormat?) {
            soundRate = format?.sampleRate ?? AACFormat.stereo48.sampleRate
            if format == nil, otherSound != nil { (audio, otherSound) = (false, nil) }
        }

        /// Has the sound encoded in the channel's format.
        ///
        /// - Parameter other: What it is in that comes.
        /// - Returns: Whether that is not what is done already.
        mutating func convertSound(_ other: AACFormat, to format: AACFormat) -> Bool {
            guard !audio || soundRate != format.sampleRate else { return false }
            // Where it is encoded already, what comes of that is no news of the source.
            if !audio { otherSound = other }
            (audio, soundRate) = (true, format.sampleRate)
            return true
        }

        /// Whether the relay of a source would be the same.
        func treats(_ source: SourceConfiguration, like other: Transcoding) -> Bool {
            switch source.kind {
            case .srt, .pull, .file: self == other
            // None of these sends a codec that a feed does not carry.
            case .capture: deinterlacing == other.deinterlacing
            // A publisher has no relay.
            case .raw, .test, .rtmp: true
            }
        }
    }

    /// A secret of the service's.
    ///
    /// - Parameter isPlan: Whoever asks is perhaps not the service: what only that can have is stood in for, since
    ///   nobody is shown it.
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

    /// - Parameters:
    ///   - streams: What is taken of the source's streams; `nil` for what its configuration says.
    ///   - isNarrow: For an SRT source with a passphrase: of a caller, the first picture and sound alone.
    ///   - transport: By which an RTSP source is asked, where its configuration leaves that open.
    ///   - card: What a capture source is bound to; without one it cannot run.
    ///   - isPlan: For a person to look at, who is perhaps another user than the service's.
    /// - Returns: `nil` for an RTMP publisher and for frames, which the service reads itself.
    /// - Throws: ``SecretError`` or ``CommandError``; ``NotRunnable`` for a card that is not there.
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
            // FFmpeg asks for none: its callers are checked here. Without it nobody could be let in.
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
            return CardReaderCommand(card: self.card(capture, card, setting), size: setting.frameSize).command(
                for: ffmpeg)
        case .rtmp, .raw:
            return nil
        }
        return try relay(kind, mezzanine, transcoding, streams ?? source.streamMap).command(for: ffmpeg)
    }

    private static func relay(
        _ source: RelaySource, _ mezzanine: MezzanineConfiguration, _ transcoding: Transcoding, _ streams: StreamMap
    ) -> RelayCommand {
        var audio = transcoding.audio ? RelayAudio.aac(bitrate: foreignSound, rate: transcoding.soundRate) : .copy
        if case .test = source { audio = .aac(bitrate: RelayCommand.testAudioBitrate, rate: transcoding.soundRate) }
        return RelayCommand(
            source: source,
            video: transcoding.video
                ? .mezzanine(
                    bitrate: mezzanine.relayBitrate(for: transcoding), keyframe: mezzanine.keyframe,
                    deinterlacing: transcoding.deinterlacing)
                : .copy,
            audio: audio, streams: streams)
    }

    /// Bits a second of sound that is encoded on the way in.
    static let foreignSound = 192_000

    /// What makes AAC of a publisher's audio that a feed does not carry.
    ///
    /// - Parameters:
    ///   - sampleRate: Samples a second of the AAC.
    ///   - firstSample: Where it continues what another process converted, see ``AudioConverterCommand/firstSample``.
    package static func sound(sampleRate: Int = 48_000, firstSample: Int64? = nil) -> FFmpegCommand {
        AudioConverterCommand(bitrate: foreignSound, sampleRate: sampleRate, firstSample: firstSample).command()
    }

    /// What makes of an SRT caller's transport stream what the feed takes: it can be replaced while the caller stays.
    ///
    /// - Parameter streams: What is taken of its streams; `nil` for what the configuration says.
    /// - Returns: `nil` for a source that is not an SRT listener.
    package static func callRelay(
        _ source: SourceConfiguration, mezzanine: MezzanineConfiguration, transcoding: Transcoding,
        streams: StreamMap? = nil, ffmpeg: FFmpegCapabilities
    ) throws -> FFmpegCommand? {
        guard case .srt = source.kind else { return nil }
        return try relay(.transportStream, mezzanine, transcoding, streams ?? source.streamMap).command(for: ffmpeg)
    }

    /// - Parameter hasSound: With the card's sound, where it has one and the configuration wants it.
    static func card(_ source: CaptureSource, _ card: CaptureDevice, _ setting: CaptureSetting, hasSound: Bool = true)
        -> CaptureInput
    {
        let sound: String? =
            switch source.audio {
            case _ where !hasSound: nil
            case .auto: card.sound
            case .none: nil
            case .device(let id): id
            }
        return CaptureInput(
            node: card.node, format: setting.format, size: setting.size, rate: setting.rate, audio: sound)
    }

    /// What encodes the frames of a source; `nil` where its relay gives pictures.
    ///
    /// - Parameter recipe: How the encoder is used that was chosen.
    /// - Throws: ``NotRunnable`` for a card that is not there.
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

    /// - Parameters:
    ///   - recipe: How the encoder is used that was chosen for the group; a group that copies its picture ignores it.
    ///   - format: What arrives, as far as it is known.
    ///   - size: The size to encode where the group names none; `nil` keeps that of the source.
    ///   - resume: Where the group feed ends.
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

    /// - Throws: ``SecretError`` or ``CommandError``; ``StartError`` for a codec that FFmpeg cannot send there: it
    ///   would publish an empty stream, again and again.
    /// - Parameter rate: Frames per second, where they are known and ``FFmpegCapabilities/needsRateOfPublishers`` asks
    ///   for them.
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
    /// Pictures a second that reach the encoder from a stream, where that says it.
    func rate(of format: VideoFormat?) -> FrameRate? { rate(format?.frameRate, of: format) }

    /// Pictures a second that reach the encoder from a stream of this format at a rate of frames.
    func rate(_ frames: FrameRate?, of format: VideoFormat?) -> FrameRate? {
        guard let format, let rate = frames else { return nil }
        let fields = format.isInterlaced && deinterlace == .field ? 2 : 1
        return FrameRate(rate.numerator * fields, rate.denominator)
    }
}

extension SourceConfiguration {
    /// The number of the program that is asked for.
    var program: Int? {
        switch kind {
        case .srt(let source): source.program
        case .pull(let source): source.program
        case .file(let source): source.program
        case .rtmp, .capture, .raw, .test: nil
        }
    }

    /// Its relay lists programs and streams, and says how much it passes on.
    var isDescribed: Bool {
        switch kind {
        case .srt, .pull, .file: true
        case .rtmp, .capture, .raw, .test: false
        }
    }

    /// Its secret goes to FFmpeg in a way in which the programs of a transport stream are not told.
    var hidesPrograms: Bool {
        switch kind {
        case .srt(let source): source.passphrase != nil
        case .pull(let source): source.hasSecret && RelaySource.mayHavePrograms(at: source.url)
        case .rtmp, .capture, .raw, .file, .test: false
        }
    }

    /// What is taken of its streams until FFmpeg has listed them.
    var streamMap: StreamMap { program.map(StreamMap.program) ?? .first }
}

extension MezzanineConfiguration {
    /// The rate of a picture that is encoded on the way in: a fifth more than picture and sound came with, since
    /// encoding again costs some of what they show; no more than a card's.
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
    /// A group passes the channel's sound on, which has one format therefore: a target does not follow when it changes.
    var copiesSound: Bool { groups.contains { $0.audio == .copy } }
}

extension GroupConfiguration {
    /// The group sends its channel on as it is, so it needs no encoder and no feed of its own.
    package var passesThrough: Bool { video == .copy && audio == .copy }
}
