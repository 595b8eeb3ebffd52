import Testing

@testable import FFmpeg

/// The streams that a relay selects from an input that FFmpeg describes.
@Suite struct StreamChoiceTests {
    private func read(_ lines: [String], end: String = "Stream mapping:") -> InputDescription {
        var input = InputDescription()
        let wasWhole = lines.map { input.consume(LogLine(parsing: "[info] \($0)")) }.contains(true)
        let isWhole = input.consume(LogLine(parsing: "[info] \(end)"))
        #expect(!wasWhole && isWhole && input.isWhole)
        return input
    }

    private let radio = [
        "Input #0, mpegts, from 'pipe:0':",
        "  Duration: N/A, start: 1.434200, bitrate: N/A",
        "  Program 1 ",
        "    Metadata:",
        "      service_name    : Radio",
        "      service_provider: FFmpeg",
        "  Stream #0:0[0x100](eng): Audio: ac3 (AC-3 / 0x332D4341), 44100 Hz, mono, fltp, 96 kb/s",
        "  Program 2 ",
        "    Metadata:",
        "      service_name    : TV",
        """
          Stream #0:1[0x101]: Video: mpeg2video (Main) ([2][0][0][0] / 0x0002), yuv420p(tv, progressive), 320x180, \
        25 fps, 25 tbr, 90k tbn
        """,
        "    Side data:",
        "      cpb: bitrate max/min/avg: 0/0/0 buffer size: 278528 vbv_delay: N/A",
        "  Stream #0:2[0x102](deu): Audio: ac3 (AC-3 / 0x332D4341), 44100 Hz, mono, fltp, 96 kb/s, start 1.434200",
        "  Stream #0:3[0x103](und): Audio: mp2, 48000 Hz, stereo, fltp, 192 kb/s",
        "  Program 3 ",
        "  Stream #0:4[0x104]: Video: h264 (High), yuv420p, 320x180",
        "  No Program",
        "  Stream #0:5[0x105]: Unknown: none",
    ]

    @Test("a description has programs with their streams, codecs and languages")
    func description() {
        let input = read(radio, end: "Output #0, mpegts, to 'pipe:1':")
        #expect(input.format == "mpegts")
        #expect(input.programs.map(\.number) == [1, 2, 3] && input.programs.map(\.name) == ["Radio", "TV", nil])
        #expect(input.programs.map(\.streams) == [[0], [1, 2, 3], [4]])
        #expect(input.streams.map(\.kind) == [.audio, .video, .audio, .audio, .video, .other])
        #expect(input.streams.map(\.codec) == ["ac3", "mpeg2video", "ac3", "mp2", "h264", "none"])
        #expect(input.streams.map(\.language) == ["eng", nil, "deu", nil, nil, nil])
    }

    @Test("lines of libraries inside a description are ignored")
    func otherLines() {
        var input = InputDescription()
        let lines = [
            "[info] Input #0, mpegts, from 'x':", "12:00:00/SRT:RcvQ:w1: a word",
            "[info]   Stream #0:0[0x100]: Video: h264",
            "[fatal] Stream map '0:p:9:v:0' matches no streams.",
        ]
        let isWhole = lines.map { input.consume(LogLine(parsing: $0)) }
        #expect(isWhole == [false, false, false, true] && input.streams.count == 1)
    }

    @Test("if the first program is radio, the video comes with its own program's audio")
    func radioFirst() {
        let choice = StreamChoice(of: read(radio))
        #expect(choice.map == .program(2) && choice.video?.index == 1 && choice.audio?.index == 2)
        #expect(
            choice.programNote
                == "the source has several programs: 2 (TV) is used, 1 (Radio), 3 are not;"
                + " set program: to choose another"
        )
        #expect(
            choice.trackNote
                == "the source has several audio tracks: stream 2 (deu, ac3) is used, stream 3 (mp2) is not")
    }

    @Test("a program with video and no audio gets silence, not another program's audio")
    func silentProgram() {
        let choice = StreamChoice(
            of: read([
                "Input #0, mpegts, from 'x':", "  Program 1 ", "  Stream #0:0[0x100]: Video: h264", "  Program 2 ",
                "  Stream #0:1[0x101]: Video: h264",
                "  Stream #0:2[0x102]: Audio: aac",
            ]))
        #expect(
            choice.map == .program(1) && choice.audio == nil && choice.programNote?.contains("it has no audio") == true)
    }

    @Test(
        "a single program needs no other command",
        arguments: [
            ["  Program 1 ", "  Stream #0:0[0x100]: Video: h264", "  Stream #0:1[0x101]: Audio: aac"],
            ["  Program 1 ", "  Stream #0:0[0x100]: Audio: aac", "  Stream #0:1[0x101]: Video: h264"],
            ["  Stream #0:0: Video: h264", "  Stream #0:1: Audio: aac"],
        ])
    func single(lines: [String]) {
        let choice = StreamChoice(of: read(["Input #0, mpegts, from 'x':"] + lines))
        #expect(
            choice.map == .first && choice.audio != nil && choice.programNote == nil && choice.trackNote == nil
                && choice.obstacle == nil)
    }

    @Test("a program by number is selected; a missing one or one without video is an error")
    func wanted() {
        let input = read(radio)
        let choice = StreamChoice(of: input, program: 3)
        #expect(choice.map == .program(3) && choice.video?.index == 4 && choice.audio == nil && choice.obstacle == nil)
        #expect(
            StreamChoice(of: input, program: 9).obstacle
                == "program 9 is not in the stream; it has 1 (Radio), 2 (TV), 3")
        #expect(StreamChoice(of: input, program: 1).obstacle == "program 1 has no video; it has 1 (Radio), 2 (TV), 3")
    }

    @Test("the former program is kept, in whatever order programs are listed")
    func former() {
        #expect(StreamChoice(of: read(radio), former: 3).map == .program(3))
        #expect(StreamChoice(of: read(radio), former: 1).map == .program(2))
    }

    @Test("versions of an HLS stream are not reported as programs")
    func adaptive() {
        let choice = StreamChoice(
            of: read([
                "Input #0, hls, from 'x':", "  Program 0 ", "  Stream #0:0: Video: h264", "  Stream #0:1: Audio: aac",
                "  Program 1 ",
                "  Stream #0:2: Video: h264", "  Stream #0:1: Audio: aac",
            ]))
        #expect(choice.map == .first && choice.programNote == nil)
    }

    @Test(
        "without programs, audio follows its video",
        arguments: [
            (["Audio: ac3", "Video: h264", "Audio: aac"], StreamMap.streams(video: 1, audio: 2)),
            (["Video: h264", "Video: h264", "Audio: aac"], .streams(video: 0, audio: nil)),
            (["Video: h264", "Audio: aac", "Video: h264", "Audio: aac"], .first),
            (["Audio: aac", "Video: h264"], .first),
        ])
    func flattened(streams: [String], map: StreamMap) {
        let lines = streams.enumerated().map { "  Stream #0:\($0.offset)[0x10\($0.offset)]: \($0.element)" }
        let input = read(["Input #0, mpegts, from 'pipe:0':", "  Program 1 "] + lines)
        let choice = StreamChoice(of: input, isFlattened: true)
        #expect(choice.map == map)
        // It may belong to a radio program, which has no video.
        let mayBeOthers = choice.programNote?.contains("may belong to another program") == true
        #expect(mayBeOthers == (choice.audio != nil))
        #expect(StreamChoice(of: input).programNote == nil)
    }

    @Test("a sender's name has no line breaks and a limited length")
    func names() {
        let input = read([
            "Input #0, mpegts, from 'x':", "  Program 1 ",
            "      service_name    : \u{1B}[2J" + String(repeating: "n", count: 200),
        ])
        #expect(input.programs[0].name.map { $0.count < 50 && !$0.contains("\u{1B}") } == true)
    }
}
