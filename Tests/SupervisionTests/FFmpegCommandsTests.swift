import BoxConfiguration
import EncoderSelection
import FFmpeg
import FoundationEssentials
import MPEGTS
import MediaTypes
import TestSupport
import Testing

@testable import Supervision

@Suite struct FFmpegCommandsTests {
    private func group() -> GroupConfiguration { GroupConfiguration(name: "hd", video: .encode(VideoEncoding())) }

    private func filters(_ command: FFmpegCommand) -> String {
        guard let index = command.arguments.firstIndex(of: "-vf") else { return "" }
        return command.arguments[index + 1]
    }

    @Test(
        "the rate is converted only if it differs",
        arguments: [
            (nil, nil, nil), (30, nil, nil), (nil, 30, 30), (30, 30, nil), (30, 60, 60), (60, 30, 30), (25, 30, 30),
        ] as [(Int?, Int?, Int?)])
    func conversion(arriving: Int?, wanted: Int?, expected: Int?) {
        #expect(
            rate(
                from: arriving.map { FrameRate($0) }, to: wanted.map { (FrameRate($0)) }
            ) == expected.map { FrameRate($0) })
    }

    @Test("29.97 and 30000/1001 are one rate, also with rounded times, and 23.976 is not 25")
    func nearlyTheSame() {
        let ntsc = FrameRate(30_000, 1001)
        #expect(rate(from: ntsc, to: FrameRate(2997, 100)) == nil)
        #expect(
            rate(from: FrameRate(24_000, 1001), to: FrameRate(25))
                == FrameRate(25))
    }

    @Test(
        "a group without a rate has at most 60 evenly spaced frames a second",
        arguments: [
            (60, 1, nil), (60_000, 1001, nil), (61, 1, nil), (120, 1, "60"), (120_000, 1001, "60000/1001"),
            (100, 1, "50"), (144, 1, "48"), (240, 1, "60"), (300, 1, "60"),
        ] as [(Int, Int, String?)])
    func bounded(numerator: Int, denominator: Int, expected: String?) {
        let arriving = FrameRate(numerator, denominator)
        #expect(rate(from: arriving, to: nil)?.description == expected)
        let asked = rate(from: arriving, to: FrameRate(240))
        #expect(asked?.description == (numerator == 240 ? nil : "240"))
    }

    private let ffmpeg = FFmpegCapabilities.complete(FFmpegVersion(output: "ffmpeg version 5.1.9 C")!)

    private func rate(from arriving: FrameRate?, to wanted: FrameRate?) -> FrameRate? {
        VideoSettings(VideoEncoding(frameRate: wanted), size: nil, arriving: arriving).frameRate
    }

    @Test("a group without a size keeps the size of its first source")
    func size() {
        let command = FFmpegCommands.encoder(
            group(), recipe: Libx264Recipe(), format: nil, size: FrameSize(width: 640, height: 360), resume: nil,
            ffmpeg: ffmpeg)
        #expect(filters(command).contains("scale=640:360"))
        #expect(
            !filters(FFmpegCommands.encoder(group(), recipe: Libx264Recipe(), format: nil, resume: nil, ffmpeg: ffmpeg))
                .contains("scale="))
        var sized = group()
        sized.video = .encode(VideoEncoding(size: FrameSize(width: 320, height: 180)))
        #expect(
            filters(
                FFmpegCommands.encoder(
                    sized, recipe: Libx264Recipe(), format: nil, size: FrameSize(width: 640, height: 360), resume: nil,
                    ffmpeg: ffmpeg)
            ).contains("scale=320:180"))
    }

    @Test("relays deinterlace as groups ask, and only those whose command changes restart")
    func relaysDeinterlace() {
        func transcoding(_ outputs: VideoOutput...) -> FFmpegCommands.Transcoding {
            let groups = outputs.enumerated().map { GroupConfiguration(name: "g\($0.offset)", video: $0.element) }
            return FFmpegCommands.Transcoding(for: ChannelConfiguration(name: "main", sources: [], groups: groups))
        }
        let (auto, off, field) = (VideoEncoding(), VideoEncoding(deinterlace: .off), VideoEncoding(deinterlace: .field))
        #expect(
            transcoding(.encode(auto)).deinterlacing == .onePerFrame && transcoding(.copy).deinterlacing == .onePerFrame
        )
        #expect(transcoding(.encode(auto), .encode(field)).deinterlacing == .onePerField)
        #expect(
            transcoding(.encode(off)).deinterlacing == nil
                && transcoding(.encode(off), .copy).deinterlacing == .onePerFrame)
        let file = SourceConfiguration(kind: .file(FileSource(path: "a", loop: true)), position: 0)
        let test = SourceConfiguration(
            kind: .test(
                TestSource(size: FrameSize(width: 64, height: 64), rate: FrameRate(30))),
            position: 1)
        let (before, after) = (transcoding(.encode(auto)), transcoding(.encode(field)))
        #expect(
            !before.hasSameRelay(for: file, as: after) && before.hasSameRelay(for: test, as: after)
                && before.hasSameRelay(for: file, as: before))
        let card = SourceConfiguration(kind: .capture(CaptureSource(binding: .any)), position: 2)
        #expect(!before.hasSameRelay(for: card, as: after) && before.hasSameRelay(for: card, as: before))
    }

    @Test("another audio rate changes the relay of a test picture, not that of a card")
    func relaysAtAnotherAudioRate() {
        let picture = TestSource(size: FrameSize(width: 64, height: 64), rate: FrameRate(30))
        let test = SourceConfiguration(kind: .test(picture), position: 0)
        let card = SourceConfiguration(kind: .capture(CaptureSource(binding: .any)), position: 1)
        var other = FFmpegCommands.Transcoding()
        other.setAudioFormat(.stereo44)
        let usual = FFmpegCommands.Transcoding()
        #expect(!usual.hasSameRelay(for: test, as: other) && usual.hasSameRelay(for: card, as: other))
    }

    // MARK: The channel's audio

    private static let mono = AACFormat(sampleRate: 44_100, channelConfiguration: 1)

    private func sound(_ command: FFmpegCommand?) -> String? {
        guard let arguments = command?.arguments, let index = arguments.firstIndex(of: "-c:a") else { return nil }
        let filter = arguments.firstIndex(of: "-af").map { ", \(arguments[$0 + 1].prefix { $0 != ":" })" } ?? ""
        return arguments[index + 1] + filter
    }

    @Test("a relay passes audio on until the format differs, whatever the groups do")
    func passesSound() {
        for audio in [AudioOutput.copy, .encode(AudioEncoding())] {
            let groups = [GroupConfiguration(name: "a"), GroupConfiguration(name: "b", audio: audio)]
            let channel = ChannelConfiguration(name: "main", sources: [], groups: groups)
            #expect(!FFmpegCommands.Transcoding(for: channel).audio && channel.copiesAudio == (audio == .copy))
        }
    }

    @Test(
        "audio in another format is converted to the channel's rate, once", arguments: [AACFormat.stereo48, .stereo44])
    func converts(_ channel: AACFormat) {
        var transcoding = FFmpegCommands.Transcoding()
        transcoding.setAudioFormat(nil)
        let isNews = transcoding.convertAudio(Self.mono, to: channel)
        #expect(isNews && transcoding.audio && transcoding.audioRate == channel.sampleRate)
        #expect(transcoding.mismatchedAudio == Self.mono)
        let again = transcoding.convertAudio(.stereo48, to: channel)
        #expect(!again && transcoding.mismatchedAudio == Self.mono)
        // The next relay continues with that. Once no group copies the audio, nothing is converted.
        transcoding.setAudioFormat(channel)
        #expect(transcoding.audio && transcoding.audioRate == channel.sampleRate)
        transcoding.setAudioFormat(nil)
        #expect(!transcoding.audio && transcoding.mismatchedAudio == nil)
    }

    @Test("audio encoded at another rate than the channel's is encoded again")
    func otherRate() {
        var transcoding = FFmpegCommands.Transcoding()
        transcoding.audio = true
        let isNews = transcoding.convertAudio(.stereo48, to: .stereo44)
        #expect(isNews && transcoding.audioRate == 44_100 && transcoding.mismatchedAudio == nil)
        // The source's audio is not AAC, so it is encoded whatever the groups do.
        transcoding.setAudioFormat(nil)
        #expect(transcoding.audio)
    }

    @Test("relays, readers of calls and the test source use the channel's audio rate", arguments: [48_000, 44_100])
    func soundRate(_ rate: Int) throws {
        var transcoding = FFmpegCommands.Transcoding()
        transcoding.audioRate = rate
        func relay(_ kind: SourceKind) throws -> String? {
            let source = SourceConfiguration(kind: kind, position: 0)
            let listened = try FFmpegCommands.callerRelay(
                source, mezzanine: .init(), transcoding: transcoding, ffmpeg: ffmpeg)
            if let listened { return sound(listened) }
            return sound(
                try FFmpegCommands.relay(
                    source, mezzanine: .init(), transcoding: transcoding, ffmpeg: ffmpeg, environment: [:]))
        }
        let test = SourceKind.test(TestSource())
        let srt = SourceKind.srt(SRTSource(listen: try SocketAddress(parsing: "127.0.0.1:9000")))
        let others = [srt, .pull(PullSource(url: "rtsp://h/x")), .file(FileSource(path: "a", loop: true))]
        for source in others { #expect(try relay(source) == "copy") }
        #expect(try relay(test) == "aac, aresample=\(rate)")
        transcoding.audio = true
        for source in others + [test] { #expect(try relay(source) == "aac, aresample=\(rate)") }
    }

    @Test("the note on a source names its format and the channel's")
    func soundNote() {
        let words = "its audio is AAC-LC at 44.1 kHz mono, the channel's is 48 kHz stereo: it is converted"
        #expect(SourceNote.mismatchedAudio(Self.mono, rate: 48_000) == words)
    }

    @Test("the note on late audio says how late it is, and what to do")
    func lateSoundNote() {
        let end = "its video and is left out: silence is sent. Have the encoder send audio and video together"
        #expect(SourceNote.lateAudio(.milliseconds(1500)) == "its audio arrives 1.5 s behind \(end)")
        #expect(SourceNote.lateAudio(.seconds(-12)) == "its audio arrives 12 s ahead of \(end)")
    }

    // MARK: Groups

    @Test("an encoder that takes over cuts where the feed ends")
    func resume() {
        let command = FFmpegCommands.encoder(
            group(), recipe: Libx264Recipe(), format: nil,
            resume: ResumePoint(videoStart: 903_000, audioStart: 900_960), ffmpeg: ffmpeg)
        #expect(filters(command).contains("trim=start_pts=903000"))
        #expect(command.arguments.contains { $0.contains("atrim=start_pts=480512") })
    }

    @Test("a group passes its channel through only if it copies both video and audio")
    func passesThrough() {
        #expect(GroupConfiguration(name: "a", video: .copy, audio: .copy).passesThrough)
        #expect(!GroupConfiguration(name: "a", video: .copy).passesThrough)
        #expect(!GroupConfiguration(name: "a", audio: .copy).passesThrough)
    }

    @Test(
        "the bitrate of a relay's video follows that of its source, within bounds",
        arguments: [
            (nil, 20_000_000, 20_000_000), (3_300_000, 20_000_000, 3_960_000), (100_000, 20_000_000, 1_000_000),
            (60_000_000, 500_000_000, 20_000_000),
            (6_000_000, 4_000_000, 4_000_000),
        ] as [(Int?, Int, Int)])
    func measured(came: Int?, most: Int, bitrate: Int) throws {
        var transcoding = FFmpegCommands.Transcoding()
        (transcoding.video, transcoding.measured) = (true, came)
        let mezzanine = MezzanineConfiguration(bitrate: Bitrate(bitsPerSecond: most))
        #expect(mezzanine.relayBitrate(for: transcoding) == bitrate)
        let source = SourceConfiguration(
            kind: .srt(SRTSource(listen: try SocketAddress(parsing: "127.0.0.1:9000"), program: 4)), position: 0)
        let command = try #require(
            try FFmpegCommands.callerRelay(source, mezzanine: mezzanine, transcoding: transcoding, ffmpeg: ffmpeg))
        #expect(command.arguments.contains("\(bitrate)") && command.arguments.contains("0:p:4:v:0"))
    }

    @Test(
        "a pull with a secret hides its programs, whatever the protocol",
        arguments: [
            ("udp://239.0.0.1:5000", false, false), ("udp://239.0.0.1:5000?token=a1b2c3d4", true, true),
            ("http://host/live.ts", false, false), ("http://host/app/live.ts", true, true),
            ("https://user@host/live.ts", true, true), ("srt://host:9000", false, false),
            ("srt://host:9000?streamid=camera-key", true, true), ("rtsp://user@camera/stream", true, false),
            ("rtmp://host/app/key", true, false),
            ("https://host/app/index.m3u8?token=a1b2c3d4", true, false),
        ])
    func hiddenPrograms(url: String, isSecret: Bool, hidesPrograms: Bool) throws {
        let pull = PullSource(url: url, tls: .none)
        let source = SourceConfiguration(kind: .pull(pull), position: 0)
        #expect(pull.hasSecret == isSecret && source.hidesPrograms == hidesPrograms)
        let command = try FFmpegCommands.relay(
            source, mezzanine: .init(), transcoding: .init(), ffmpeg: ffmpeg, environment: [:])
        #expect((command?.secretFile != nil) == isSecret)
    }

    @Test("a secret beside the address of a pull hides its programs too")
    func hiddenBesideAddress() throws {
        func hides(_ pull: PullSource) -> Bool { SourceConfiguration(kind: .pull(pull), position: 0).hidesPrograms }
        let secret = SecretReference.env("PASS")
        #expect(hides(PullSource(url: "srt://host:9000", passphrase: secret)))
        #expect(hides(PullSource(url: "srt://host:9000", streamid: secret)))
        #expect(hides(PullSource(url: "http://user@host/live.ts", password: secret)))
    }

    @Test("a capture source without its card says so")
    func noCard() {
        let source = SourceConfiguration(kind: .capture(CaptureSource(binding: .serial("SN1"))), position: 0)
        #expect {
            try FFmpegCommands.relay(source, mezzanine: .init(), transcoding: .init(), ffmpeg: ffmpeg, environment: [:])
        } throws: { "\($0)".contains("with the serial SN1") }
    }

    @Test(
        "HEVC is sent by RTMP only if FFmpeg can, and always by SRT and to disk"
    )
    func codecOfTarget() throws {
        let group = GroupConfiguration(name: "hd", video: .encode(VideoEncoding(codec: .hevc)))
        func publisher(_ destination: TargetDestination, _ ffmpeg: FFmpegCapabilities) throws -> FFmpegCommand {
            try FFmpegCommands.publisher(
                TargetConfiguration(name: "a", destination: destination), of: group, take: 0, ffmpeg: ffmpeg,
                environment: [:])
        }
        let rtmp = TargetDestination.rtmp(RTMPTarget(url: "rtmp://127.0.0.1/live/key"))
        #expect {
            try publisher(rtmp, .complete("6.0"))
        } throws: { error in
            error is StartError && "\(error)".contains("FFmpeg 6.0 does not have HEVC by RTMP")
                && "\(error)".contains("group hd encode h264")
        }
        #expect(try publisher(rtmp, .complete("6.1")).role == .publisher)
        #expect(try publisher(.srt(SRTTarget(url: "srt://127.0.0.1:9000")), .complete("6.0")).role == .publisher)
        #expect(try publisher(.record(RecordTarget(folder: "/rec")), .complete("6.0")).role == .publisher)
    }

    // MARK: Plan

    private let secrets = ["STREAM": "sk-one-two-three", "PASS": "correct horse battery"]

    private func planned() throws -> ServicePlan {
        let yaml = """
            channels:
              - name: main
                sources:
                  - srt: { listen: "127.0.0.1:9000", passphrase: { env: PASS } }
                  - pull: { url: "rtsp://viewer:hunter22@camera/stream" }
                  - pull: { url: "rtsp://viewer@camera/stream", password: { env: STREAM } }
                  - pull: { url: "srt://10.0.0.9:9000", passphrase: { env: PASS }, streamid: { env: STREAM } }
                  - srt: { listen: "127.0.0.1:9001", streamid: { env: UNSET } }
                groups:
                  - name: hd
                    video: { bitrate: 3M }
                    targets:
                      - { name: platform, url: "rtmp://live.example/app", key: { env: STREAM } }
                      - { name: inline, url: "rtmp://live.example/app/key-in-the-address" }
                      - { name: studio, url: "srt://10.0.0.2:9000", passphrase: { env: PASS } }
                      - { name: nobody, url: "rtmp://live.example/app", key: { env: UNSET } }
            """
        let file = try ConfigurationFile.parse(yaml, name: "test", ownerOnly: true)
        let version = try #require(FFmpegVersion(output: "ffmpeg version 5.1.9 Copyright"))
        var pool = EncoderPool(EncoderCatalogue(listed: ["libx264"]))
        for group in file.configuration.channels.flatMap(\.groups) {
            guard case .encode(let encoding) = group.video else { continue }
            _ = pool.setEncoding(encoding, job: EncodingJob(encoding), for: group.name, now: .zero)
        }
        return ServicePlan(
            file.configuration, ffmpeg: FFmpegBinary(path: "/usr/bin/ffmpeg", capabilities: .complete(version)),
            encoders: pool, environment: secrets)
    }

    @Test("a plan names every process and no secret, as text and as JSON")
    func plan() throws {
        let plan = try planned()
        #expect(
            plan.processes.map { "\($0.role) \($0.name)" } == [
                "relay srt-0", "relay srt-0", "relay pull-1", "relay pull-2", "relay pull-3", "relay srt-4",
                "relay srt-4", "encoder hd", "publisher platform", "publisher inline", "publisher studio",
                "publisher nobody",
            ])
        let json = String(decoding: try JSONEncoder().encode(plan), as: UTF8.self)
        for secret in ["sk-one-two-three", "correct horse battery", "hunter22", "key-in-the-address"] {
            #expect(!plan.text.contains(secret))
            #expect(!json.contains(secret))
        }
    }

    @Test("a publisher's video needs no process, and its audio one if it is not AAC")
    func planOfPublisher() throws {
        let yaml = """
            channels:
              - name: main
                sources: [ { rtmp: { listen: "127.0.0.1:1935" } } ]
                groups: [ { name: raw, video: copy, audio: copy } ]
            """
        let file = try ConfigurationFile.parse(yaml, name: "test", ownerOnly: true)
        let version = try #require(FFmpegVersion(output: "ffmpeg version 5.1.9 Copyright"))
        let ffmpeg = FFmpegBinary(path: "/usr/bin/ffmpeg", capabilities: .complete(version))
        let pool = EncoderPool(EncoderCatalogue(listed: ["libx264"]))
        let plan = ServicePlan(file.configuration, ffmpeg: ffmpeg, encoders: pool, environment: [:])
        #expect(plan.processes.map { "\($0.role) \($0.name)" } == ["sound rtmp-0"])
        #expect(plan.processes.first?.arguments.suffix(2) == ["0", "pipe:1"])
    }

    @Test("a missing secret is the problem of its process only")
    func missingSecret() throws {
        let problems = try planned().processes.filter { $0.problem != nil }
        #expect(problems.map(\.name) == ["srt-4", "nobody"])
        #expect(problems.allSatisfy { $0.problem?.contains("UNSET") == true })
    }
}
