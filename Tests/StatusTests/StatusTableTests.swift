import Status
import Testing

/// What a person reads.
@Suite struct StatusTableTests {
    private let box = BoxSnapshot(
        version: "1.2.3", ffmpeg: "5.1", started: 0, updated: 93_784,
        channels: [
            ChannelSnapshot(
                name: "main", sources: [SourceSnapshot(id: "rtmp-0", state: .live, isOnAir: true, format: "h264 1920x1080@60")],
                groups: [
                    GroupSnapshot(
                        name: "a-name-that-is-as-long-as-it-may-be", state: .live, encoder: "libx264", fps: 29.96, bitsPerSecond: 6_012_000,
                        targets: [TargetSnapshot(name: "twitch", state: .waiting, trouble: String(repeating: "word ", count: 40))])
                ])
        ], problems: [Problem("target-down", subject: "target twitch", sentence: String(repeating: "a sentence that is long ", count: 12))])

    @Test("no line is wider than 80 columns, whatever it holds")
    func width() {
        for line in StatusTable.render(box, coloured: false).split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    }

    @Test("plain text has no escape sequences, coloured text the same words")
    func colours() {
        let plain = StatusTable.render(box, coloured: false)
        #expect(!plain.contains("\u{1B}"))
        var stripped = StatusTable.render(box, coloured: true)
        stripped.replace(#/\u{1B}\[\d+m/#, with: "")
        #expect(stripped == plain)
    }

    @Test("figures are written as people say them")
    func figures() {
        let text = StatusTable.render(box, coloured: false)
        #expect(text.contains("up 1d 2h"))
        #expect(text.contains("30.0 fps  6.0 Mbit/s"))
        #expect(text.contains("on air"))
    }
}
