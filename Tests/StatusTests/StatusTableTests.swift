import Status
import Testing

/// The table for a person.
@Suite struct StatusTableTests {
    private let box = BoxSnapshot(
        version: "1.2.3", ffmpeg: "5.1", started: 0, updated: 93_784,
        channels: [
            ChannelSnapshot(
                name: "main",
                sources: [SourceSnapshot(id: "rtmp-0", state: .live, isOnAir: true, format: "h264 1920x1080@60")],
                groups: [
                    GroupSnapshot(
                        name: "a-name-that-is-as-long-as-it-may-be", state: .live, encoder: "libx264", fps: 29.96,
                        bitsPerSecond: 6_012_000,
                        targets: [
                            TargetSnapshot(
                                name: "twitch", state: .waiting, trouble: String(repeating: "word ", count: 40))
                        ])
                ])
        ],
        problems: [
            Problem(
                .targetDown, subject: "target twitch",
                sentence: String(repeating: "a sentence that is long ", count: 12))
        ])

    @Test("no line is wider than 80 columns")
    func width() {
        for line in StatusTable.render(box, coloured: false).split(separator: "\n") {
            #expect(line.count <= 80 && line.last != " ", "\(line)")
        }
    }

    @Test("coloured text differs from plain text only in escape sequences")
    func colours() {
        let plain = StatusTable.render(box, coloured: false)
        #expect(!plain.contains("\u{1B}"))
        var stripped = StatusTable.render(box, coloured: true)
        stripped.replace(#/\u{1B}\[\d+m/#, with: "")
        #expect(stripped == plain)
    }

    @Test(
        "long names and texts are shown whole, without control characters"
    )
    func names() {
        var box = box
        box.channels[0].groups[0].name = String(repeating: "g", count: 32)
        box.channels[0].groups[0].targets[0].name = String(repeating: "t", count: 32)
        box.channels[0].groups[0].encoder = "h264_vaapi"
        box.channels[0].groups[0].gpu = "0000:03:00.0"
        box.channels[0].groups[0].targets[0].trouble =
            "bell \u{7}, \u{1B}[2Jand a path /" + String(repeating: "p", count: 200)
        let text = StatusTable.render(box, coloured: false)
        for line in text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
        for whole in [
            box.channels[0].groups[0].name, box.channels[0].groups[0].targets[0].name,
            "h264_vaapi@0000:03:00.0  30.0 fps  6.0 Mbit/s",
        ] {
            #expect(text.contains(whole), "\(text)")
        }
        #expect(text.count { $0 == "p" } >= 200)
        #expect(!text.unicodeScalars.contains { $0.properties.generalCategory == .control && $0 != "\n" })
    }

    @Test("a degraded target shows the share that arrives")
    func slowTarget() throws {
        var box = box
        box.channels[0].groups[0].targets = [
            TargetSnapshot(name: "a", state: .degraded, connects: 2, share: 0.87, uptime: 750),
            TargetSnapshot(name: "b", state: .live, uptime: 30),
        ]
        let lines = StatusTable.render(box, coloured: false).split(separator: "\n")
        let words = lines.map { $0.split(separator: " ").joined(separator: " ") }
        #expect(
            words.contains("target a degraded") || words.contains { $0.hasPrefix("target a degraded 87 % arrives") },
            "\(words)")
        #expect(words.contains { $0.hasSuffix("87 % arrives, for 12m 30s, connected 2 times") }, "\(words)")
        #expect(
            words.contains { $0.hasPrefix("target b live") } && !words.contains { $0.contains("b live 8") }, "\(words)")
        let json = String(decoding: try StatusJSON.render(box, isPretty: false), as: UTF8.self)
        #expect(json.contains(#""share":0.87"#) && json.contains(#""state":"degraded""#), "\(json)")
    }

    @Test("a lowered preset is shown after the encoder")
    func loweredPreset() throws {
        var box = box
        box.channels[0].groups[0].loweredPreset = "superfast"
        #expect(StatusTable.render(box, coloured: false).contains("libx264 superfast  30.0 fps"))
        let json = String(decoding: try StatusJSON.render(box, isPretty: false), as: UTF8.self)
        #expect(json.contains(#""loweredPreset":"superfast""#), "\(json)")
    }

    @Test("notes on a source are shown below it")
    func notes() {
        var box = box
        box.channels[0].sources[0].notes = [
            "several programs come: 1 (One) is used, 2 (Two) is not; program: chooses another", "short",
        ]
        let lines = StatusTable.render(box, coloured: false).split(separator: "\n").map(String.init)
        #expect(lines.contains { $0.hasPrefix("   ") && $0.contains("several programs come: 1 (One) is used") })
        #expect(lines.contains { $0.hasSuffix(" short") } && lines.allSatisfy { $0.count <= 80 })
    }

    @Test("figures are rounded and have units")
    func figures() {
        let text = StatusTable.render(box, coloured: false)
        #expect(text.contains("up 1d 2h"))
        #expect(text.contains("30.0 fps  6.0 Mbit/s"))
        #expect(text.contains("on air"))
    }
}
