import TestSupport
import Testing

@testable import MPEGTS

@Suite(.tags(.ffmpeg)) struct ADTSTests {
    private func duration(_ bytes: [UInt8]) -> Int64? { bytes.withUnsafeBufferPointer { ADTS.read($0)?.duration } }

    private func frame(rate: UInt8, length: Int, profile: UInt8 = 1, channels: UInt8 = 2) -> [UInt8] {
        let fields: [UInt8] = [profile << 6 | rate << 2 | channels >> 2, (channels & 3) << 6 | UInt8(length >> 11)]
        return [0xFF, 0xF1] + fields + [UInt8(length >> 3 & 0xFF), UInt8(length & 7) << 5 | 0x1F, 0xFC]
            + [UInt8](repeating: 0x55, count: length - 7)
    }

    private func format(_ bytes: [UInt8]) -> AACFormat? {
        bytes.withUnsafeBufferPointer { ADTS.read($0)?.format }
    }

    @Test("the durations of frames add up without rounding each one")
    func durations() {
        #expect(duration(ADTS.silence) == 1920 && duration(ADTS.silence44) == 2089)
        #expect(duration(frame(rate: 4, length: 100)) == 2089)
        #expect(duration((0..<8).flatMap { _ in frame(rate: 4, length: 371) }) == 16_718)
        #expect(duration(frame(rate: 3, length: 7) + [0xFF]) == 1920)
    }

    @Test("bytes that are not ADTS -> no duration")
    func refused() {
        #expect(duration([]) == nil)
        #expect(duration([UInt8](repeating: 0, count: 100)) == nil)
        #expect(duration(frame(rate: 15, length: 20)) == nil)
        // A length of 0 would loop endlessly.
        #expect(duration([0xFF, 0xF1, 0x4C, 0x80, 0, 0x1F, 0xFC]) == nil)
    }

    @Test("the format comes from the headers, whatever else differs in them")
    func formats() {
        #expect(format(ADTS.silence) == .stereo48 && format(ADTS.silence44) == .stereo44)
        for (type, profile) in [(UInt8(1), UInt8(0)), (2, 1), (3, 2), (4, 3)] {
            for (rate, hertz) in ADTS.sampleRates.enumerated() {
                for channels in UInt8(0)...7 {
                    let bytes = frame(rate: UInt8(rate), length: 40, profile: profile, channels: channels)
                    let expected = AACFormat(
                        objectType: type, sampleRate: Int(hertz), channelConfiguration: channels)
                    #expect(format(bytes) == expected)
                    let isPlain = type == 2 && channels == 2 && (hertz == 48_000 || hertz == 44_100)
                    #expect(expected.isPlain == isPlain)
                }
            }
        }
        // The private bit and the length.
        var other = frame(rate: 3, length: 40)
        other[2] |= 2
        #expect(format(frame(rate: 3, length: 2047) + other) == .stereo48)
    }

    @Test("headers that differ -> a duration and no format")
    func mixed() {
        let stereo = frame(rate: 3, length: 40)
        #expect(format(stereo + frame(rate: 3, length: 40, channels: 1)) == nil)
        #expect(format(stereo + frame(rate: 4, length: 40)) == nil)
        #expect(duration(stereo + frame(rate: 3, length: 40, channels: 1)) == 3840)
        #expect(format([0xFF, 0xF1]) == nil && format([]) == nil)
    }

    @Test("a format has a readable name")
    func names() {
        func name(_ rate: Int, _ channels: UInt8) -> String {
            AACFormat(sampleRate: rate, channelConfiguration: channels).description
        }
        #expect(name(44_100, 1) == "44.1 kHz mono" && name(48_000, 2) == "48 kHz stereo")
        #expect(name(22_050, 6) == "22.05 kHz with 6 channels" && name(11_025, 7) == "11.025 kHz with 8 channels")
        #expect(name(96_000, 0) == "96 kHz with its own channel layout")
        #expect(AACFormat.stereo44.profile == "AAC-LC")
        #expect(AACFormat(objectType: 5, sampleRate: 24_000, channelConfiguration: 2).profile == "HE-AAC")
    }

    @Test("the frames of silence decode to silence", arguments: [ADTS.silence, ADTS.silence44])
    func silence(_ frame: [UInt8]) async throws {
        let bytes = (0..<50).flatMap { _ in frame }
        let done = try await TestProcess.run(
            "ffmpeg", ["-v", "warning", "-f", "aac", "-i", "pipe:0", "-f", "s16le", "-"], input: .bytes(bytes)
        ).success("silence")
        #expect(done.errors.isEmpty && done.output.count == 50 * 1024 * 2 * 2 && done.output.allSatisfy { $0 == 0 })
    }
}
