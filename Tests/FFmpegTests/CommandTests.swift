import EncoderSelection
import MediaTypes
import Testing

@testable import FFmpeg

@Suite struct CommandTests {
    private func value(after option: String, in command: FFmpegCommand) -> String? {
        command.arguments.firstIndex(of: option).map { command.arguments[$0 + 1] }
    }

    // MARK: Publishers

    @Test("a stream key is in the preset file only")
    func streamKey() throws {
        let command = try PublisherCommand(target: .rtmp(url: "rtmp://live.example/app", key: "S3cret?a=b&c")).command(
            for: .debian12)
        #expect(command.arguments.last == "rtmp://live.example/app")
        #expect(command.secretFile?.contents == "rtmp_playpath=S3cret?a=b&c\n")
        #expect(value(after: "-fpre", in: command) == command.secretFile?.token)
        #expect(!command.maskedLine().contains("S3cret"))
        #expect(!"\(command)".contains("S3cret"))
        #expect(!String(reflecting: command).contains("S3cret"))
        var dumped = ""
        dump(command, to: &dumped)
        #expect(!dumped.contains("S3cret"))
    }

    @Test(
        "a key inside the address is moved out of it",
        arguments: [
            ("rtmp://a.example/live2/abcd-efgh", "rtmp://a.example/live2", "abcd-efgh", ""),
            ("rtmps://a.example:443/rtmp/x?s_bl=1", "rtmps://a.example:443/rtmp", "x?s_bl=1", ""),
            ("rtmp://a.example/app/inst/key9", "rtmp://a.example/app", "key9", "rtmp_app=app/inst\n"),
        ])
    func keyInAddress(url: String, address: String, key: String, app: String) throws {
        let command = try PublisherCommand(target: .rtmp(url: url, key: nil)).command(for: .debian12)
        #expect(command.arguments.last == address)
        #expect(command.secretFile?.contents == "rtmp_playpath=\(key)\n" + app)
        #expect(!command.arguments.contains { $0.contains(key) })
    }

    @Test(
        "an application of several parts or with a query is complete, and hidden",
        arguments: ["app/inst", "app?auth=t0ken", "app/inst?auth=t0ken"])
    func applicationOfParts(application: String) throws {
        let command = try PublisherCommand(target: .rtmp(url: "rtmp://h/\(application)", key: "key9")).command(
            for: .debian12)
        #expect(command.arguments.last == "rtmp://h/app")
        #expect(command.secretFile?.contents == "rtmp_playpath=key9\nrtmp_app=\(application)\n")
        #expect(!command.arguments.contains { $0.contains("t0ken") })
    }

    @Test("an SRT passphrase and stream id are moved out of the address")
    func srt() throws {
        let command = try PublisherCommand(
            target: .srt(
                url: "srt://h:9?streamid=%23%21::r=x&passphrase=0123456789&maxbw=0", passphrase: nil, streamID: nil,
                latency: .milliseconds(200))
        ).command(for: .debian12)
        #expect(command.arguments.last == "srt://h:9?maxbw=0&latency=200000&transtype=live&pkt_size=1316")
        #expect(command.secretFile?.contents == "passphrase=0123456789\nsrt_streamid=#!::r=x\n")
    }

    @Test("an SRT target gets its feed's bytes, seven packets a datagram, without demuxing")
    func srtBytes() throws {
        for passphrase in [nil, "0123456789"] {
            let target = PublisherTarget.srt(url: "srt://h:9", passphrase: passphrase, streamID: nil, latency: nil)
            let arguments = try PublisherCommand(target: target).command(for: .debian12).arguments
            let blocks = ["-blocksize", "1316", "-f", "data", "-raw_packet_size", "1316"]
            let input = blocks + ["-i", "pipe:0", "-map", "0", "-c", "copy"]
            #expect(!arguments.contains("mpegts") && arguments.firstRange(of: input) != nil, "\(arguments)")
            let output = ["-f", "data", "-flush_packets", "1", "srt://h:9?transtype=live&pkt_size=1316"]
            #expect(Array(arguments.suffix(5)) == output)
        }
    }

    @Test("an unknown parameter of an SRT address is treated as a secret")
    func unknownParameter() throws {
        func command(_ url: String) throws -> FFmpegCommand {
            try PublisherCommand(target: .srt(url: url, passphrase: nil, streamID: nil, latency: nil)).command(
                for: .debian12)
        }
        let made = try command("srt://h:9?pasphrase=0123456789&maxbw=0")
        #expect(made.arguments.last == "srt://h:9?maxbw=0&transtype=live&pkt_size=1316")
        #expect(made.secretFile?.contents == "pasphrase=0123456789\n")
        for url in [
            "srt://h:9?0123456789", "srt://h:9?pass-phrase=0123456789", "srt://h:9/path?0123456789",
            "srt://h:9#0123456789", "srt://h:9?a=1&passphrase0123456789",
        ] {
            let error = #expect(throws: CommandError.self) { try command(url) }
            #expect(error?.description.contains("0123456789") == false, "\(url)")
        }
    }

    @Test("an address that is invalid or would show a secret is refused without showing it")
    func refusals() {
        let bad: [(PublisherTarget, CommandError?)] = [
            (.rtmp(url: "rtmp://h/app", key: "a\nacodec=x"), .controlCharacter(option: "rtmp_playpath")),
            (.rtmp(url: "rtmp://h/app", key: ""), .emptySecret(option: "rtmp_playpath")),
            (
                .rtmp(url: "rtmp://h/app", key: String(repeating: "k", count: 2000)),
                .secretTooLong(option: "rtmp_playpath", limit: 976)
            ),
            (.rtmp(url: "rtmp://h/app", key: nil), nil),
            (.rtmp(url: "rtmp://h", key: "key"), nil),
            (.rtmp(url: "rtmp://h//hunter22", key: nil), nil),
            (.rtmp(url: "rtmp://user:hunter22@h/app", key: "key"), nil),
            (.rtmp(url: "rtmp://user:12/hunter22/s@h/app", key: "key"), nil),
            (.rtmp(url: "rtmp://h/app/hunter22@x", key: nil), nil),
            (.rtmp(url: "http://h/app", key: "key"), nil),
            (.srt(url: "h:9000", passphrase: nil, streamID: nil, latency: nil), nil),
        ]
        for (target, wanted) in bad {
            let error = #expect(throws: CommandError.self) {
                try PublisherCommand(target: target).command(for: .debian12)
            }
            if let wanted { #expect(error == wanted) }
            #expect(error?.description.contains("hunter22") == false)
        }
    }

    @Test("recordings are named by UTC, and a percent sign in a folder is not a pattern")
    func recording() throws {
        let command = try PublisherCommand(
            target: .record(folder: "/rec/100%/", name: "archive", segment: .milliseconds(2500), take: 3)
        ).command(for: .debian12)
        #expect(command.arguments.last == "/rec/100%%/archive-%Y%m%d-%H%M%S-3.ts")
        #expect(value(after: "-segment_time", in: command) == "2.5")
        #expect(command.environment["TZ"] == "UTC")
        #expect(RecordingFiles.isRecording("archive-20260131-235959.ts", of: "archive"))
        #expect(RecordingFiles.isRecording("archive-20260131-235959-12.ts", of: "archive"))
        #expect(!RecordingFiles.isRecording("archive-2-20260131-235959.ts", of: "archive"))
        #expect(!RecordingFiles.isRecording("archive-20260131-235959-.ts", of: "archive"))
    }

    @Test("a take is one above those of the last seconds")
    func takes() throws {
        let scratch = Scratch()
        #expect(RecordingFiles.nextTake(folder: scratch.path, name: "a", now: 0) == 0)
        try write("", to: scratch.file("a-20260131-235959.ts"))
        try write("", to: scratch.file("b-20260131-235959-7.ts"))
        #expect(RecordingFiles.nextTake(folder: scratch.path, name: "a", now: 0) == 1)
        try write("", to: scratch.file("a-20260131-235959-4.ts"))
        #expect(RecordingFiles.nextTake(folder: scratch.path, name: "a", now: 0) == 5)
        #expect(RecordingFiles.nextTake(folder: scratch.path, name: "a", now: 9_999_999_999) == 0)
    }

    // MARK: Encoders

    @Test("an encoder resumes on a tick of video and on a sample of audio")
    func resume() {
        let command = EncoderCommand(
            video: .encode(
                VideoSettings(size: FrameSize(width: 640, height: 360), bitrate: 2_000_000, profile: "high"),
                with: Libx264Recipe()),
            audio: .aac(bitrate: 160_000, rate: 48000, channels: 2), inputRate: FrameRate(30000, 1001),
            resume: ResumePoint(videoStart: 450_901_890, audioStart: 450_864_000)
        ).command(for: .debian12)
        #expect(
            value(after: "-vf", in: command)
                == "trim=start_pts=450901890,scale=640:360,setsar=1,format=yuv420p")
        #expect(
            value(after: "-af", in: command) == "aresample=48000:async=1:min_hard_comp=0.02,atrim=start_pts=240460800")
        #expect(value(after: "-x264-params", in: command) == "fps=30000/1001")
        #expect(
            value(after: "-force_key_frames", in: command) == "expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+2))")
        #expect(EncoderCommand.samples(at: 1, rate: 44100) == 0)
        #expect(EncoderCommand.samples(at: 2, rate: 44100) == 1)
        #expect(EncoderCommand.samples(at: -2, rate: 44100) == -1)
        #expect(EncoderCommand.samples(at: 1 << 53, rate: 48000) == (1 << 53) / 15 * 8 + 1)
    }

    private func filters(_ settings: VideoSettings, _ ffmpeg: FFmpegCapabilities = .debian12) -> String? {
        let command = EncoderCommand(
            video: .encode(settings, with: Libx264Recipe()), audio: .copy, inputRate: FrameRate(25),
            inputSize: FrameSize(width: 720, height: 576),
            resume: ResumePoint(videoStart: 90_000, audioStart: 90_000)
        ).command(for: ffmpeg)
        #expect(value(after: "-reinit_filter:v", in: command) == "0")
        return value(after: "-vf", in: command)
    }

    @Test("frames with another aspect ratio are padded or cropped, and others only scaled")
    func fits() {
        let size = FrameSize(width: 640, height: 360)
        #expect(
            filters(VideoSettings(size: size, bitrate: 1))
                == "trim=start_pts=90000,scale=640:360,setsar=1,format=yuv420p")
        #expect(
            filters(VideoSettings(size: size, bitrate: 1, fit: .pad))
                == """
                trim=start_pts=90000,scale=w='if(between(dar*360/640,0.99,1.01),640,clip(2*round(dar*360/2),2,640))'
                """
                + ":h='if(between(dar*360/640,0.99,1.01),360,clip(2*round(640/dar/2),2,360))':eval=frame"
                + ",setsar=1,pad=640:360:(ow-iw)/2:(oh-ih)/2:eval=frame,format=yuv420p")
        #expect(
            filters(VideoSettings(size: size, bitrate: 1, fit: .crop(FrameSize(width: 720, height: 406))))
                == "trim=start_pts=90000,scale=720:576,crop=720:406,scale=640:360,setsar=1,format=yuv420p")
    }

    @Test("interlaced frames are deinterlaced first, from a little before the first wanted")
    func deinterlaces() {
        let settings = VideoSettings(
            size: FrameSize(width: 640, height: 360), frameRate: FrameRate(30), bitrate: 1, deinterlacing: .onePerFrame)
        #expect(
            filters(settings)
                == "trim=start_pts=72000,scale=720:576:interl=-1,bwdif=mode=send_frame:deint=interlaced"
                + ",settb=1/90000,fps=30,settb=1/90000,trim=start_pts=90000,scale=640:360,setsar=1,format=yuv420p")
        #expect(
            filters(VideoSettings(size: FrameSize(width: 640, height: 360), bitrate: 1, deinterlacing: .onePerField))?
                .contains("mode=send_field") == true)
    }

    @Test("frames without marks are all deinterlaced, by yadif if bwdif is missing")
    func deinterlacesOtherwise() throws {
        let size = FrameSize(width: 640, height: 360)
        let unmarked = VideoSettings(size: size, bitrate: 1, deinterlacing: .onePerFrame, deinterlacesAll: true)
        let trimmed = "trim=start_pts=72000,scale=720:576:interl="
        #expect(filters(unmarked)?.hasPrefix(trimmed + "1,bwdif=mode=send_frame:deint=all,settb=1/90000,") == true)
        let marked = VideoSettings(size: size, bitrate: 1, deinterlacing: .onePerField)
        let old = FFmpegCapabilities.debian12.without(["bwdif"], with: ["yadif"])
        let expected = trimmed + "-1,yadif=mode=send_field:deint=interlaced,settb=1/90000,"
        #expect(filters(marked, old)?.hasPrefix(expected) == true)
        let relay = RelayCommand(
            source: .pull(url: "udp://127.0.0.1:1"),
            video: .mezzanine(bitrate: 1, keyframeInterval: .seconds(1), deinterlacing: .onePerFrame))
        let chain = "yadif=mode=send_frame:deint=interlaced,settb=1/90000,format=yuv420p"
        #expect(value(after: "-vf", in: try relay.command(for: old)) == chain)
        let none = FFmpegCapabilities.debian12.without(["bwdif"])
        #expect(value(after: "-vf", in: try relay.command(for: none)) == "format=yuv420p")
        #expect(filters(marked, none) == "trim=start_pts=90000,scale=640:360,setsar=1,format=yuv420p")
    }

    @Test("interlaced frames of a card are deinterlaced before scaling")
    func cardDeinterlaces() {
        func filters(_ fields: CardReaderCommand.Fields?, _ ffmpeg: FFmpegCapabilities = .debian12) -> String? {
            let size = FrameSize(width: 720, height: 576)
            let reader = CardReaderCommand(card: CaptureInput(node: "/dev/video0"), size: size, fields: fields)
            return value(after: "-vf", in: reader.command(for: ffmpeg))
        }
        #expect(filters(nil) == "scale=720:576,format=nv12")
        #expect(
            filters(CardReaderCommand.Fields(.onePerFrame, isBottomFirst: false))
                == "bwdif=mode=send_frame:parity=tff:deint=all,settb=1/1000000,scale=720:576,format=nv12")
        #expect(
            filters(CardReaderCommand.Fields(.onePerField, isBottomFirst: true))
                == "bwdif=mode=send_field:parity=bff:deint=all,settb=1/1000000,scale=720:576,format=nv12")
    }

    @Test("an encoding relay deinterlaces if configured, and a copying relay does not")
    func relayDeinterlaces() throws {
        func filters(_ video: RelayVideo) throws -> String? {
            value(
                after: "-vf",
                in: try RelayCommand(source: .pull(url: "udp://127.0.0.1:1"), video: video).command(for: .debian12))
        }
        #expect(try filters(.copy) == nil)
        #expect(try filters(.mezzanine(bitrate: 1, keyframeInterval: .seconds(1))) == "format=yuv420p")
        #expect(
            try filters(.mezzanine(bitrate: 1, keyframeInterval: .seconds(1), deinterlacing: .onePerFrame))
                == "bwdif=mode=send_frame:deint=interlaced,settb=1/90000,format=yuv420p")
    }

    @Test(
        "the aspect ratio includes that of the pixels, with one percent of tolerance",
        arguments: [
            (1920, 1080, 1, 1, true), (720, 576, 64, 45, true), (720, 576, 16, 15, false), (1440, 1080, 4, 3, true),
            (848, 480, 1, 1, true),
            (1080, 1920, 1, 1, false), (1920, 1088, 1, 1, true), (1920, 1200, 1, 1, false),
        ])
    func shapes(width: Int, height: Int, pixelWidth: Int, pixelHeight: Int, isAlike: Bool) {
        let frames = ArrivingFrames(
            size: FrameSize(width: width, height: height), pixel: PixelAspect(width: pixelWidth, height: pixelHeight))
        #expect(frames.hasShape(of: FrameSize(width: 1280, height: 720)) == isAlike)
        let part = frames.part(withShapeOf: FrameSize(width: 1280, height: 720))
        #expect(part.width % 2 == 0 && part.height % 2 == 0 && part.width <= width && part.height <= height)
        #expect(ArrivingFrames(size: part, pixel: frames.pixel).hasShape(of: FrameSize(width: 1280, height: 720)))
    }

    @Test("the size with square pixels is even, and invalid pixels count as square")
    func squareSizes() {
        let wide = PixelAspect(width: 64, height: 45)
        #expect(
            ArrivingFrames(size: FrameSize(width: 720, height: 576), pixel: wide).squareSize
                == FrameSize(width: 1024, height: 576))
        #expect(
            ArrivingFrames(size: FrameSize(width: 641, height: 361)).squareSize == FrameSize(width: 642, height: 360))
        #expect(PixelAspect(width: 100, height: 1) == .square && PixelAspect(width: 0, height: 1) == .square)
    }

    @Test("x264 uses the timestamps if the feed has no rate")
    func unknownRate() {
        let command = EncoderCommand(
            video: .encode(VideoSettings(bitrate: 1), with: Libx264Recipe()), audio: .copy
        ).command(for: .debian12)
        #expect(value(after: "-x264-params", in: command) == "force-cfr=0")
        #expect(value(after: "-c:a", in: command) == "copy")
    }

    @Test("a copying command has no filter and no encoder")
    func copying() {
        let command = EncoderCommand(video: .copy, audio: .copy).command(for: .debian12)
        #expect(!command.arguments.contains("-vf") && !command.arguments.contains("-af"))
        #expect(command.arguments.last == "pipe:1")
    }

    // MARK: Relays

    @Test("a password in a pulled address is in a script, quoted")
    func pull() throws {
        let command = try RelayCommand(source: .pull(url: "rtsp://cam:it's%20me@10.0.0.5/main", passphrase: nil))
            .command(for: .debian12)
        let script = try #require(command.secretFile)
        #expect(script.contents.contains("file 'rtsp://cam:it'\\''s%20me@10.0.0.5/main'\n"))
        #expect(script.contents.contains("option rtsp_flags 'prefer_tcp'\n"))
        #expect(!command.arguments.contains { $0.contains("me@") })
        #expect(value(after: "-i", in: command) == script.token)
        for url in [
            "http://h/live/t0ken/index.m3u8", "https://h/live.ts?token=t0ken", "rtmp://h/app/t0ken",
            "rtsp://t0ken@h/main",
        ] {
            let command = try RelayCommand(source: .pull(url: url, passphrase: nil)).command(for: .debian12)
            #expect(!command.arguments.contains { $0.contains("t0ken") }, "\(url)")
            #expect(command.secretFile?.contents.contains("file '\(url)'\n") == true)
            #expect(command.secrets.contains { "t0ken/index.m3u8".contains($0) }, "\(url)")
        }
        let plain = try RelayCommand(source: .pull(url: "rtsp://10.0.0.5/main", passphrase: nil)).command(
            for: .debian12)
        #expect(plain.secretFile == nil)
        #expect(value(after: "-rtsp_flags", in: plain) == "prefer_tcp" && !plain.arguments.contains("-rtsp_transport"))
        for (transport, word) in [(FFmpegRTSPTransport.tcp, "tcp"), (.udp, "udp")] {
            let command = try RelayCommand(source: .pull(url: "rtsp://10.0.0.5/main", transport: transport)).command(
                for: .debian12)
            #expect(value(after: "-rtsp_transport", in: command) == word && !command.arguments.contains("-rtsp_flags"))
        }
        #expect(value(after: "-timeout", in: plain) == "10000000")
        #expect(value(after: "-i", in: plain) == "rtsp://10.0.0.5/main")
    }

    @Test("a pull's secrets are in a script, and its password where FFmpeg reads it")
    func pullWithSecrets() throws {
        let srt = try RelayCommand(
            source: .pull(
                url: "srt://10.0.0.5:9000?latency=200000", passphrase: "0123'56789", streamID: "#!::r=x,u=y z")
        ).command(for: .debian12)
        let script = try #require(srt.secretFile)
        #expect(script.contents.contains("file 'srt://10.0.0.5:9000?latency=200000'\n"))
        #expect(script.contents.contains("option passphrase '0123'\\''56789'\n"))
        #expect(script.contents.contains("option srt_streamid '#!::r=x,u=y z'\n"))
        #expect(value(after: "-i", in: srt) == script.token)
        #expect(srt.secrets.contains("0123'56789") && srt.secrets.contains("#!::r=x,u=y z"))
        let id = try RelayCommand(source: .pull(url: "srt://10.0.0.5:9000", streamID: "camera-key")).command(
            for: .debian12)
        #expect(
            !id.arguments.contains { $0.contains("camera-key") }
                && id.secretFile?.contents.contains("option srt_streamid 'camera-key'\n") == true)
        for (url, written) in [
            ("rtsp://viewer@10.0.0.5/main", "rtsp://viewer:p%40ss%2F%3A%20w%C3%B6rd@10.0.0.5/main"),
            ("http://viewer:@h/live/a.m3u8?x=1", "http://viewer:p%40ss%2F%3A%20w%C3%B6rd@h/live/a.m3u8?x=1"),
        ] {
            let command = try RelayCommand(source: .pull(url: url, password: "p@ss/: wörd")).command(for: .debian12)
            #expect(command.secretFile?.contents.contains("file '\(written)'\n") == true)
            #expect(
                !command.arguments.contains { $0.contains("p@ss") || $0.contains("p%40ss") || $0.contains("viewer") })
            #expect(command.secrets.contains("p@ss/: wörd") && command.secrets.contains("p%40ss%2F%3A%20w%C3%B6rd"))
        }
    }

    @Test(
        "a password that FFmpeg cannot get is refused, without showing it",
        arguments: [
            (
                "rtmp://u@h/live", "secret-word",
                "rtmp://****@h/live: a password is only for rtsp and http addresses: remove it"
            ),
            ("rtsp://h/main", "secret-word", "rtsp://h/main: a password needs a user, as in rtsp://user@host"),
            (
                "rtsp://u@h/main", "secret\nword",
                "the value of the password holds a line break or another control character: remove it"
            ),
            ("rtsp://u@h/main", "", "the value of the password is empty: fill it in, or leave it out"),
            (
                "rtsp://u@h/main", String(repeating: "secret-", count: 18),
                """
                rtsp://****@h/main: FFmpeg reads 127 bytes of user and password, and these are longer: use a shorter \
                password. A character other than a letter, digit, '-', '.', '_' or '~' counts as three bytes
                """
            ),
        ])
    func passwordsRefused(url: String, password: String, message: String) {
        let error = #expect(throws: CommandError.self) {
            try RelayCommand(source: .pull(url: url, password: password)).command(for: .debian12)
        }
        #expect(error?.description == message)
    }

    @Test("a listener's passphrase is in a script")
    func listeners() throws {
        let srt = try RelayCommand(source: .srtListen(address: "0.0.0.0:9000", passphrase: "0123456789", latency: nil))
            .command(for: .debian12)
        #expect(srt.secretFile?.contents.contains("option passphrase '0123456789'\n") == true)
        #expect(!srt.maskedLine().contains("0123456789"))
        // A caller cannot choose the format.
        #expect(srt.secretFile?.contents.contains("option format_whitelist 'mpegts'\n") == true)
        #expect(value(after: "-protocol_whitelist", in: srt) == "file,crypto,data,srt")
    }

    @Test("an SRT listener passes all bytes on, and another relay reads them")
    func call() throws {
        let open = try RelayCommand(
            source: .srtListen(address: "0.0.0.0:9000", passphrase: nil, latency: nil),
            video: .mezzanine(bitrate: 1, keyframeInterval: .seconds(1))
        )
        .command(for: .debian12)
        #expect(
            value(after: "-f", in: open) == "data" && value(after: "-map", in: open) == "0"
                && !open.arguments.contains("libx264"))
        #expect(value(after: "-progress", in: open) == "pipe:2")
        let secret = RelaySource.srtListen(address: "0.0.0.0:9000", passphrase: "0123456789", latency: nil)
        #expect(try RelayCommand(source: secret).command(for: .debian12).arguments.contains("-0:s?"))
        let narrow = RelaySource.srtListen(
            address: "0.0.0.0:9000", passphrase: "0123456789", latency: nil, firstStreamsOnly: true)
        #expect(value(after: "-map", in: try RelayCommand(source: narrow).command(for: .debian12)) == "0:v:0")
        let reader = try RelayCommand(source: .transportStream).command(for: .debian12)
        #expect(
            value(after: "-i", in: reader) == "pipe:0" && value(after: "-loglevel", in: reader) == "level+info"
                && reader.arguments.contains("-progress"))
        let encoder = try RelayCommand(
            source: .transportStream, video: .mezzanine(bitrate: 1, keyframeInterval: .seconds(1))
        )
        .command(for: .debian12)
        #expect(!encoder.arguments.contains("-progress"))
    }

    @Test(
        "a relay selects the first video and audio, a program's, or streams by position",
        arguments: [
            (StreamMap.first, ["0:v:0", "0:a:0?"]), (.program(5), ["0:p:5:v:0", "0:p:5:a:0?"]),
            (.streams(video: 1, audio: 2), ["0:1", "0:2"]),
            (.streams(video: 0, audio: nil), ["0:0"]),
        ])
    func streams(map: StreamMap, words: [String]) throws {
        let arguments = try RelayCommand(source: .transportStream, streams: map).command(for: .debian12).arguments
        #expect(arguments.indices.filter { arguments[$0] == "-map" }.map { arguments[$0 + 1] } == words)
    }

    // MARK: Audio

    @Test(
        "a publisher's audio is converted at the requested rate, with its gaps filled",
        arguments: [48_000, 44_100])
    func audio(sampleRate: Int) {
        let command = AudioConverterCommand(sampleRate: sampleRate).command()
        #expect(value(after: "-f", in: command) == "flv" && value(after: "-i", in: command) == "pipe:0")
        #expect(value(after: "-af", in: command) == "aresample=\(sampleRate):async=1:min_hard_comp=0.02")
        #expect(value(after: "-b:a", in: command) == "192000" && value(after: "-ac", in: command) == "2")
        // It keeps the times of the input, and each frame goes out at once.
        #expect(command.arguments.contains("-copyts") && value(after: "-avoid_negative_ts", in: command) == "disabled")
        #expect(value(after: "-pes_payload_size", in: command) == "0" && command.arguments.last == "pipe:1")
        #expect(command.role == .audioConverter && value(after: "-loglevel", in: command) == "level+warning")
    }

    @Test("audio that continues another process's output is cut to the sample")
    func resumedAudio() {
        let command = AudioConverterCommand(firstSample: 12_352).command()
        #expect(value(after: "-af", in: command) == "aresample=48000:async=1:min_hard_comp=0.02,atrim=start_pts=12352")
    }

    @Test(
        "FFmpeg 8 and later read the codecs of Enhanced RTMP from FLV",
        arguments: [
            ("5.1.9", false), ("7.1.5", false), ("8.0", true), ("9.0.2", true), ("N-122000-g1234567", true),
        ])
    func enhanced(version: String, isRead: Bool) {
        let ffmpeg = FFmpegCapabilities.release(version)
        for codec in ["opus", "flac", "ac3", "eac3"] {
            #expect(ffmpeg.readsFromFLV(audio: codec) == isRead, "\(codec)")
        }
        for codec in ["mp3", "pcm_mulaw", "speex", "aac"] {
            #expect(ffmpeg.readsFromFLV(audio: codec), "\(codec)")
        }
    }

    @Test("a shown command line can be pasted into a shell")
    func quoting() {
        let command = FFmpegCommand(role: .relay, arguments: ["-i", "a b's", "", "x=1", "http://u:pw@h/x"])
        #expect(command.maskedLine() == #"ffmpeg -i 'a b'\''s' '' x=1 'http://****@h/x'"#)
    }
}
