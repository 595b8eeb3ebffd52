import EncoderSelection
import MediaTypes
import TestSupport
import Testing

@testable import FFmpeg

/// Command lines by version and role, and the questions to an FFmpeg about its capabilities.
@Suite struct CapabilityTests {
    private static let versions = ["5.1.9-0+deb12u1", "7.1.5-0+deb13u1", "9.0.2-4"]

    /// Whether arguments follow each other somewhere in a command line.
    private func has(_ command: FFmpegCommand, _ words: String...) -> Bool {
        command.arguments.indices.contains { command.arguments[$0...].starts(with: words) }
    }

    private let settings = VideoSettings(bitrate: 1_000_000)
    private let gpu = VAAPIRecipe(codec: .h264, node: "/dev/dri/renderD128")

    @Test(
        "an encoding process keeps its frames' times, with options of every version", arguments: versions
    )
    func times(version: String) throws {
        let ffmpeg = FFmpegCapabilities.release(version)
        let commands = [
            EncoderCommand(video: .encode(settings, with: Libx264Recipe()), audio: .copy).command(for: ffmpeg),
            EncoderCommand(video: .encode(settings, with: gpu), audio: .copy, inputRate: FrameRate(30)).command(
                for: ffmpeg),
            FrameEncoderCommand(settings: settings, recipe: gpu, rate: FrameRate(30)).command(for: ffmpeg),
            try RelayCommand(source: .test(size: FrameSize(width: 64, height: 64), rate: FrameRate(30))).command(
                for: ffmpeg),
        ]
        for command in commands {
            #expect(has(command, "-fps_mode", "passthrough", "-enc_time_base", "1:90000"), "\(command.maskedLine())")
        }
        let card = CardReaderCommand(
            card: CaptureInput(node: "/dev/video0", audio: "hw:1"), size: FrameSize(width: 64, height: 64)
        ).command(for: ffmpeg)
        #expect(has(card, "-enc_time_base", "1:1000000"))
        // FFmpeg 9 has no `-channels` for ALSA.
        #expect(has(card, "-ch_layout", "stereo") && !card.arguments.contains("-channels"))
    }

    @Test(
        "a hardware encoder gets the rate stated if allowed, or found in the stream",
        arguments: versions)
    func rate(version: String) {
        let ffmpeg = FFmpegCapabilities.release(version)
        let isOld = version.hasPrefix("5")
        let command = EncoderCommand(video: .encode(settings, with: gpu), audio: .copy, inputRate: FrameRate(30))
            .command(for: ffmpeg)
        #expect(has(command, "-r", "30") == isOld)
        #expect(has(command, "-analyzeduration", isOld ? "1" : "500000"))
        // A filter that converts the rate states it too.
        var converting = settings
        converting.frameRate = FrameRate(25)
        let converted = EncoderCommand(video: .encode(converting, with: gpu), audio: .copy, inputRate: FrameRate(30))
            .command(for: ffmpeg)
        #expect(has(converted, "-r", "25") == isOld && has(converted, "-analyzeduration", "1"))
        // x264 gets the rate by an option of its own.
        let software = EncoderCommand(
            video: .encode(settings, with: Libx264Recipe()), audio: .copy, inputRate: FrameRate(30)
        ).command(for: ffmpeg)
        #expect(!software.arguments.contains("-r") && has(software, "-analyzeduration", "1"))
    }

    @Test("only libx265 is asked for captions, if it has the option", arguments: versions)
    func captions(version: String) {
        let ffmpeg = FFmpegCapabilities.release(version)
        func asks(_ recipe: any EncoderRecipe) -> Bool {
            let group = EncoderCommand(video: .encode(settings, with: recipe), audio: .copy).command(for: ffmpeg)
            let card = FrameEncoderCommand(settings: settings, recipe: recipe, rate: nil).command(for: ffmpeg)
            #expect(group.arguments.contains("-a53cc") == card.arguments.contains("-a53cc"))
            return has(group, "-c:v", recipe.encoder, "-a53cc", "1")
        }
        #expect(asks(Libx265Recipe()) == !version.hasPrefix("5"))
        let others: [any EncoderRecipe] = [Libx264Recipe(), gpu, NVENCRecipe(codec: .hevc)]
        for recipe in others { #expect(!asks(recipe)) }
    }

    @Test(
        "a rate that FFmpeg cannot find or state by option is stated by the fps filter",
        arguments: versions,
        [
            (30, 30, true), (30, nil, true), (25, 27, true), (15, 15, true),
            (25, 1000, false), (15, 60, false), (4, 100, false), (4, 4, false), (4, nil, false), (50, 25, false),
        ] as [(Int, Int?, Bool)])
    func statedByFilter(version: String, stream: (rate: Int, announced: Int?, isFound: Bool)) {
        let ffmpeg = FFmpegCapabilities.release(version)
        let isOld = version.hasPrefix("5")
        func command(_ recipe: any EncoderRecipe, _ settings: VideoSettings) -> FFmpegCommand {
            EncoderCommand(
                video: .encode(settings, with: recipe), audio: .copy, inputRate: FrameRate(stream.rate),
                announcedRate: stream.announced.map { FrameRate($0) }
            ).command(for: ffmpeg)
        }
        let hardware = command(gpu, settings)
        let isStated = !isOld && !stream.isFound
        #expect(has(hardware, "-vf", (isStated ? "fps=\(stream.rate),settb=1/90000," : "") + "format=nv12,hwupload"))
        #expect(has(hardware, "-analyzeduration", isOld || isStated ? "1" : "500000"))
        // Another configured rate is kept, and x264 has an option.
        var converting = settings
        converting.frameRate = FrameRate(25)
        #expect(has(command(gpu, converting), "-vf", "fps=25,settb=1/90000,format=nv12,hwupload"))
        #expect(has(command(Libx264Recipe(), settings), "-vf", "format=yuv420p"))
    }

    @Test("the rate of frames from memory is stated by a filter that passes them all", arguments: versions)
    func framesFromMemory(version: String) {
        let ffmpeg = FFmpegCapabilities.release(version)
        for (rate, step) in [
            (FrameRate(30), 3000), (FrameRate(30_000, 1001), 3003), (FrameRate(60_000, 1001), 1502),
            (FrameRate(25), 3600),
        ] {
            let command = FrameEncoderCommand(settings: settings, recipe: gpu, rate: rate).command(for: ffmpeg)
            #expect(has(command, "-vf", "framestep=step=\(step):enable=0,format=nv12,hwupload"))
            #expect(!command.arguments.contains("-r"))
        }
        #expect(
            !FrameEncoderCommand(settings: settings, recipe: gpu, rate: nil).command(for: ffmpeg).maskedLine().contains(
                "framestep"))
    }

    @Test("an input is read at its own speed from its first frame on")
    func pace() throws {
        let source = RelaySource.test(size: FrameSize(width: 64, height: 64), rate: FrameRate(30))
        #expect(has(try RelayCommand(source: source).command(for: .debian12), "-re", "-f", "lavfi"))
        var options = FFmpegCapabilities.debian12.options
        options.insert("readrate_initial_burst")
        #expect(
            has(
                try RelayCommand(source: source).command(for: .with(options: options)), "-re",
                "-readrate_initial_burst", "0.001"))
        options.remove("fps_mode")
        #expect(has(try RelayCommand(source: source).command(for: .with(options: options)), "-vsync", "passthrough"))
    }

    @Test("a secret reaches the output even if FFmpeg ignores options of a preset file", arguments: versions)
    func preset(version: String) throws {
        let command = try PublisherCommand(target: .rtmp(url: "rtmp://h/app", key: "K3y")).command(
            for: .release(version))
        #expect(
            command.secretFile?.contents == "rtmp_playpath=K3y\n"
                + (version.hasPrefix("9") ? "target=ntsc-dv\ntime_base=1:90000\n" : ""))
        // The options after it set the format again, because that target sets one too.
        let words = command.arguments
        #expect(try #require(words.firstIndex(of: "-fpre")) < (try #require(words.lastIndex(of: "-f"))))
    }

    @Test(
        "a version that can check a certificate checks it, unless configured not to",
        arguments: versions)
    func certificates(version: String) throws {
        let ffmpeg = FFmpegCapabilities.release(version)
        for (tls, words) in [
            (PeerCheck.system, ["-tls_verify", "1"]),
            (.authorities(file: "/ca.pem"), ["-tls_verify", "1", "-ca_file", "/ca.pem"]),
            (.none, ["-tls_verify", "0"]),
        ] {
            let target = try PublisherCommand(target: .rtmp(url: "rtmps://h/app", key: "k", tls: tls)).command(
                for: ffmpeg)
            #expect(
                target.arguments.indices.contains { target.arguments[$0...].starts(with: words) },
                "\(target.maskedLine())")
            for url in ["https://h/x.ts", "rtmps://h/app/x", "rtsps://h/x", "https://h/x.m3u8", "https://h/x.mpd"] {
                let source = RelayCommand(source: .pull(url: url, tls: tls))
                if url.hasPrefix("rtsps") || url.hasSuffix(".m3u8") || url.hasSuffix(".mpd"), !version.hasPrefix("9") {
                    if tls == .none {
                        _ = try source.command(for: ffmpeg)
                    } else {
                        #expect(throws: CommandError.self) { try source.command(for: ffmpeg) }
                    }
                    continue
                }
                let line = try source.command(for: ffmpeg)
                // A part of the address that is not a secret may be one in the application's name. It is then in the
                // script.
                let text =
                    line.arguments.joined(separator: " ") + " "
                    + (line.secretFile?.contents ?? "").replacing("'", with: "").replacing("option ", with: "-")
                    .replacing("\n", with: " ")
                #expect(text.contains(words.joined(separator: " ")), "\(text)")
            }
        }
        let plain = try PublisherCommand(target: .rtmp(url: "rtmp://h/app", key: "k")).command(for: ffmpeg)
        #expect(!plain.arguments.contains("-tls_verify"))
    }

    @Test("addresses behind a checked https server are encrypted and checked, or not read", arguments: versions)
    func whereHTTPSLeads(version: String) throws {
        for url in ["https://h/x.ts", "https://h/live?id=1", "https://h/a?token=s3cret", "https://me:s3cret@h/live"] {
            let source = RelayCommand(source: .pull(url: url))
            let line = try source.command(for: .release(version))
            let text = line.arguments.joined(separator: " ") + " " + (line.secretFile?.contents ?? "")
            let place = try #require(line.arguments.firstIndex(of: "-protocol_whitelist"))
            let protocols = line.arguments[place + 1].split(separator: ",").map(String.init)
            #expect(Set(protocols).subtracting(["file"]) == ["crypto", "data", "tcp", "tls", "https", "httpproxy"])
            #expect(text.contains("format_whitelist") == !version.hasPrefix("9"))
            let unchecked = try RelayCommand(source: .pull(url: url, tls: .none)).command(for: .release(version))
            let all = unchecked.arguments.joined(separator: " ") + " " + (unchecked.secretFile?.contents ?? "")
            #expect(!all.contains("format_whitelist"))
        }
        let containers = RelayCommand.containers.split(separator: ",")
        for format in ["hls", "dash", "concat", "sdp", "rtsp"] { #expect(!containers.contains { $0 == format }) }
    }

    @Test("an SRT listener on the IPv6 wildcard accepts IPv4, even if it takes an option", arguments: versions)
    func dualStack(version: String) throws {
        let sources: [RelaySource] = [
            .srtListen(address: "[::]:9000", passphrase: nil, latency: nil),
            .pull(url: "srt://[::]:9000?mode=listener", passphrase: nil, streamID: nil, password: nil),
        ]
        for source in sources {
            let line = try RelayCommand(source: source).command(for: .release(version)).maskedLine()
            #expect(
                line.contains("srt://[::]:9000?mode=listener") && line.contains("ipv6only=0") == version.hasPrefix("9"),
                "\(line)")
        }
        let other = RelaySource.srtListen(address: "0.0.0.0:9000", passphrase: nil, latency: nil)
        #expect(try !RelayCommand(source: other).command(for: .release(version)).maskedLine().contains("ipv6only"))
    }

    @Test("the tables of every version are parsed")
    func tables() {
        #expect(
            CapabilityQuestions.encoders(
                in: "Encoders:\n V..... = Video\n ------\n V....D libx264   libx264 H.264\n A....D aac  AAC\n") == [
                    "libx264", "aac",
                ])
        let decoders = """
            Decoders:
             V..... = Video
             ------
             VFS..D hevc                 HEVC (High Efficiency Video Coding)
             V....D libopenh264          OpenH264 H.264 / AVC (codec h264)
             V..... hevc_v4l2m2m         V4L2 mem2mem HEVC decoder wrapper (codec hevc)
             V..... mpeg2_v4l2m2m        V4L2 mem2mem MPEG2 decoder wrapper (codec mpeg2video)
             A....D libfdk_aac           Fraunhofer FDK AAC (codec aac)

            """
        let names: Set = ["hevc", "libopenh264", "h264", "hevc_v4l2m2m", "mpeg2_v4l2m2m", "libfdk_aac", "aac"]
        #expect(CapabilityQuestions.decoders(in: decoders) == names)
        let filters =
            """
            Filters:\n  T.. = Timeline support\n  ..C = Command support\n ... acopy A->A Copy\n T.C scale V->V \
            Scale\n .. nullsrc |->V Null\n
            """
        #expect(CapabilityQuestions.filters(in: filters) == ["acopy", "scale", "nullsrc"])
        #expect(
            CapabilityQuestions.names(in: "Bitstream filters:\naac_adtstoasc\nextract_extradata\n\n") == [
                "aac_adtstoasc", "extract_extradata",
            ])
        let protocols = CapabilityQuestions.protocols(
            in: "Supported file protocols:\nInput:\n  file\n  srt\nOutput:\n  file\n  rtmp\n")
        #expect(protocols.input == ["file", "srt"] && protocols.output == ["file", "rtmp"])
        for text in [
            """
            File formats:\n D. = Demuxing supported\n --\n DE mpegts          MPEG-TS\n D  lavfi           \
            Virtual\n DE video4linux2,v4l2 Video4Linux2\n  E segment         segment\n
            """,
            """
            Formats:\n D.. = Demuxing supported\n ---\n DE  mpegts          MPEG-TS\n D d lavfi           \
            Virtual\n DEd video4linux2,v4l2 Video4Linux2\n  E  segment         segment\n
            """,
        ] {
            let formats = CapabilityQuestions.formats(in: text)
            #expect(formats.demuxers == ["mpegts", "lavfi", "video4linux2", "v4l2"])
            #expect(formats.muxers == ["mpegts", "video4linux2", "v4l2", "segment"])
        }
        let options =
            """
            Video options:\n-vn                 disable video\n-fps_mode[:<stream_spec>] <>  set framerate \
            mode\n-r[:<stream_spec>] <rate>  rate\n  -sub  no option\n
            """
        let srt =
            """
            srt AVOptions:\n  -latency           <int64>      ED......... receiver delay (default -1)\n  -ipv6only \
                     <boolean>    ED.........\n     live            1            ED.........\n
            """
        #expect(CapabilityQuestions.privateOptions(in: srt) == ["latency", "ipv6only"])
        #expect(CapabilityQuestions.options(in: options) == ["vn", "fps_mode", "r"])
    }
}

/// Questions to the installed FFmpeg.
@Suite(.tags(.ffmpeg)) struct InstalledCapabilityTests {
    @Test("the installed FFmpeg reports what the service uses")
    func asked() async throws {
        let capabilities = try await ffmpeg().capabilities
        let complete = FFmpegCapabilities.complete(capabilities.version)
        #expect(capabilities.encoders.isSuperset(of: ["aac", "libx264", "libx265", "h264_vaapi", "h264_nvenc"]))
        #expect(capabilities.decoders.isSuperset(of: complete.decoders))
        #expect(
            capabilities.filters.isSuperset(of: complete.filters),
            "\(complete.filters.subtracting(capabilities.filters))")
        #expect(capabilities.bitstreamFilters.isSuperset(of: complete.bitstreamFilters))
        #expect(capabilities.inputProtocols.isSuperset(of: complete.inputProtocols))
        #expect(capabilities.outputProtocols.isSuperset(of: complete.outputProtocols.subtracting(["data"])))
        #expect(
            capabilities.demuxers.isSuperset(of: complete.demuxers)
                && capabilities.muxers.isSuperset(of: complete.muxers))
        #expect(
            capabilities.options.isSuperset(of: complete.options),
            "\(complete.options.subtracting(capabilities.options))")
        let hasBurst = { (ffmpeg: FFmpegCapabilities) in ffmpeg.options.contains("readrate_initial_burst") }
        #expect(hasBurst(capabilities) == hasBurst(complete))
        #expect(capabilities.srtOptions.isSuperset(of: complete.srtOptions))
        #expect(
            capabilities.x265Options.isSuperset(of: complete.x265Options)
                && capabilities.x265Options.contains("a53cc") == complete.x265Options.contains("a53cc"))
        #expect(capabilities.rtspOptions.contains("tls_verify") == complete.rtspOptions.contains("tls_verify"))
        #expect(capabilities.hwaccels.isSuperset(of: complete.hwaccels), "\(capabilities.hwaccels)")
        #expect(capabilities.acceptsRateWithPassthrough == complete.acceptsRateWithPassthrough)
        #expect(capabilities.presetReachesOutput == complete.presetReachesOutput)
    }
}

extension FFmpegCapabilities {
    /// Debian 12's FFmpeg with other program options.
    fileprivate static func with(options: Set<String>) -> FFmpegCapabilities {
        let other = debian12
        return FFmpegCapabilities(
            version: other.version, encoders: other.encoders, decoders: other.decoders, filters: other.filters,
            bitstreamFilters: other.bitstreamFilters,
            inputProtocols: other.inputProtocols, outputProtocols: other.outputProtocols, demuxers: other.demuxers,
            muxers: other.muxers, options: options,
            srtOptions: other.srtOptions, rtspOptions: other.rtspOptions, x265Options: other.x265Options,
            hwaccels: other.hwaccels, acceptsRateWithPassthrough: other.acceptsRateWithPassthrough,
            presetReachesOutput: other.presetReachesOutput)
    }
}
