import Testing

@testable import RTMP
@testable import RTMPIngest

/// The sentences about media that cannot be used.
@Suite struct SentenceTests {
    private static let remedy = "which cannot be used; set the encoder to H.264 or HEVC"

    @Test(
        "unusable video -> a sentence that names the codec and the remedy",
        arguments: [
            (VideoCoding.av1, "its video is AV1, \(remedy)"),
            (.screenVideo, "its video is Screen video, \(remedy)"),
            (.number(9), "its video has the codec number 9, \(remedy)"),
            (VideoCoding(fourCC: 0x6162_6364), "its video has the codec abcd, \(remedy)"),
            (.multitrack, "several video tracks arrive; set the encoder to send one"),
        ])
    func video(_ coding: VideoCoding, _ sentence: String) {
        #expect(coding.refusal(of: "its video") == sentence)
    }

    @Test(
        "audio that has to be converted -> a sentence that names the codec",
        arguments: [
            (AudioCoding.mp3, "its audio is MP3"),
            (.deviceSpecific, "its audio is in a codec of its device"),
            (.number(9), "its audio has the codec number 9"),
            (AudioCoding(fourCC: 0x6162_6364), "its audio has the codec abcd"),
            (.multitrack, "several audio tracks arrive"),
        ])
    func audio(_ coding: AudioCoding, _ statement: String) {
        #expect(coding.statement("\(coding)") == statement)
    }

    @Test("several faults -> the most frequent one that costs frames is reported")
    func advice() {
        var faults = MediaFaults()
        #expect(faults.advice == nil)
        faults.count(.compositionTime, times: 9)
        // This fault costs no frames.
        #expect(faults.advice == nil)
        faults.count(.missingHeader, times: 2)
        faults.count(.missingKeyframe, times: 3)
        let words = "frame before the first keyframe"
        #expect(faults.advice == "its messages cannot be used (\(words)); set the encoder's keyframe interval to 2 s")
    }
}
