import FFmpeg

/// A part of FFmpeg that a command line needs, and that a build may lack.
enum FFmpegPart: Sendable, Hashable, CustomStringConvertible {
    case encoder(String)
    case decoder(String)
    case filter(String)
    case bitstreamFilter(String)
    case demuxer(String)
    case muxer(String)
    /// A protocol for input.
    case input(String)
    /// A protocol for output.
    case output(String)

    func isIn(_ ffmpeg: FFmpegCapabilities) -> Bool {
        switch self {
        case .encoder(let name): ffmpeg.encoders.contains(name)
        case .decoder(let name): ffmpeg.decoders.contains(name)
        case .filter(let name): ffmpeg.filters.contains(name)
        case .bitstreamFilter(let name): ffmpeg.bitstreamFilters.contains(name)
        case .demuxer(let name): ffmpeg.demuxers.contains(name)
        case .muxer(let name): ffmpeg.muxers.contains(name)
        case .input(let name): ffmpeg.inputProtocols.contains(name)
        case .output(let name): ffmpeg.outputProtocols.contains(name)
        }
    }

    /// The words with which ``RefusedOption`` describes the part: `the protocol srt`.
    var description: String {
        switch self {
        case .encoder(let name): "the encoder \(name)"
        case .decoder(let name): "the decoder \(name)"
        case .filter(let name): "the filter \(name)"
        case .bitstreamFilter(let name): "the bitstream filter \(name)"
        case .demuxer(let name): "the input format \(name)"
        case .muxer(let name): "the output format \(name)"
        case .input(let name), .output(let name): "the protocol \(name)"
        }
    }
}

/// The needs of each kind of command line. The other kinds leave out ``neededByAll``.
extension [FFmpegPart] {
    /// MPEG-TS on pipes.
    static var neededByAll: Self { [.demuxer("mpegts"), .muxer("mpegts"), .input("pipe"), .output("pipe")] }
    static var encodedAudio: Self { [.encoder("aac"), .filter("aresample")] }
    /// The audio of a publisher, as FLV.
    static var convertedAudio: Self { [.demuxer("flv")] + encodedAudio }
    static var encodedVideo: Self { [.filter("format"), .filter("scale"), .filter("setsar")] }
    static var convertedRate: Self { [.filter("fps"), .filter("settb")] }
    static var resumedVideo: Self { [.filter("trim")] }
    static var resumedAudio: Self { [.filter("atrim")] }
    static var testPicture: Self {
        [
            .demuxer("lavfi"), .filter("testsrc2"), .filter("sine"), .filter("volume"), .filter("aformat"),
            .filter("format"),
        ]
    }
    /// Every slate, with any contents.
    static var slate: Self {
        [.filter("setsar"), .filter("format"), .filter("loop"), .filter("settb"), .filter("setpts"), .filter("fps")]
    }
    static var plainSlate: Self { [.demuxer("lavfi"), .filter("gradients")] }
    static var slateImage: Self { [.input("file"), .filter("scale"), .filter("pad")] }
    /// FLV from a server or a file.
    static var flvInput: Self { [.demuxer("flv"), .bitstreamFilter("h264_mp4toannexb")] }
    static var rtmpTarget: Self {
        [.muxer("flv"), .bitstreamFilter("extract_extradata"), .bitstreamFilter("aac_adtstoasc")]
    }
    static var recording: Self { [.muxer("segment"), .output("file")] }
    /// An input with a secret, which an ffconcat script names.
    static var secretInput: Self { [.demuxer("concat"), .input("file")] }
    /// Bytes that are passed on unchanged.
    static var rawCopy: Self { [.demuxer("data"), .muxer("data")] }
    static var card: Self {
        [.demuxer("v4l2"), .muxer("nut"), .encoder("rawvideo"), .filter("scale"), .filter("format")]
    }
    /// Raw frames on their way to an encoder.
    static var frames: Self { [.demuxer("ivf"), .decoder("rawvideo"), .filter("format")] }
}
