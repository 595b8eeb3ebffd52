import MPEGTS
import Testing

@testable import RTMP

/// The FLV for a process that converts a publisher's audio.
@Suite struct ForeignAudioTests {
    /// The reader's description of a message.
    private static func audio(_ bytes: [UInt8], after messages: [[UInt8]] = []) throws
        -> MediaReader.ForeignAudioMessage
    {
        var reading = Reading()
        for message in messages { reading.take(Message(.audio, 0, message)) }
        guard case .foreignAudio(let audio) = reading.take(Message(.audio, 0, bytes)) else {
            throw CarriedAudio()
        }
        return audio
    }

    private struct CarriedAudio: Error {}

    private static func tag(_ bytes: [UInt8], at timestamp: UInt32, after messages: [[UInt8]] = []) throws -> [UInt8] {
        let audio = try audio(bytes, after: messages)
        return bytes.withUnsafeBytes {
            FLV.withTag(of: audio, in: $0, timestamp: timestamp) { Array($0) + Array($1) + Array($2) }
        }
    }

    // MARK: FLV

    @Test("the FLV header announces only audio")
    func header() {
        #expect(FLV.header == Array("FLV".utf8) + [1, 4, 0, 0, 0, 9, 0, 0, 0, 0])
    }

    @Test("a tag has its length and time before the message, and its length after it")
    func tag() throws {
        let message = [0x82] + [UInt8](repeating: 7, count: 0x010203 - 1)
        let tag = try Self.tag(message, at: 0xAABB_CCDD)
        #expect(tag.prefix(11) == [8, 1, 2, 3, 0xBB, 0xCC, 0xDD, 0xAA, 0, 0, 0])
        #expect(tag.dropFirst(11).dropLast(4).elementsEqual(message))
        #expect(tag.suffix(4) == [0, 1, 2, 0x0E])
    }

    /// A message of Enhanced RTMP.
    private static func enhanced(_ packet: UInt8, _ fourCC: String, _ body: [UInt8]) -> [UInt8] {
        [0x90 | packet] + Array(fourCC.utf8) + body
    }

    /// AAC-LD, stereo and mono.
    private static let ld = Media.aacHeader([0xB9, 0x90])
    private static let ldMono = Media.aacHeader([0xB9, 0x88])
    private static let ldByFourCC = enhanced(0, "mp4a", [0xB9, 0x90])

    @Test(
        "AAC and MP3 get codes that every FFmpeg knows; other codecs keep theirs",
        arguments: [
            ([0x2A, 1, 2], [], [0x2F, 1, 2]), ([0xEE, 1, 2], [], [0x2F, 1, 2]),
            (enhanced(1, ".mp3", [1, 2]), [], [0x2F, 1, 2]),
            (ld, [], [0xAF, 0, 0xB9, 0x90]), ([0xAF, 1, 5, 6], [ld], [0xAF, 1, 5, 6]),
            (ldByFourCC, [], [0xAF, 0, 0xB9, 0x90]),
            (enhanced(1, "mp4a", [5, 6]), [ldByFourCC], [0xAF, 1, 5, 6]),
            ([0x82, 1, 2], [], [0x82, 1, 2]), ([0x12, 1], [], [0x12, 1]),
            (enhanced(1, "Opus", [1, 2]), [], enhanced(1, "Opus", [1, 2])),
        ] as [([UInt8], [[UInt8]], [UInt8])])
    func named(_ message: [UInt8], _ before: [[UInt8]], _ body: [UInt8]) throws {
        let tag = try Self.tag(message, at: 0, after: before)
        #expect(tag.dropFirst(11).dropLast(4) == body[...])
        #expect(tag[3] == UInt8(body.count) && tag.last == UInt8(body.count + 11))
    }

    // MARK: Tracks

    /// The result of a track for each message in turn.
    private static func news(_ messages: [[UInt8]]) -> [Bool] {
        var reading = Reading()
        var track = ForeignTrack()
        return messages.compactMap { message in
            guard case .foreignAudio(let audio) = reading.take(Message(.audio, 0, message)) else { return nil }
            return message.withUnsafeBytes { track.take(audio, in: $0, aac: reading.reader.audioFormat) }
        }
    }

    /// As many messages as are needed to not count as odd ones.
    private static let (mulaw, mp3) = (
        [[UInt8]](repeating: [0x82, 1], count: 3), [[UInt8]](repeating: [0x2F, 1], count: 3)
    )

    private static func opusHeader(_ content: UInt8) -> [UInt8] { enhanced(0, "Opus", [content]) }
    private static func opusFrame(_ content: UInt8) -> [UInt8] { enhanced(1, "Opus", [content]) }

    @Test(
        "audio that needs a new decoder is recognized",
        arguments: [
            // MP3 contains its rate in its frames.
            ([[0x2F, 1], [0x2F, 2], [0x2E, 3], [0xEF, 4]], [true, false, false, false]),
            ([[0x2F, 1]] + mulaw + [[0x82, 2]] + mp3, [true, true, false, true]),
            // Another rate, or another number of channels.
            ([[0x82, 1], [0x83, 1], [0x83, 2]], [true, true, false]), ([[0x12, 1], [0x16, 1]], [true, true]),
            // Headers arrive again with each group of pictures.
            ([ld, [0xAF, 1, 9], ld, [0xAF, 1, 9]], [true, false, false, false]),
            ([ld, [0xAF, 1, 9], ldMono, [0xAF, 1, 9]], [true, false, true, false]),
            ([opusFrame(1), opusHeader(7), opusFrame(2)], [true, true, false]),
            ([opusHeader(7), opusFrame(1), opusHeader(7)], [true, false, false]),
            ([[0x95, 1, 2, 3], [0x95, 4]], [true, false]),
        ] as [([[UInt8]], [Bool])])
    func tracks(_ messages: [[UInt8]], _ news: [Bool]) {
        #expect(Self.news(messages) == news)
    }

    @Test("the newest header is kept for the next decoder, but not that of another codec")
    func newestHeader() throws {
        var track = ForeignTrack()
        var kept: [[UInt8]] {
            var found: [[UInt8]] = []
            track.withHeader { found.append(Array($1)) }
            return found
        }
        func take(_ message: [UInt8]) throws {
            let audio = try Self.audio(message)
            _ = message.withUnsafeBytes { track.take(audio, in: $0, aac: nil) }
        }
        try take([0x2F, 1])
        #expect(kept.isEmpty)
        let header = Self.opusHeader(7)
        try take(header)
        try take(Self.opusFrame(1))
        #expect(kept == [header])
        let other = Self.opusHeader(8)
        try take(other)
        #expect(kept == [other])
        // Larger than a header can be.
        try take(Self.enhanced(0, "Opus", [UInt8](repeating: 0, count: 5000)))
        #expect(kept == [other])
        try take([0x2F, 1])
        #expect(kept.isEmpty)
        try take(header)
        track.end()
        #expect(kept.isEmpty)
    }

    @Test("AAC that becomes foreign has a header; the publisher's replaces it unnoticed")
    func madeHeader() {
        var reading = Reading()
        var track = ForeignTrack()
        var kept: [[UInt8]] {
            var found: [[UInt8]] = []
            track.withHeader { found.append(Array($1)) }
            return found
        }
        func take(_ message: [UInt8]) -> Bool? {
            guard case .foreignAudio(let audio) = reading.take(Message(.audio, 0, message)) else { return nil }
            return message.withUnsafeBytes { track.take(audio, in: $0, aac: reading.reader.audioFormat) }
        }
        // 44.1 kHz stereo, with an extension that signals no SBR.
        let header = Media.aacHeader([0x12, 0x10, 0x56, 0xE5, 0x00])
        #expect(take(header) == nil && take(Media.aac()) == nil)
        reading.reader.requiredAudioFormat = .stereo48
        #expect(take(Media.aac()) == true)
        #expect(kept == [[0xAF, 0, 0x12, 0x10]])
        #expect(take(header) == false)
        #expect(kept == [header])
        #expect(take(Media.aac()) == false)
        #expect(take(Media.aacHeader([0x12, 0x08])) == true)
        #expect(kept == [Media.aacHeader([0x12, 0x08])])
    }
}
