import EncoderSelection
import FFmpeg
import MediaTypes

/// The command lines that the self-check tries.
extension FFmpegSelfCheck {
    /// One kind of command line.
    struct CheckedCommand: Sendable {
        /// The purpose of such processes: `RTMP targets`.
        var purpose: String
        /// The parts that FFmpeg has to list.
        var needs: [[FFmpegPart]]
        /// `nil` if it cannot be built here.
        var command: FFmpegCommand?
        var input: MemoryFile?
        var output: MemoryFile?
        /// Whether it is expected to end with an error, because its peer or device does not exist. FFmpeg reads its
        /// options before it notices that.
        var isExpectedToFail = false
        /// Whether FFmpeg has accepted the options, for a process that does not end by itself.
        var isDone: (@Sendable () -> Bool)?
    }

    private static let x264: [FFmpegPart] = [.encoder("libx264")]
    private static let x265: [FFmpegPart] = [.encoder("libx265")]

    /// The command lines whose output is the input of others.
    func mediaCommands(_ files: SelfCheckFolder?, relayed: MemoryFile, encoded: MemoryFile) -> [CheckedCommand] {
        [
            CheckedCommand(
                purpose: "file sources", needs: [.flvInput, [.input("file")]],
                command: files.flatMap { relay(.file(path: $0.media, loop: true)) }?.limited(toSeconds: "0.2"),
                output: relayed),
            CheckedCommand(
                purpose: "test sources and sources in other codecs", needs: [.testPicture, Self.x264, .encodedAudio],
                command: relay(.test(size: Self.size, rate: Self.rate))?.limited(toSeconds: "0.2"), output: encoded),
        ]
    }

    func sources() -> [CheckedCommand] {
        let udp = UDPPort.free()
        return [
            listener("SRT sources", passphrase: nil, needs: [[.input("srt")], .rawCopy]),
            listener(
                "SRT sources with a passphrase", passphrase: "check-check", needs: [[.input("srt")], .secretInput]),
            // No server listens on that port.
            pull(
                "RTSP pulls", relay(.pull(url: "rtsp://127.0.0.1:1/check")),
                needs: [[.demuxer("rtsp"), .input("tcp")]]),
            pull("HTTP pulls", relay(.pull(url: "http://127.0.0.1:1/check")), needs: [[.input("http")]]),
            pull("RTMP pulls", relay(.pull(url: "rtmp://127.0.0.1:1/check")), needs: [[.input("rtmp")], .flvInput]),
            pull("SRT pulls", relay(.pull(url: "srt://127.0.0.1:1")), needs: [[.input("srt")]]),
            pull("UDP pulls", udp.flatMap { relay(.pull(url: "udp://127.0.0.1:\($0)")) }, needs: [[.input("udp")]]),
            pull(
                "pulls with a password", relay(.pull(url: "rtsp://check@127.0.0.1:1/check", password: "check")),
                needs: [[.demuxer("rtsp"), .input("tcp")], .secretInput]),
        ]
    }

    private func relay(_ source: RelaySource) -> FFmpegCommand? {
        try? RelayCommand(source: source, silence: Self.absentSourceTimeout).command(for: ffmpeg.capabilities)
    }

    private func pull(_ purpose: String, _ command: FFmpegCommand?, needs: [[FFmpegPart]]) -> CheckedCommand {
        CheckedCommand(purpose: purpose, needs: needs, command: command, isExpectedToFail: true)
    }

    /// FFmpeg opens its port after it has read all SRT options.
    private func listener(_ purpose: String, passphrase: String?, needs: [[FFmpegPart]]) -> CheckedCommand {
        guard let port = UDPPort.free() else { return CheckedCommand(purpose: purpose, needs: needs, command: nil) }
        let source = RelaySource.srtListen(
            address: "127.0.0.1:\(port)", passphrase: passphrase, latency: nil, tellsCaller: true)
        return CheckedCommand(purpose: purpose, needs: needs, command: relay(source), isDone: { UDPPort.isBound(port) })
    }

    func audioConverters(_ audio: MemoryFile) -> [CheckedCommand] {
        [
            CheckedCommand(
                purpose: "audio of RTMP sources that is not AAC", needs: [.convertedAudio, [.decoder("pcm_mulaw")]],
                command: FFmpegCommands.audioConverter(), input: audio)
        ]
    }

    func cards(_ frames: MemoryFile) -> [CheckedCommand] {
        let hasAudio = FFmpegPart.demuxer("alsa").isIn(ffmpeg.capabilities)
        let card = CaptureInput(
            node: "/dev/streambox-check", format: "yuyv422", size: Self.size, rate: Self.rate,
            audio: hasAudio ? "null" : nil)
        let reader = CardReaderCommand(card: card, size: Self.size)
        let settings = VideoSettings(bitrate: 200_000, keyframeInterval: .milliseconds(500))
        let encoder = FrameEncoderCommand(settings: settings, recipe: Libx264Recipe(effort: .least), rate: Self.rate)
        return [
            CheckedCommand(
                purpose: "capture cards", needs: [.card], command: reader.command(for: ffmpeg.capabilities),
                isExpectedToFail: true),
            // Where ALSA has no files of its own, the audio device does not exist either.
            CheckedCommand(
                purpose: "video and audio of capture cards", needs: [.card, .testPicture, .encodedAudio],
                command: reader.commandWithoutCard(for: ffmpeg.capabilities), isExpectedToFail: true),
            CheckedCommand(
                purpose: "encoders of capture cards and raw frames", needs: [.frames, Self.x264],
                command: encoder.command(for: ffmpeg.capabilities), input: frames),
        ]
    }

    func slates(_ files: SelfCheckFolder?) -> [CheckedCommand] {
        var picture = SlateCommand.Picture(image: files?.image)
        if FFmpegPart.filter("drawtext").isIn(ffmpeg.capabilities), let font = Fonts.any {
            picture.textFile = files?.text
            picture.font = font
        }
        return [
            CheckedCommand(
                purpose: "the slate", needs: [.slate, .plainSlate, Self.x264], command: slate(.plain, .h264)),
            CheckedCommand(
                purpose: "slates in HEVC", needs: [.slate, .plainSlate, Self.x265], command: slate(.plain, .hevc)),
            CheckedCommand(
                purpose: "slates with an image or a text", needs: [.slate, .slateImage, Self.x264],
                command: files == nil ? nil : slate(picture, .h264)),
        ]
    }

    private func slate(_ picture: SlateCommand.Picture, _ codec: VideoCodec) -> FFmpegCommand {
        SlateCommand(
            picture: picture, codec: codec, size: Self.size, rate: Self.rate, profile: codec == .h264 ? "high" : nil,
            frames: 2, output: "/dev/null"
        ).command()
    }

    /// Returns the command lines of groups: with another aspect ratio and rate than the input, with deinterlacing, and
    /// with a resume point.
    func groups(_ media: MemoryFile) -> [CheckedCommand] {
        let recipes: [(purpose: String, recipe: any EncoderRecipe)] = [
            ("groups in H.264", Libx264Recipe()), ("groups in HEVC", Libx265Recipe()),
        ]
        let settings = VideoSettings(
            size: FrameSize(width: 96, height: 64), frameRate: FrameRate(25), bitrate: 200_000,
            keyframeInterval: .milliseconds(500),
            fit: .pad, deinterlacing: .onePerFrame)
        return recipes.map { group in
            let command = EncoderCommand(
                video: .encode(settings, with: group.recipe), audio: .aac(bitrate: 96_000, rate: 48_000, channels: 2),
                inputRate: Self.rate,
                inputSize: Self.size, resume: ResumePoint(videoStart: 0, audioStart: 0))
            return CheckedCommand(
                purpose: group.purpose,
                needs: [
                    [.encoder(group.recipe.encoder), .decoder("h264"), .decoder("aac")], .encodedVideo,
                    .convertedRate, .resumedVideo, .encodedAudio, .resumedAudio,
                ],
                command: command.command(for: ffmpeg.capabilities), input: media)
        }
    }

    func targets(_ media: MemoryFile, _ files: SelfCheckFolder?) -> [CheckedCommand] {
        [
            CheckedCommand(
                purpose: "callers of SRT sources", needs: [[.input("srt")]], command: relay(.transportStream),
                input: media
            ),
            CheckedCommand(
                purpose: "recordings", needs: [.recording],
                command: files.flatMap {
                    publisher(.record(folder: $0.folder, name: "check", segment: .seconds(60), take: 0))
                }, input: media),
            // No server listens on that port.
            CheckedCommand(
                purpose: "RTMP targets", needs: [.rtmpTarget, [.output("rtmp")]],
                command: publisher(.rtmp(url: "rtmp://127.0.0.1:1/check", key: "check")), input: media,
                isExpectedToFail: true),
            CheckedCommand(
                purpose: "RTMPS targets", needs: [.rtmpTarget, [.output("rtmps")]],
                command: publisher(.rtmp(url: "rtmps://127.0.0.1:1/check", key: "check")), input: media,
                isExpectedToFail: true),
            CheckedCommand(
                purpose: "SRT targets", needs: [[.output("srt")], .rawCopy],
                command: publisher(
                    .srt(
                        url: "srt://127.0.0.1:1?connect_timeout=100", passphrase: "check-check", streamID: "check",
                        latency: nil)),
                input: media, isExpectedToFail: true),
        ]
    }

    private func publisher(_ target: PublisherTarget) -> FFmpegCommand? {
        try? PublisherCommand(target: target).command(for: ffmpeg.capabilities)
    }
}
