import MediaTypes
import Testing

@testable import BoxConfiguration

@Suite struct ExampleTests {
    @Test("the documented example parses to its values")
    func wholeExample() throws {
        let expected = BoxConfiguration(
            ffmpeg: "/usr/bin/ffmpeg", runtime: "/run/streambox", state: "/var/lib/streambox",
            status: StatusConfiguration(
                file: "/run/streambox/streambox.prom", every: .seconds(2),
                listen: SocketAddress(host: "127.0.0.1", port: 9163)),
            encoders: EncoderPreferences(order: [.nvenc, .vaapi, .qsv, .v4l2m2m, .software]),
            channels: [
                ChannelConfiguration(
                    name: "main", sources: sources,
                    slate: SlateConfiguration(after: .seconds(1), image: "standby.png", text: "Back soon"),
                    mezzanine: MezzanineConfiguration(
                        bitrate: Bitrate(bitsPerSecond: 20_000_000), keyframeInterval: .milliseconds(500)),
                    tap: true, groups: [group])
            ])
        #expect(try parse(example).configuration == expected)
    }

    private var sources: [SourceConfiguration] {
        let kinds: [SourceKind] = [
            .rtmp(
                RTMPSource(
                    listen: SocketAddress(host: "0.0.0.0", port: 1935), app: "live", key: .credential("ingest"))),
            .srt(
                SRTSource(
                    listen: SocketAddress(host: "0.0.0.0", port: 9000), passphrase: .file("/etc/streambox/keys/srt"))),
            .pull(PullSource(url: "rtsp://camera/stream")),
            .capture(
                CaptureSource(
                    binding: .serial("SN0001"), size: FrameSize(width: 1920, height: 1080),
                    rate: FrameRate(60), audio: .auto)),
            .raw(
                RawSource(
                    path: "/run/streambox/frames", size: FrameSize(width: 1280, height: 720),
                    rate: FrameRate(30), pixels: .bgra)),
            .file(FileSource(path: "show.mp4", loop: true)),
            .test(TestSource(size: FrameSize(width: 1280, height: 720), rate: FrameRate(30))),
        ]
        return kinds.enumerated().map { SourceConfiguration(kind: $1, position: $0) }
    }

    private var group: GroupConfiguration {
        GroupConfiguration(
            name: "hd",
            video: .encode(
                VideoEncoding(
                    codec: .h264, encoder: .auto, size: FrameSize(width: 1920, height: 1080),
                    frameRate: FrameRate(30), bitrate: Bitrate(bitsPerSecond: 6_000_000),
                    keyframeInterval: .seconds(2),
                    profile: "high")),
            audio: .encode(
                AudioEncoding(codec: .aac, bitrate: Bitrate(bitsPerSecond: 160_000), rate: 48000, channels: 2)),
            tap: false,
            targets: [
                TargetConfiguration(
                    name: "twitch",
                    destination: .rtmp(RTMPTarget(url: "rtmp://live.twitch.tv/app", key: .credential("twitch")))),
                TargetConfiguration(
                    name: "studio",
                    destination: .srt(SRTTarget(url: "srt://10.0.0.2:9000", passphrase: .env("STUDIO_PASS")))),
                TargetConfiguration(
                    name: "archive",
                    destination: .record(
                        RecordTarget(
                            folder: "/var/lib/streambox/rec", segment: .seconds(600),
                            keep: ByteCount(bytes: 20_000_000_000)))),
            ])
    }

    @Test("a source is named by its kind and its position in the list")
    func sourceNames() throws {
        let channel = try #require(try parse(example).configuration.channels.first)
        #expect(
            channel.sources.map(\.id) == ["rtmp-0", "srt-1", "pull-2", "capture-3", "raw-4", "file-5", "test-6"])
    }

    @Test("channels, sources, groups and targets know their location in the file")
    func locations() throws {
        let channel = try #require(try parse(example).configuration.channels.first)
        #expect(channel.location == FileLocation(line: 11, column: 5))
        #expect(channel.sources.map(\.location.line) == [13, 14, 15, 17, 19, 20, 21])
        #expect(channel.sources[0].location.column == 9)
        #expect(channel.groups[0].location == FileLocation(line: 29, column: 9))
        #expect(channel.groups[0].targets.map(\.location.line) == [37, 38, 39])
        #expect(channel.groups[0].targets[0].location.column == 13)
    }

    @Test("a key that is left out has its documented default")
    func defaults() throws {
        let text = """
            channels:
            - name: a
              sources:
              - rtmp: { listen: 0.0.0.0:1935 }
              - capture: { any: true }
              - file: { path: a.mp4 }
              - test:
              groups:
              - name: g
                targets: [{ name: t, record: { folder: rec } }]
            """
        let box = try parse(text).configuration
        #expect(box.ffmpeg == nil && box.runtime == nil && box.state == nil)
        #expect(box.status == StatusConfiguration(file: nil, every: .seconds(2), listen: nil))
        #expect(box.encoders.order == [.nvenc, .vaapi, .qsv, .v4l2m2m, .software])
        let channel = box.channels[0]
        #expect(!channel.tap)
        #expect(channel.slate == SlateConfiguration(after: .seconds(1), image: nil, text: nil))
        #expect(channel.mezzanine.bitrate.bitsPerSecond == 20_000_000)
        #expect(channel.mezzanine.keyframeInterval == .milliseconds(500))
        let address = SocketAddress(host: "0.0.0.0", port: 1935)
        #expect(channel.sources[0].kind == .rtmp(RTMPSource(listen: address, app: "live", key: nil)))
        #expect(channel.sources[1].kind == .capture(CaptureSource(binding: .any, size: nil, rate: nil, audio: .auto)))
        #expect(channel.sources[2].kind == .file(FileSource(path: "a.mp4", loop: false)))
        #expect(
            channel.sources[3].kind
                == .test(TestSource(size: FrameSize(width: 1280, height: 720), rate: FrameRate(30))))
        let encoding = VideoEncoding(
            codec: .h264, encoder: .auto, size: nil, frameRate: nil, bitrate: Bitrate(bitsPerSecond: 6_000_000),
            keyframeInterval: .seconds(2), profile: "high")
        #expect(channel.groups[0].video == .encode(encoding))
        #expect(
            channel.groups[0].audio
                == .encode(
                    AudioEncoding(codec: .aac, bitrate: Bitrate(bitsPerSecond: 160_000), rate: 48000, channels: 2)))
        #expect(!channel.groups[0].tap)
        #expect(
            channel.groups[0].targets[0].destination
                == .record(RecordTarget(folder: "rec", segment: .seconds(600), keep: nil)))
    }

    @Test("video and audio can be copied")
    func copy() throws {
        let text = inGroup("  - { name: g, video: copy, audio: copy, tap: true }")
        let group = try parse(text).configuration.channels[0].groups[0]
        #expect(group.video == .copy)
        #expect(group.audio == .copy)
    }

    @Test("a value can be repeated with an anchor and an alias")
    func aliases() throws {
        let text = inGroup(
            "  - { name: a, tap: true, video: &hd { size: 640x360 } }\n  - { name: b, tap: true, video: *hd }")
        let groups = try parse(text).configuration.channels[0].groups
        #expect(groups[0].video == groups[1].video)
    }

    @Test("a change of lines, comments and quotes changes no value")
    func equalityIgnoresLocations() throws {
        let moved = "# a comment\n\n" + example.replacing("tap: true", with: "tap:   true\n")
        let (first, second) = (try parse(example).configuration, try parse(moved).configuration)
        #expect(first == second)
        #expect(first.channels[0].location != second.channels[0].location)
    }

    @Test("a change of one value changes its group and leaves the rest equal")
    func equalitySeesValues() throws {
        let changed = try parse(example.replacing("6000k", with: "5M")).configuration
        let original = try parse(example).configuration
        #expect(changed.channels[0].groups[0] != original.channels[0].groups[0])
        #expect(changed.channels[0].groups[0].targets == original.channels[0].groups[0].targets)
        #expect(changed.channels[0].sources == original.channels[0].sources)
    }

    @Test("Windows line ends and a byte order mark are accepted")
    func windowsText() throws {
        let text = "\u{FEFF}" + example.replacing("\n", with: "\r\n")
        #expect(try parse(text).configuration == parse(example).configuration)
    }
}
