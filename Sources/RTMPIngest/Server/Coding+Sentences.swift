import RTMP

extension VideoCoding {
    /// Why a publisher with this video is rejected, and what to do.
    ///
    /// - Parameter video: How the sentence names the video: `the video`, or `its video`.
    func refusal(of video: String) -> String {
        let what: String
        switch self {
        case .multitrack: return "several video tracks arrive; set the encoder to send one"
        case .number(let number): what = "has the codec number \(number)"
        case .fourCC(let code): what = "has the codec \(FourCC.text(code))"
        case .h264, .hevc, .sorenson, .screenVideo, .vp6, .vp6Alpha, .screenVideo2, .av1, .vp8, .vp9, .vvc:
            what = "is \(self)"
        }
        return "\(video) \(what), which cannot be used; set the encoder to H.264 or HEVC"
    }
}

extension AudioCoding {
    /// The audio that the publisher sends, as the beginning of a sentence.
    ///
    /// - Parameter name: The name of the codec, if it has one.
    func statement(_ name: String) -> String {
        switch self {
        case .multitrack: "several audio tracks arrive"
        case .deviceSpecific: "its audio is in a codec of its device"
        case .number(let number): "its audio has the codec number \(number)"
        case .fourCC(let code): "its audio has the codec \(FourCC.text(code))"
        case .aac, .pcm, .pcmLittleEndian, .adpcm, .mp3, .nellymoser, .aLaw, .muLaw, .speex, .opus, .ac3, .eac3, .flac:
            "its audio is \(name)"
        }
    }
}

extension MediaFaults {
    /// The most frequent fault that costs frames, and its remedy. `nil` if every message was usable.
    var advice: String? { worst.map { "its messages cannot be used (\($0)); \($0.remedy)" } }
}
