import EncoderSelection
import FFmpeg
import MediaTypes

/// The command lines that the self-check tries.
extension FFmpegSelfCheck {
    /// One kind of command line.
    struct Role: Sendable {
        /// The purpose of such processes.
        var name: String
        /// The parts that FFmpeg has to list.
        var needs: [[FFmpegPart]]
        /// `nil` if it cannot be built here.
        var command: FFmpegCommand?
        var input: MemoryFile?
        var output: MemoryFile?
        /// Whether it ends with an error, because its peer or device does not exist. FFmpeg reads its options before it
        /// notices that.
        var fails = false
        /// Whether FFmpeg has accepted the options, for a process that does not end by itself.
        var isDone: (@Sendable () -> Bool)?
    }

    private static let x264: [FFmpegPart] = [.encoder("libx264")]
    private static let x265: [FFmpegPart] = [.encoder("libx265")]

    /// The command lines whose output is the input of others.
    func makers(from files: SelfCheckFolder?, relayed: MemoryFile, made: MemoryFile) -> [Role] {
        [
            Role(
                name: "file sources", needs: [.flvInput, [.input("file")]],
                command: files.flatMap { relay(.file(path: $0.media, loop: true)) }?.limited(toSeconds: "0.2"),
                output: relayed),
            Role(
                name: "test sources and sources in other codecs", needs: [.testPicture, Self.x264, .encodedAudio],
                command: relay(.test(size: Self.size, rate: Self.rate))?.limited(toSeconds: "0.2"), output: made),
        ]
    }

    func sources() -> [Role] {
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
        try? RelayCommand(source: source, silence: Self.silence).command(for: ffmpeg.capabilities)
    }

    private func pull(_ name: String, _ command: FFmpegCommand?, needs: [[FFmpegPart]]) -> Role {
        Role(name: name, needs: needs, command: command, fails: true)
    }

    /// FFmpeg opens its port after it has read all SRT options.
    private func listener(_ name: String, passphrase: String?, needs: [[FFmpegPart]]) -> Role {
        guard let port = UDPPort.free() else { return Role(name: name, needs: needs, command: nil) }
        let source = RelaySource.srtListen(
            address: "127.0.0.1:\(port)", passphrase: passphrase, latency: nil, tellsCaller: true)
        return Role(name: name, needs: needs, command: relay(source), isDone: { UDPPort.isBound(port) })
    }

    func publishers(_ audio: MemoryFile) -> [Role] {
        [
            Role(
                name: "audio of RTMP sources that is not AAC", needs: [.convertedAudio, [.decoder("pcm_mulaw")]],
                command: FFmpegCommands.audioConverter(), input: audio)
        ]
    }

    func cards(_ frames: MemoryFile) -> [Role] {
        let hasAudio = FFmpegPart.demuxer("alsa").isIn(ffmpeg.capabilities)
        let card = CaptureInput(
            node: "/dev/streambox-check", format: "yuyv422", size: Self.size, rate: Self.rate,
            audio: hasAudio ? "null" : nil)
        let reader = CardReaderCommand(card: card, size: Self.size)
        let settings = VideoSettings(bitrate: 200_000, keyframeInterval: .milliseconds(500))
        let encoder = FrameEncoderCommand(settings: settings, recipe: Libx264Recipe(effort: .least), rate: Self.rate)
        return [
            Role(name: "capture cards", needs: [.card], command: reader.command(for: ffmpeg.capabilities), fails: true),
            // Where ALSA has no files of its own, the audio device does not exist either.
            Role(
                name: "video and audio of capture cards", needs: [.card, .testPicture, .encodedAudio],
                command: reader.commandWithoutCard(for: ffmpeg.capabilities), fails: true),
            Role(
                name: "encoders of capture cards and raw frames", needs: [.frames, Self.x264],
                command: encoder.command(for: ffmpeg.capabilities), input: frames),
        ]
    }

    func slates(_ files: SelfCheckFolder?) -> [Role] {
        var picture = SlateCommand.Picture(image: files?.image)
        if FFmpegPart.filter("drawtext").isIn(ffmpeg.capabilities), let font = Fonts.any {
            picture.textFile = files?.text
            picture.font = font
        }
        return [
            Role(name: "the slate", needs: [.slate, .plainSlate, Self.x264], command: slate(.plain, .h264)),
            Role(name: "slates in HEVC", needs: [.slate, .plainSlate, Self.x265], command: slate(.plain, .hevc)),
            Role(
                name: "slates with an image or a text", needs: [.slate, .slateImage, Self.x264],
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
    func groups(_ media: MemoryFile) -> [Role] {
        let recipes: [(name: String, recipe: any EncoderRecipe)] = [
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
            return Role(
                name: group.name,
                needs: [
                    [.encoder(group.recipe.encoder), .decoder("h264"), .decoder("aac")], .encodedVideo,
                    .convertedRate, .resumedVideo, .encodedAudio, .resumedAudio,
                ],
                command: command.command(for: ffmpeg.capabilities), input: media)
        }
    }

    func targets(_ media: MemoryFile, _ files: SelfCheckFolder?) -> [Role] {
        [
            Role(
                name: "callers of SRT sources", needs: [[.input("srt")]], command: relay(.transportStream), input: media
            ),
            Role(
                name: "recordings", needs: [.recording],
                command: files.flatMap {
                    publisher(.record(folder: $0.folder, name: "check", segment: .seconds(60), take: 0))
                }, input: media),
            // No server listens on that port.
            Role(
                name: "RTMP targets", needs: [.rtmpTarget, [.output("rtmp")]],
                command: publisher(.rtmp(url: "rtmp://127.0.0.1:1/check", key: "check")), input: media, fails: true),
            Role(
                name: "RTMPS targets", needs: [.rtmpTarget, [.output("rtmps")]],
                command: publisher(.rtmp(url: "rtmps://127.0.0.1:1/check", key: "check")), input: media, fails: true),
            Role(
                name: "SRT targets", needs: [[.output("srt")], .rawCopy],
                command: publisher(
                    .srt(
                        url: "srt://127.0.0.1:1?connect_timeout=100", passphrase: "check-check", streamID: "check",
                        latency: nil)),
                input: media, fails: true),
        ]
    }

    private func publisher(_ target: PublisherTarget) -> FFmpegCommand? {
        try? PublisherCommand(target: target).command(for: ffmpeg.capabilities)
    }
}
