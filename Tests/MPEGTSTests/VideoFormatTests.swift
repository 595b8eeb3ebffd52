import MediaTypes
import TestSupport
import Testing

@testable import MPEGTS

@Suite(.tags(.ffmpeg)) struct VideoFormatTests {
    @Test(
        "size and rate are those of the encoder, without the cropping",
        arguments: [(1920, 1080, "60"), (322, 178, "25"), (1280, 720, "30000/1001"), (640, 360, "30")],
        ["libx264", "libx265"])
    func encoders(_ video: (width: Int, height: Int, rate: String), _ codec: String) async throws {
        let done = try await TestProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-f", "lavfi", "-i", "color=s=\(video.width)x\(video.height):r=\(video.rate)",
                "-frames:v", "3",
                "-c:v", codec, "-preset", "ultrafast", "-x265-params", "log-level=error", "-pix_fmt", "yuv420p", "-f",
                "mpegts", "pipe:1",
            ]
        ).success("a stream")
        var parser = UnitParser()
        _ = parser.units([done.output])
        let found = parser.videoFormat
        let format = try #require(found)
        #expect((format.width, format.height) == (video.width, video.height))
        if codec == "libx264" {
            let rate = try #require(format.frameRate)
            let parts = video.rate.split(separator: "/").map { Int($0)! }
            #expect(rate.numerator * (parts.count > 1 ? parts[1] : 1) == parts[0] * rate.denominator)
        }
    }

    @Test(
        "H.264: interlacing and pixel aspect ratio are read",
        arguments: [("progressive", "64/45", 64, 45), ("tff", "16/11", 16, 11), ("bff", "1/1", 1, 1)])
    func shape(_ video: (scan: String, aspect: String, width: Int, height: Int)) async throws {
        let isInterlaced = video.scan != "progressive"
        let done = try await TestProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-f", "lavfi", "-i", "color=s=720x576:r=25", "-frames:v", "3", "-vf",
                "setsar=\(video.aspect)",
            ]
                + (isInterlaced ? ["-flags", "+ildct+ilme", "-x264-params", "\(video.scan)=1"] : [])
                + ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-f", "mpegts", "pipe:1"]
        ).success("a stream")
        var parser = UnitParser()
        _ = parser.units([done.output])
        let found = parser.videoFormat
        let format = try #require(found)
        #expect((format.width, format.height) == (720, 576) && format.isInterlaced == isInterlaced)
        #expect(format.pixelAspect == PixelAspect(width: video.width, height: video.height))
        #expect(format.frameRate == FrameRate(25, 1) && format.announcedRate == format.frameRate)
    }

    /// The flags of the source in a profile by x265: a progressive one, and an interlaced one.
    private static let progressiveSource: [UInt8] = [0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90]
    private static let interlacedSource: [UInt8] = [0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x40]

    @Test(
        "HEVC: interlaced frames are recognized, single fields are not",
        arguments: [
            ("", false, false, 25), ("", true, true, 25),
            ("interlace=tff", false, false, nil), ("vui-timing-info=0", true, true, nil),
        ] as [(String, Bool, Bool, Int?)])
    func hevcScan(_ stream: (options: String, isChanged: Bool, isInterlaced: Bool, rate: Int?)) async throws {
        let options = ["log-level=error", stream.options].filter { !$0.isEmpty }.joined(separator: ":")
        let done = try await TestProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-f", "lavfi", "-i", "color=s=720x576:r=25", "-frames:v", "3", "-c:v", "libx265",
                "-preset", "ultrafast", "-x265-params", options, "-pix_fmt", "yuv420p", "-f", "mpegts", "pipe:1",
            ]
        ).success("a stream")
        var bytes = done.output
        if stream.isChanged { bytes = bytes.replacing(Self.progressiveSource, with: Self.interlacedSource) }
        var parser = UnitParser()
        _ = parser.units([bytes])
        let found = parser.videoFormat
        let format = try #require(found)
        #expect(format.isInterlaced == stream.isInterlaced)
        if let rate = stream.rate { #expect(format.announcedRate == FrameRate(rate, 1)) }
        // The rate is measured.
        #expect(format.frameRate == nil)
    }

    /// The pixel aspect ratio that is read from a stream by x265.
    private func readHEVCAspect(_ aspect: String, _ options: [String] = []) async throws -> PixelAspect? {
        let done = try await TestProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-f", "lavfi", "-i", "color=s=720x576:r=25", "-frames:v", "1", "-vf", "setsar=\(aspect)",
                "-c:v", "libx265", "-preset", "ultrafast", "-x265-params",
                (["log-level=error"] + options).joined(separator: ":"), "-pix_fmt", "yuv420p", "-f", "mpegts", "pipe:1",
            ]
        ).success("a stream")
        var parser = UnitParser()
        _ = parser.units([done.output])
        let found = parser.videoFormat
        let format = try #require(found)
        #expect((format.width, format.height) == (720, 576))
        return format.pixelAspect
    }

    @Test(
        "HEVC: the pixel aspect ratio is read, numbered or explicit",
        arguments: [("12/11", 12, 11), ("64/45", 64, 45), ("1/1", 1, 1)])
    func hevcAspect(_ aspect: (text: String, width: Int, height: Int)) async throws {
        #expect(try await readHEVCAspect(aspect.text) == PixelAspect(width: aspect.width, height: aspect.height))
    }

    @Test("HEVC: the pixel aspect ratio after temporal layers and scaling lists is read")
    func hevcAspectBehindLists() async throws {
        let folder = try TemporaryFolder()
        // In the format of the reference encoder.
        var lines: [String] = []
        for (size, count) in [("4X4", 16), ("8X8", 64), ("16X16", 64), ("32X32", 64)] {
            for (index, kind) in ["INTRA", "INTER"].enumerated() {
                for part in ["LUMA", "CHROMAU", "CHROMAV"] {
                    lines.append("\(kind)\(size)_\(part)")
                    lines.append((0..<count).map { "\(16 + ($0 * 7 + index * 3) % 23)," }.joined())
                    if size.count > 3 { lines += ["\(kind)\(size)_\(part)_DC", "20,"] }
                }
            }
        }
        let path = try folder.write("lists", lines.joined(separator: "\n") + "\n")
        let options = ["scaling-list=\(path)", "temporal-layers=1", "bframes=4"]
        #expect(try await readHEVCAspect("16/11", options) == PixelAspect(width: 16, height: 11))
    }

    /// 64x64, pixels of 16:11, by x265.
    private static let hevcSet: [UInt8] = [
        0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x1E,
        0xA0, 0x20, 0x81, 0x05, 0x96, 0x56, 0x69, 0x24, 0xCA, 0xF0, 0x46, 0x80, 0x80, 0x00, 0x00, 0x03, 0x00, 0x80,
        0x00, 0x00, 0x0C, 0x84,
    ]

    /// The same with parts that hardware encoders write and x265 does not: PCM, four sets of reference pictures, of
    /// which two are predicted from others, and two long-term pictures. FFmpeg reads the same aspect ratio from it.
    private static let hevcSetWithReferences: [UInt8] = [
        0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x1E,
        0xA0, 0x20, 0x81, 0x05, 0x96, 0x56, 0x69, 0x24, 0xCD, 0xDE, 0xE5, 0x6B, 0xFF, 0x0D, 0xB2, 0xF6, 0x07, 0x05,
        0x78, 0x23, 0x40, 0x40, 0x00, 0x00, 0x03, 0x00, 0x40, 0x00, 0x00, 0x06, 0x42,
    ]

    @Test(
        "HEVC: the pixel aspect ratio after sets of reference pictures is read",
        arguments: [Self.hevcSet, Self.hevcSetWithReferences])
    func hevcReferences(set: [UInt8]) throws {
        let format = try #require(VideoFormat(hevc: set))
        #expect((format.width, format.height) == (64, 64) && format.pixelAspect == PixelAspect(width: 16, height: 11))
    }

    @Test("HEVC: a set cut before the pixel aspect ratio -> a size and no ratio", arguments: [22, 26, 28])
    func hevcCutShort(count: Int) {
        let format = VideoFormat(hevc: Self.hevcSet.prefix(count))
        #expect(format?.width == 64 && format?.pixelAspect == nil)
    }

    @Test("random bytes -> a plausible format or none")
    func hostile() {
        withSeededRandomNow { random in
            for _ in 0..<20_000 {
                let bytes = (0..<Int.random(in: 0...64, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                for format in [VideoFormat(h264: bytes), VideoFormat(hevc: bytes)] {
                    #expect(
                        format.map { $0.width > 0 && $0.height > 0 && $0.width <= 16_384 && $0.height <= 32_768 }
                            ?? true, "\(random.hint)")
                }
            }
        }
    }
}
