import BoxConfiguration
import EncoderSelection
import FFmpeg
import MPEGTS
import MediaTypes

/// The format in which a slate is rendered: the format of the source that it replaces.
struct SlateFormat: Sendable, Hashable {
    var codec: VideoCodec
    var size: FrameSize
    var rate: FrameRate
    var profile: String?
    var pixel = PixelAspect.square

    /// The most frames per second. No camera sends more.
    private static let fastest = 300

    /// The format of a source.
    ///
    /// - Parameter fallback: The values to use if the stream does not state them.
    init(_ format: VideoFormat, fallback: SlateFormat) {
        codec = format.codec == .hevc ? .hevc : .h264
        size = format.size
        pixel = format.pixelAspect ?? .square
        // A stream may announce the rate of its clock, a million ticks per second, as its frame rate.
        let plausible = format.frameRate.flatMap { $0.numerator <= Self.fastest * $0.denominator ? $0 : nil }
        rate = plausible ?? fallback.rate
        // Profiles that the encoder can make from 8-bit 4:2:0.
        profile = codec == .hevc ? nil : [66: "baseline", 77: "main", 100: "high"][format.profile]
    }

    /// The likely format before the first frame: that of a source whose configuration names it, else that of the first
    /// group.
    init(expecting channel: ChannelConfiguration) {
        codec = .h264
        size = FrameSize(width: 1920, height: 1080)
        rate = FrameRate(30)
        profile = "high"
        if let group = channel.groups.lazy.compactMap({ group in
            if case .encode(let encoding) = group.video { encoding } else { nil }
        }).first {
            size = group.size ?? size
            rate = group.frameRate ?? rate
        }
        for source in channel.sources {
            switch source.kind {
            case .test(let test):
                size = test.size
                rate = test.rate
                return
            case .raw(let raw):
                size = raw.size
                rate = raw.rate
                return
            case .capture, .rtmp, .srt, .pull, .file:
                continue
            }
        }
    }

    /// The number of frames that together last about a second, and a whole number of ticks.
    var frames: Int {
        let ticks = { (frames: Int) in (frames * rate.denominator * 90_000) % rate.numerator }
        let about = max(2, (rate.numerator + rate.denominator - 1) / rate.denominator)
        return (about...(about * 4)).first { ticks($0) == 0 } ?? about
    }
}
