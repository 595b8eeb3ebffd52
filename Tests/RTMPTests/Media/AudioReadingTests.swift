import MPEGTS
import Testing

@testable import RTMP

/// Audio messages become ADTS, or are reported as audio that has to be converted.
@Suite struct AudioReadingTests {
    /// Writes an `AudioSpecificConfig` from the widths and values of its fields.
    private static func config(_ fields: (Int, Int)...) -> [UInt8] {
        var bits = BitWriter()
        for (value, width) in fields { bits.write(value, width) }
        return bits.bytes
    }

    @Test("a frame gets the ADTS header of the newest configuration")
    func header() {
        var reading = Reading()
        reading.take(Message(.audio, 0, Media.aacHeader()))
        let unit = reading.audio(23, Media.aac(5, size: 9))
        // Sync word, AAC-LC, 48 kHz, two channels, sixteen bytes.
        #expect(unit?.payload == [0xFF, 0xF1, 0x4C, 0x80, 0x02, 0x1F, 0xFC] + Media.aac(5, size: 9).dropFirst(2))
        #expect(unit?.unit.pts == 23 * 90 && unit?.unit.duration == 1920)
        #expect(reading.audio(44, Media.aac()) != nil)
        reading.take(Message(.audio, 60, Media.aacHeader()))
        #expect(reading.audio(65, Media.aac()) != nil)
        reading.take(Message(.audio, 80, Media.aacHeader(Media.aacConfig(rateIndex: 4, channels: 1))))
        let changed = reading.audio(86, Media.aac())
        #expect(changed?.payload.prefix(4) == [0xFF, 0xF1, 0x50, 0x40])
        #expect(changed?.unit.duration == 2089)
        #expect(reading.reader.audioFormat?.text == "AAC-LC 44100 Hz 1 channels")
    }

    @Test("audio is part of the program from its first frame on, not from its header")
    func program() {
        var reading = Reading()
        reading.take(Message(.video, 0, Media.avcHeader()))
        reading.take(Message(.audio, 0, Media.aacHeader()))
        #expect(reading.video(0, Media.avc([Media.slice(isIDR: true)], isKeyframe: true)) != nil)
        #expect(reading.reader.program?.audio == nil)
        reading.audio(0, Media.aac())
        #expect(reading.reader.program?.audio?.type == .aac && reading.reader.program?.video?.type == .h264)
    }

    /// Configurations and the expected ADTS header: profile, index of the rate, channels, and duration in ticks.
    struct Case: CustomTestStringConvertible {
        var config: [UInt8]
        var text: String
        var profile = 1
        var rate: Int
        var channels: Int
        var duration: Int64

        var testDescription: String { text }
    }

    static let cases: [Case] =
        [1, 2, 3, 4, 5, 6, 7].map { number in
            Case(
                config: Media.aacConfig(channels: number), text: "AAC-LC 48000 Hz \(number == 7 ? 8 : number) channels",
                rate: 3,
                channels: number, duration: 1920)
        } + [
            Case(
                config: config((5, 5), (6, 4), (2, 4), (3, 4), (2, 5), (0, 3)), text: "HE-AAC 24000 Hz 2 channels",
                rate: 6,
                channels: 2, duration: 3840),
            Case(
                config: config((29, 5), (6, 4), (1, 4), (3, 4), (2, 5), (0, 3)), text: "HE-AAC v2 24000 Hz 1 channels",
                rate: 6,
                channels: 1, duration: 3840),
            // After the core, where older decoders do not look.
            Case(
                config: config((2, 5), (7, 4), (2, 4), (0, 3), (0x2B7, 11), (5, 5), (1, 1), (4, 4)),
                text: "HE-AAC 22050 Hz 2 channels", rate: 7, channels: 2, duration: 4179),
            Case(
                config: config(
                    (2, 5), (7, 4), (1, 4), (0, 3), (0x2B7, 11), (5, 5), (1, 1), (4, 4), (0x548, 11), (1, 1)),
                text: "HE-AAC v2 22050 Hz 1 channels", rate: 7, channels: 1, duration: 4179),
            // Not announced.
            Case(
                config: config((2, 5), (6, 4), (2, 4), (0, 3)), text: "AAC-LC 24000 Hz 2 channels", rate: 6,
                channels: 2, duration: 3840),
            Case(
                config: config((1, 5), (4, 4), (2, 4), (0, 3)), text: "AAC Main 44100 Hz 2 channels", profile: 0,
                rate: 4, channels: 2, duration: 2089),
            // The sample rate in 24 bits.
            Case(
                config: config((2, 5), (15, 4), (44_100, 24), (2, 4), (0, 3)), text: "AAC-LC 44100 Hz 2 channels",
                rate: 4,
                channels: 2, duration: 2089),
        ]

    @Test("AAC that ADTS can describe becomes ADTS", arguments: cases)
    func fits(_ example: Case) {
        var reading = Reading()
        #expect(reading.take(Message(.audio, 0, Media.aacHeader(example.config))) == .nothing)
        #expect(reading.reader.audioFormat?.text == example.text)
        guard let unit = reading.audio(0, Media.aac(size: 20)) else {
            Issue.record("there is no unit")
            return
        }
        let header = unit.payload
        #expect(Int(header[2] >> 6) == example.profile && Int(header[2] >> 2 & 15) == example.rate)
        #expect(Int(header[2] & 1) << 2 | Int(header[3] >> 6) == example.channels)
        #expect(Int(header[3] & 3) << 11 | Int(header[4]) << 3 | Int(header[5] >> 5) == 27 && header.count == 27)
        #expect(unit.unit.duration == example.duration)
    }

    @Test(
        "AAC that ADTS cannot describe has to be converted",
        arguments: [
            (config((2, 5), (15, 4), (37_800, 24), (2, 4), (0, 3)), "AAC-LC 37800 Hz 2 channels"),
            (config((2, 5), (3, 4), (2, 4), (1, 1), (0, 2)), "AAC-LC 48000 Hz 2 channels"),
            (config((2, 5), (3, 4), (0, 4), (0, 3), (0, 40)), "AAC-LC 48000 Hz with its own channel layout"),
            (config((2, 5), (3, 4), (11, 4), (0, 3)), "AAC-LC 48000 Hz 7 channels"),
            (config((23, 5), (3, 4), (2, 4), (0, 3)), "AAC-LD 48000 Hz 2 channels"),
            (config((31, 5), (7, 6), (3, 4), (2, 4), (0, 4)), "AAC-ELD 48000 Hz 2 channels"),
            (config((31, 5), (10, 6), (3, 4), (2, 4), (0, 4)), "xHE-AAC 48000 Hz 2 channels"),
        ] as [([UInt8], String)])
    func foreignAAC(_ config: [UInt8], _ text: String) {
        var reading = Reading()
        let header = reading.take(Message(.audio, 0, Media.aacHeader(config)))
        let place = 2..<2 + config.count
        #expect(header == .foreignAudio(.init(coding: .aac, isHeader: true, time: 0, body: place)))
        #expect(reading.reader.audioFormat?.text == text)
        let frame = reading.take(Message(.audio, 50, Media.aac(size: 10)))
        #expect(frame == .foreignAudio(.init(coding: .aac, isHeader: false, time: 4500, body: 2..<12)))
        #expect(reading.reader.program?.audio == nil)
    }

    @Test("AAC in another format than the required one has to be converted")
    func kept() {
        var reading = Reading()
        reading.reader.requiredAudioFormat = .stereo48
        let mono = Media.aacHeader(Media.aacConfig(rateIndex: 4, channels: 1))
        let header = reading.take(Message(.audio, 0, mono))
        #expect(header == .foreignAudio(.init(coding: .aac, isHeader: true, time: 0, body: 2..<4)))
        let frame = reading.take(Message(.audio, 50, Media.aac(size: 10)))
        #expect(frame == .foreignAudio(.init(coding: .aac, isHeader: false, time: 4500, body: 2..<12)))
        #expect(reading.reader.program?.audio == nil && reading.reader.audioFormat?.aac.isPlain == false)
        #expect(reading.take(Message(.audio, 60, Media.aacHeader())) == .nothing)
        let taken = reading.audio(71, Media.aac())
        #expect(taken?.unit.audioFormat == .stereo48)
        #expect(reading.reader.program?.audio != nil)
        // Without a new header.
        reading.reader.requiredAudioFormat = .stereo44
        #expect(reading.audio(92, Media.aac()) == nil && reading.reader.program?.audio == nil)
        reading.reader.requiredAudioFormat = nil
        #expect(reading.audio(113, Media.aac()) != nil)
    }

    @Test("announced HE-AAC is recognized, and ADTS contains the rate of its core")
    func announced() {
        func format(_ config: [UInt8]) -> AACFormat? {
            var reading = Reading()
            reading.take(Message(.audio, 0, Media.aacHeader(config)))
            return reading.audio(0, Media.aac())?.unit.audioFormat
        }
        #expect(format(Media.aacConfig()) == .stereo48 && format(Media.aacConfig(rateIndex: 4)) == .stereo44)
        // With a core that is a plain format.
        let explicit = Self.config((5, 5), (3, 4), (2, 4), (0, 4), (2, 5), (0, 3))
        #expect(format(explicit) == AACFormat(objectType: 5, sampleRate: 48_000, channelConfiguration: 2))
        let parametric = Self.config((29, 5), (6, 4), (1, 4), (3, 4), (2, 5), (0, 3))
        #expect(format(parametric) == AACFormat(objectType: 29, sampleRate: 24_000, channelConfiguration: 1))
        let main = Self.config((1, 5), (4, 4), (2, 4), (0, 3))
        #expect(format(main) == AACFormat(objectType: 1, sampleRate: 44_100, channelConfiguration: 2))
    }

    @Test(
        "other audio is reported with its codec, its bytes and its time",
        arguments: [
            ([0x2F, 1, 2, 3], "MP3"), ([0xEF, 1, 2, 3], "MP3"), ([0x02, 1, 2, 3], "PCM"),
            ([0x32, 1, 2, 3], "PCM, little endian"),
            ([0x12, 1, 2, 3], "ADPCM"), ([0x42, 1, 2, 3], "Nellymoser"), ([0x52, 1, 2, 3], "Nellymoser"),
            ([0x62, 1, 2, 3], "Nellymoser"), ([0x72, 1, 2, 3], "PCM A-law"), ([0x82, 1, 2, 3], "PCM µ-law"),
            ([0xB2, 1, 2, 3], "Speex"), ([0xF2, 1, 2, 3], "device-specific audio"),
            ([0xC2, 1, 2, 3], "audio codec 12"),
            ([0x91] + Array("Opus".utf8) + [1, 2, 3], "Opus"), ([0x91] + Array("ac-3".utf8) + [1, 2, 3], "AC-3"),
            ([0x91] + Array("ec-3".utf8) + [1, 2, 3], "E-AC-3"), ([0x91] + Array(".mp3".utf8) + [1, 2, 3], "MP3"),
            ([0x91] + Array("fLaC".utf8) + [1, 2, 3], "FLAC"),
            ([0x91] + Array("abcd".utf8) + [1, 2, 3], "audio codec abcd"),
            ([0x95, 1, 2, 3], "several audio tracks"),
        ] as [([UInt8], String)])
    func foreign(_ bytes: [UInt8], _ name: String) {
        var reading = Reading()
        reading.take(Message(.audio, 0, Media.aacHeader()))
        reading.audio(0, Media.aac())
        // Two messages could be odd ones among AAC.
        for time in [10, 15] { reading.take(Message(.audio, time, bytes)) }
        guard case .foreignAudio(let audio) = reading.take(Message(.audio, 20, bytes)) else {
            Issue.record("\(name) is not named")
            return
        }
        #expect(audio.coding.description == name && audio.time == 1800 && !audio.isHeader)
        #expect(Array(bytes[audio.body]) == [1, 2, 3])
    }

    @Test("AAC by its FourCC is read, and the header of another codec is reported")
    func enhanced() {
        var reading = Reading()
        #expect(reading.take(Message(.audio, 0, [0x90] + Array("mp4a".utf8) + Media.aacConfig())) == .nothing)
        #expect(reading.audio(0, [0x91] + Array("mp4a".utf8) + [9, 9])?.payload.suffix(2) == [9, 9])
        #expect(reading.take(Message(.audio, 0, [0x92] + Array("mp4a".utf8))) == .nothing)
        let header = reading.take(Message(.audio, 99, [0x90] + Array("Opus".utf8) + [7]))
        #expect(header == .foreignAudio(.init(coding: .opus, isHeader: true, time: 0, body: 5..<6)))
    }

    @Test(
        "damaged messages are dropped and counted by fault",
        arguments: [
            ([0xAF], .shortMessage), ([0x90, 0x6D], .shortMessage), ([0xAF, 0], .unreadableHeader),
            ([0xAF, 0, 0x11], .unreadableHeader),
            ([0xAF, 0, 0x16, 0x90], .unreadableHeader), ([0xAF, 0, 0x07, 0xFF], .unreadableHeader),
            ([0xAF, 1], .emptyUnit),
            ([0xAF, 1] + [UInt8](repeating: 1, count: 8185), .oversizedUnit),
        ] as [([UInt8], MediaFault)])
    func damaged(_ bytes: [UInt8], _ fault: MediaFault) {
        var reading = Reading()
        reading.take(Message(.audio, 0, Media.aacHeader()))
        #expect(reading.take(Message(.audio, 0, bytes)) == .nothing)
        #expect(reading.reader.faults[fault] == 1 && reading.reader.faults.total == 1, "\(reading.reader.faults)")
        #expect(reading.audio(0, [0xAF, 1] + [UInt8](repeating: 1, count: 8184))?.payload.count == 8191)
    }

    @Test("a frame before its header -> counted as a fault")
    func missingHeader() {
        var reading = Reading()
        #expect(reading.audio(0, Media.aac()) == nil && reading.reader.faults[.missingHeader] == 1)
    }

    @Test(
        "rounded times -> the frames are on the grid of their samples", arguments: [44_100, 48_000, 22_050])
    func grid(_ rate: Int) {
        var grid = AudioGrid(sampleRate: rate, samplesPerFrame: 1024)
        for number in 0..<1_000_000 {
            let exact = Double(number) * 1024 * 1000 / Double(rate)
            let placed = grid.place(Int64(exact) * 90)
            let isExact = abs(Double(placed) - exact * 90) <= 1
            #expect(isExact, "frame \(number)")
            if !isExact { return }
        }
    }

    @Test("the grid follows a drifting clock, and begins again where a frame is missing")
    func drift() {
        var grid = AudioGrid(sampleRate: 48_000, samplesPerFrame: 1024)
        var last: Int64 = -1920
        for number in 0..<100_000 {
            // Half a second in an hour.
            let stated = Int64(Double(number) * 1920 * 1.000139)
            let placed = grid.place(stated / 90 * 90)
            #expect(abs(placed - stated) < 300 && abs(placed - last - 1920) < 30)
            last = placed
        }
        let next = last + 1920
        #expect(grid.place(next + 1920) == next + 1920)
        // Three frames with one timestamp, as phones send them.
        let base = grid.place(next + 2 * 1920)
        #expect(base == next + 2 * 1920)
        #expect(abs(grid.place(base) - base - 1920) < 150)
        #expect(abs(grid.place(base + 3840) - base - 3840) < 150)
    }

    @Test(
        "one or two odd audio messages are ignored; a third in a row changes the codec",
        arguments: [[0x00, 7], [0x2F, 0xFF, 0xFB], [0x95, 1, 2, 3]] as [[UInt8]])
    func odd(_ bytes: [UInt8]) {
        var reading = Reading()
        reading.take(Message(.audio, 0, Media.aacHeader()))
        #expect(reading.audio(0, Media.aac()) != nil)
        for time in [20, 30] {
            #expect(reading.take(Message(.audio, time, bytes)) == .nothing)
            #expect(reading.reader.program?.audio == nil || reading.reader.audioFormat != nil)
        }
        #expect(reading.audio(43, Media.aac()) != nil && reading.reader.faults[.oddMessage] == 2)
        for time in [50, 60] { #expect(reading.take(Message(.audio, time, bytes)) == .nothing) }
        guard case .foreignAudio = reading.take(Message(.audio, 70, bytes)) else {
            Issue.record("it is no other audio")
            return
        }
        // The header of AAC is still known.
        #expect(reading.audio(90, Media.aac()) != nil)
    }

    @Test("a message of other audio without a body is ignored")
    func bare() {
        var reading = Reading()
        #expect(reading.take(Message(.audio, 0, [0x00])) == .nothing && reading.reader.faults[.emptyUnit] == 1)
    }
}

extension AudioFormat {
    /// The format, as a channel uses it.
    fileprivate var text: String {
        let layout = aac.channels.map { "\($0) channels" } ?? "with its own channel layout"
        return "\(aac.profile) \(sampleRate) Hz \(layout)"
    }
}
