package import BoxConfiguration
package import CapabilityProbe
import EncoderSelection
package import FFmpeg
package import MPEGTS
package import MediaTypes

/// Builds the FFmpeg command lines for a configuration. The service and `streambox plan` both use these functions, so
/// that `plan` shows what the service runs.
package enum FFmpegCommands {
    /// The conversions that a relay makes.
    package struct Transcoding: Sendable, Hashable {
        /// Whether to encode the video, because a feed does not carry its codec.
        package var video = false
        /// Whether to encode the audio, because a feed does not carry its codec, or its format differs from the
        /// channel's.
        package var audio = false
        /// The sample rate of generated or encoded audio: the channel's rate if known (48,000 or 44,100), otherwise
        /// 48,000.
        package var audioRate = 48_000
        /// The format of the source's audio, if it is AAC in another format than the channel's. `nil` otherwise.
        package var mismatchedAudio: AACFormat?
        /// How interlaced frames are deinterlaced, if the video is encoded. `nil` leaves them interlaced.
        package var deinterlacing: VideoSettings.Deinterlacing?
        /// The measured bitrate of the source's video and audio together, in bits per second. `nil` if not measured
        /// yet.
        package var measured: Int?

        package init() {}

        /// Makes the conversions with which the relays of a channel begin, before anything is known of their sources.
        package init(for channel: ChannelConfiguration) {
            deinterlacing = Self.deinterlacing(for: channel.groups.map(\.video))
        }

        /// Returns how the relays of a channel deinterlace: to one frame per field if any group asks for it, not at all
        /// if every group encodes and turns deinterlacing off, otherwise to one frame per frame. A group that copies
        /// its video gets progressive frames, because platforms accept nothing else.
        private static func deinterlacing(for outputs: [VideoOutput]) -> VideoSettings.Deinterlacing? {
            let modes = outputs.map { output in
                if case .encode(let encoding) = output { encoding.deinterlace } else { DeinterlaceMode.auto }
            }
            if modes.contains(.field) { return .onePerField }
            return !modes.isEmpty && modes.allSatisfy { $0 == .off } ? nil : .onePerFrame
        }

        /// Sets the channel's audio format.
        ///
        /// - Parameter format: `nil` if the channel's audio may have any format. The relay then no longer converts AAC.
        mutating func setAudioFormat(_ format: AACFormat?) {
            audioRate = format?.sampleRate ?? AACFormat.stereo48.sampleRate
            if format == nil, mismatchedAudio != nil { (audio, mismatchedAudio) = (false, nil) }
        }

        /// Makes the relay encode the audio in the channel's format.
        ///
        /// - Parameters:
        ///   - other: The format of the audio that the relay sends now.
        ///   - format: The channel's format.
        /// - Returns: Whether this changes the conversion.
        mutating func convertAudio(_ other: AACFormat, to format: AACFormat) -> Bool {
            guard !audio || audioRate != format.sampleRate else { return false }
            // If the relay encodes the audio already, `other` is the format of its output, not of the source.
            if !audio { mismatchedAudio = other }
            (audio, audioRate) = (true, format.sampleRate)
            return true
        }

        /// Whether these conversions and others lead to the same command line for a source.
        func hasSameRelay(for source: SourceConfiguration, as other: Transcoding) -> Bool {
            switch source.kind {
            case .srt, .pull, .file: self == other
            // A card reader does not encode video, and its driver restarts it for another audio rate.
            case .capture: deinterlacing == other.deinterlacing
            // The test picture is progressive, and its audio is generated.
            case .test: audioRate == other.audioRate
            // The service reads these sources itself, without a relay.
            case .raw, .rtmp: true
            }
        }
    }

    /// Reads one of the service's secrets.
    ///
    /// - Parameters:
    ///   - use: What the secret is for, which decides what it may contain.
    ///   - isPlan: Whether the command is only shown, with its secrets masked. A secret that this user may not read is
    ///     then replaced by a placeholder.
    /// - Returns: `nil` if the configuration has no such secret.
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
    ///   - mezzanine: The settings for video that the relay has to encode, see ``RelayVideo``.
    ///   - transcoding: The conversions that the relay makes.
    ///   - streams: The streams to select. `nil` selects those that the configuration asks for.
    ///   - firstStreamsOnly: For an SRT source with a passphrase: whether to pass on only the first video and the first
    ///     audio stream of a caller.
    ///   - transport: The transport of an RTSP source, if the configuration leaves it open.
    ///   - card: The card of a capture source. `nil` if it is not plugged in.
    ///   - isPlan: Whether the command is only shown, perhaps to another user than the service's.
    /// - Returns: `nil` for an RTMP publisher and for raw frames, which the service reads itself.
    /// - Throws: ``SecretError`` or ``CommandError``. ``NotRunnable`` if the card is not plugged in.
    package static func relay(
        _ source: SourceConfiguration, mezzanine: MezzanineConfiguration, transcoding: Transcoding,
        streams: StreamMap? = nil, firstStreamsOnly: Bool = false,
        transport: FFmpegRTSPTransport = .auto, card: CaptureDevice? = nil, ffmpeg: FFmpegCapabilities,
        environment: [String: String], isPlan: Bool = false
    ) throws -> FFmpegCommand? {
        let kind: RelaySource
        switch source.kind {
        case .srt(let srt):
            let passphrase = try reveal(srt.passphrase, as: .passphrase, environment: environment, isPlan: isPlan)
            // The service checks stream ids, not FFmpeg, so the command has no use for the secret. It is read here so
            // that a missing secret is reported now: without it no caller could be accepted.
            _ = try reveal(srt.streamid, as: .streamid, environment: environment, isPlan: isPlan)
            kind = .srtListen(
                address: srt.listen.description, passphrase: passphrase, latency: nil, tellsCaller: true,
                firstStreamsOnly: firstStreamsOnly)
        case .pull(let pull):
            kind = .pull(
                url: pull.url,
                passphrase: try reveal(pull.passphrase, as: .passphrase, environment: environment, isPlan: isPlan),
                streamID: try reveal(pull.streamid, as: .streamid, environment: environment, isPlan: isPlan),
                password: try reveal(pull.password, as: .key, environment: environment, isPlan: isPlan),
                tls: PeerCheck(pull.tls),
                transport: pull.transport == .auto ? transport : FFmpegRTSPTransport(pull.transport))
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

    /// The bitrate of audio that a relay or an audio converter encodes, in bits per second.
    static let convertedAudioBitrate = 192_000

    /// Builds the command that converts a publisher's audio to AAC, if a feed does not carry its codec.
    ///
    /// - Parameters:
    ///   - sampleRate: Samples per second of the AAC.
    ///   - firstSample: The sample at which the output continues that of an earlier process, see
    ///     ``AudioConverterCommand/firstSample``.
    package static func audioConverter(sampleRate: Int = 48_000, firstSample: Int64? = nil) -> FFmpegCommand {
        AudioConverterCommand(bitrate: convertedAudioBitrate, sampleRate: sampleRate, firstSample: firstSample)
            .command()
    }

    /// Builds the command that converts an SRT caller's transport stream for the feed. The process can be replaced
    /// while the caller stays connected.
    ///
    /// - Parameter streams: The streams to select. `nil` selects those that the configuration asks for.
    /// - Returns: `nil` for a source that is not an SRT listener.
    package static func callerRelay(
        _ source: SourceConfiguration, mezzanine: MezzanineConfiguration, transcoding: Transcoding,
        streams: StreamMap? = nil, ffmpeg: FFmpegCapabilities
    ) throws -> FFmpegCommand? {
        guard case .srt = source.kind else { return nil }
        return try relay(.transportStream, mezzanine, transcoding, streams ?? source.streamMap).command(for: ffmpeg)
    }

    /// Builds the input of a capture card.
    ///
    /// - Parameter readsAudio: Whether to read the card's audio, if it has some and the configuration asks for it.
    static func captureInput(
        _ source: CaptureSource, _ card: CaptureDevice, _ setting: CaptureSetting, readsAudio: Bool = true
    ) -> CaptureInput {
        let audio: String? =
            switch source.audio {
            case _ where !readsAudio: nil
            case .auto: card.sound
            case .none: nil
            case .device(let id): id
            }
        return CaptureInput(
            node: card.node, format: setting.format, size: setting.size, rate: setting.rate, audio: audio)
    }

    /// Builds the command that encodes the frames of a source. `nil` if the source's relay delivers encoded video.
    ///
    /// - Parameter recipe: The FFmpeg options for the chosen encoder.
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
    ///   - recipe: The FFmpeg options for the encoder chosen for the group. Ignored if the group copies its video.
    ///   - format: The format of the input. `nil` if unknown.
    ///   - size: The size to encode if the group's configuration has none. `nil` keeps the size of the input.
    ///   - resume: Where the group's feed ends. `nil` if it has no frame yet.
    package static func encoder(
        _ group: GroupConfiguration, recipe: any EncoderRecipe, format: VideoFormat?, size: FrameSize? = nil,
        resume: ResumePoint?,
        ffmpeg: FFmpegCapabilities
    ) -> FFmpegCommand {
        // The rate at which frames reach the encoder, and the same by the rate that the stream announces.
        let inputRate: FrameRate?
        var announcedRate: FrameRate?
        let video: VideoTreatment
        switch group.video {
        case .copy:
            inputRate = format?.frameRate
            video = .copy
        case .encode(let encoding):
            inputRate = encoding.rate(of: format)
            announcedRate = encoding.rate(format?.announcedRate, of: format)
            let frames = format.map { ArrivingFrames($0) }
            video = .encode(VideoSettings(encoding, size: size, arriving: inputRate, frames: frames), with: recipe)
        }
        let audio: AudioTreatment
        switch group.audio {
        case .copy: audio = .copy
        case .encode(let encoding):
            audio = .aac(bitrate: encoding.bitrate.bitsPerSecond, rate: encoding.rate, channels: encoding.channels)
        }
        return EncoderCommand(
            video: video, audio: audio, inputRate: inputRate, announcedRate: announcedRate,
            inputSize: format?.size, resume: resume
        ).command(for: ffmpeg)
    }

    /// Builds the command that sends a group to a target.
    ///
    /// - Parameters:
    ///   - take: The number that keeps a recording from overwriting another one, see ``RecordingFiles``.
    ///   - rate: Frames per second, if known and ``FFmpegCapabilities/needsRateOfPublishers`` asks for it.
    /// - Throws: ``SecretError`` or ``CommandError``. ``StartError`` for a codec that FFmpeg cannot send to the target,
    ///   because FFmpeg would publish an empty stream repeatedly.
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
