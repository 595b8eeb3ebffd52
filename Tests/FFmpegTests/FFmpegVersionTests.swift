import Testing

@testable import FFmpeg

@Suite struct FFmpegVersionTests {
    @Test(
        "a release is read, whatever its packager adds",
        arguments: [
            ("ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000-2026 the FFmpeg developers", 5, 1),
            ("ffmpeg version n6.0 Copyright", 6, 0),
            ("ffmpeg version 7.1.1-static https://johnvansickle.com/ffmpeg/ Copyright", 7, 1),
            ("ffmpeg version 8 Copyright", 8, 0),
            ("ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright", 4, 4),
        ])
    func release(line: String, major: Int, minor: Int) {
        #expect(FFmpegVersion(output: line)?.release == .init(major: major, minor: minor))
    }

    @Test("5.1 and newer are supported, older ones are not")
    func support() {
        #expect(FFmpegVersion(output: "ffmpeg version 5.1 C")?.isSupported == true)
        #expect(FFmpegVersion(output: "ffmpeg version 5.0.3 C")?.isSupported == false)
    }

    @Test(
        "a git snapshot is judged by its libavutil",
        arguments: ["N-109468-gd39b34123d", "git-2023-01-01-abcdef", "2024-01-02-git-0123456789", "UNKNOWN"])
    func snapshot(word: String) {
        let new = "ffmpeg version \(word) Copyright\nlibavutil      58.  2.100 / 58.  2.100\n"
        let old = "ffmpeg version \(word) Copyright\nlibavutil      56. 70.100 / 56. 70.100\n"
        #expect(FFmpegVersion(output: new)?.release == nil)
        #expect(FFmpegVersion(output: new)?.isSupported == true)
        #expect(FFmpegVersion(output: old)?.isSupported == false)
        // Without that number too, nothing shows that it is too old.
        let unknown = FFmpegVersion(output: "ffmpeg version \(word) Copyright")
        #expect(unknown?.text == word && unknown?.equivalent == nil && unknown?.isSupported == true)
    }

    @Test("lines that a wrapper prints before the version are ignored")
    func wrapped() {
        let numbers = "ffmpeg version 7.1.5 Copyright\nlibavutil      59. 39.100 / 59. 39.100\n"
        let version = FFmpegVersion(output: "using /opt/ffmpeg\n\n" + numbers)
        #expect(version?.text == "7.1.5" && version?.equivalent == .init(major: 7, minor: 1))
        #expect(FFmpegVersion(output: "using /opt/ffmpeg\nffmpeg version 4.4 Copyright\n")?.isSupported == false)
    }

    @Test(
        "a build's capabilities follow its libavutil, whatever its name",
        arguments: [
            ("5.1.9-0+deb12u1", "57. 28.100", 5, 1), ("N-109468-gd39b34123d", "57. 44.100", 5, 1),
            ("6.0", "58.  2.100", 6, 0), ("6.1.1", "58. 29.100", 6, 1),
            ("7.1.5-0+deb13u1", "59. 39.100", 7, 1), ("4.4-ours", "59. 39.100", 7, 1), ("8.0", "60.  8.100", 8, 0),
            ("N-122000-g1234567", "61.  3.100", 9, 0),
        ])
    func equivalent(word: String, library: String, major: Int, minor: Int) {
        let version = FFmpegVersion(
            output: "ffmpeg version \(word) Copyright\nlibavutil      \(library) / \(library)\n")
        #expect(version?.equivalent == .init(major: major, minor: minor) && version?.isSupported == true)
    }

    @Test(
        "another program's output is not a version",
        arguments: ["", "nginx version: 1.22", "ffmpeg version ", "is no ffmpeg version 7.1"])
    func others(text: String) {
        #expect(FFmpegVersion(output: text) == nil)
    }
}
