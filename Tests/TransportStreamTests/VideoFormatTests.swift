import TestSupport
import Testing

@testable import TransportStream

@Suite(.tags(.ffmpeg)) struct VideoFormatTests {
    @Test(
        "size and rate are those of the encoder, cropping taken off",
        arguments: [(1920, 1080, "60"), (322, 178, "25"), (1280, 720, "30000/1001"), (640, 360, "30")], ["libx264", "libx265"])
    func encoders(_ picture: (width: Int, height: Int, rate: String), _ codec: String) async throws {
        let done = try await Tool.run(
            "ffmpeg",
            [
                "-v", "error", "-f", "lavfi", "-i", "color=s=\(picture.width)x\(picture.height):r=\(picture.rate)", "-frames:v", "3",
                "-c:v", codec, "-preset", "ultrafast", "-x265-params", "log-level=error", "-pix_fmt", "yuv420p", "-f", "mpegts", "pipe:1",
            ]
        ).success("a stream")
        var parser = UnitParser()
        _ = parser.units([done.output])
        let found = parser.videoFormat
        let format = try #require(found)
        #expect((format.width, format.height) == (picture.width, picture.height))
        if codec == "libx264" {
            let rate = try #require(format.frameRate)
            let parts = picture.rate.split(separator: "/").map { Int($0)! }
            #expect(rate.numerator * (parts.count > 1 ? parts[1] : 1) == parts[0] * rate.denominator)
        }
    }

    @Test(
        "H.264 says whether frames may be interlaced, and the pixel aspect ratio",
        arguments: [("progressive", "64/45", 64, 45), ("tff", "16/11", 16, 11), ("tff", "1/1", 1, 1)])
    func shape(_ picture: (scan: String, aspect: String, width: Int, height: Int)) async throws {
        let isInterlaced = picture.scan == "tff"
        let done = try await Tool.run(
            "ffmpeg",
            ["-v", "error", "-f", "lavfi", "-i", "color=s=720x576:r=25", "-frames:v", "3", "-vf", "setsar=\(picture.aspect)"]
                + (isInterlaced ? ["-flags", "+ildct+ilme", "-x264-params", "tff=1"] : [])
                + ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-f", "mpegts", "pipe:1"]
        ).success("a stream")
        var parser = UnitParser()
        _ = parser.units([done.output])
        let found = parser.videoFormat
        let format = try #require(found)
        #expect((format.width, format.height) == (720, 576) && format.isInterlaced == isInterlaced)
        #expect(format.pixelAspect == VideoFormat.Fraction(picture.width, picture.height))
        #expect(format.frameRate == VideoFormat.Fraction(25, 1))
    }

    @Test("random bytes give a sensible format or none")
    func hostile() {
        withSeededRandomNow { random in
            for _ in 0..<20_000 {
                let bytes = (0..<Int.random(in: 0...64, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
                for format in [VideoFormat(h264: bytes), VideoFormat(hevc: bytes)] {
                    #expect(format.map { $0.width > 0 && $0.height > 0 && $0.width <= 16_384 && $0.height <= 32_768 } ?? true, "\(random.hint)")
                }
            }
        }
    }
}
