import MPEGTS
import TestSupport
import Testing

@testable import DataPath

/// Tests the one format of a channel's audio, and the reports about it.
@Suite struct ChannelAudioFormatTests {
    private static let mono = AACFormat(sampleRate: 44_100, channelConfiguration: 1)

    // MARK: The choice

    @Test(
        "the first audio decides where it is plain, else 48 kHz stereo",
        arguments: [
            (.stereo48, .stereo48), (.stereo44, .stereo44), (mono, .stereo48),
            (AACFormat(objectType: 5, sampleRate: 48_000, channelConfiguration: 2), .stereo48),
            (AACFormat(objectType: 1, sampleRate: 44_100, channelConfiguration: 2), .stereo48),
            (AACFormat(sampleRate: 24_000, channelConfiguration: 2), .stereo48),
        ] as [(AACFormat, AACFormat)])
    func first(_ format: AACFormat, decides expected: AACFormat) {
        var audio = ChannelAudioFormat(isKept: true)
        #expect(audio.isUndecided && audio.kept == nil)
        audio.decide(by: format, now: 0)
        #expect(!audio.isUndecided && audio.kept == expected)
    }

    @Test("the format stays over a time in which no group copies the audio")
    func stays() {
        var audio = ChannelAudioFormat(isKept: true)
        audio.decide(by: .stereo44, now: 0)
        audio.decide(by: .stereo48, now: 0)
        audio.isKept = false
        #expect(audio.kept == nil && !audio.isUndecided)
        audio.decide(by: .stereo48, now: 0)
        audio.isKept = true
        #expect(audio.kept == .stereo44)
    }

    @Test("a source without audio decides for 48 kHz ten seconds after its first frame")
    func silent() {
        var audio = ChannelAudioFormat(isKept: true)
        let second: Int64 = 1_000_000_000
        let decisions = [5 * second, 15 * second - 1, 15 * second].map { audio.decide(by: nil, now: $0) }
        #expect(decisions == [false, false, true] && audio.kept == .stereo48)
        audio.decide(by: .stereo44, now: 16 * second)
        #expect(audio.kept == .stereo48)
    }

    @Test("the wait for audio begins with the source's own first frame")
    func another() {
        var audio = ChannelAudioFormat(isKept: true)
        let second: Int64 = 1_000_000_000
        audio.decide(by: nil, now: 0)
        audio.begins()
        let isDecided = audio.decide(by: nil, now: 3600 * second)
        audio.decide(by: .stereo44, now: 3600 * second)
        #expect(!isDecided && audio.kept == .stereo44)
    }

    @Test("a channel whose audio no group copies decides on no format")
    func notKept() {
        var audio = ChannelAudioFormat(isKept: false)
        audio.decide(by: .stereo44, now: 0)
        #expect(audio.kept == nil && audio.format == nil)
    }

    @Test("another format is reported once, at its second unit")
    func reported() {
        var other = OtherAudioFormat()
        func note(_ formats: AACFormat...) -> [Bool] { formats.map { other.note($0) } }
        #expect(!other.isRefused)
        #expect(note(Self.mono, Self.mono, Self.mono) == [false, true, false])
        #expect(other.isRefused)
        #expect(note(.stereo48, .stereo48) == [false, true])
        other.isOver()
        #expect(!other.isRefused)
        #expect(note(.stereo48, .stereo48) == [false, true])
        // Single damaged headers.
        #expect(note(Self.mono, .stereo44, Self.mono) == [false, false, false])
    }

    // MARK: In a channel

    /// A channel with sources of H.264 and AAC.
    private struct Rig {
        let path = DataPath(mostAhead: .seconds(3600))

        init(keepsAudioFormat: Bool) async {
            await path.addChannel(
                "main", patience: .seconds(600), slateDelay: .seconds(600), keepsAudioFormat: keepsAudioFormat)
            await path.start()
        }

        func source(_ priority: Int = 0) async throws -> (Writer, Reports<SourceEvent>) {
            let reports = Reports<SourceEvent>()
            let (_, end) = try await path.attachSource(to: "main", priority: priority) { reports.add($0) }
            return (Writer(end), reports)
        }

        func reader() async throws -> (DataPath.Attachment, Reader, Reports<PublisherEvent>) {
            let reports = Reports<PublisherEvent>()
            let (attachment, end) = try await path.attachPublisher(to: .channel("main")) { reports.add($0) }
            return (attachment, Reader(end).start(), reports)
        }

        /// Writes a stream, and waits until the data path has read it.
        func write(_ bytes: [UInt8], to writer: Writer) async throws {
            await writer.write(bytes)
            try await eventually("the data path to follow") { writer.waiting == 0 }
            await path.ping()
        }

        /// Ends a reader's input once it has everything, and returns the audio formats that it got.
        func formats(_ attachment: DataPath.Attachment, _ reader: Reader) async throws -> Set<AACFormat?> {
            try await eventually("a reader to have everything") { await path.figures(of: attachment)?.lag == 0 }
            await path.endInput(of: attachment)
            return ChannelAudioFormatTests.formats(try await reader.all())
        }
    }

    /// Returns the formats in the headers of a stream's audio.
    private static func formats(_ bytes: [UInt8]) -> Set<AACFormat?> {
        var parser = UnitParser()
        var formats: Set<AACFormat?> = []
        var given = 0
        while given < bytes.count {
            given += bytes.withUnsafeBytes { parser.append(UnsafeRawBufferPointer(rebasing: $0[given...])) }
            while let event = parser.next() {
                if case .unit(let unit) = event, unit.kind == .audio { formats.insert(unit.audioFormat) }
            }
        }
        return formats
    }

    private func stream(
        _ seconds: Double = 2, from start: Int = 0, rate: Int = 48_000, isMono: Bool = false
    ) async throws -> [UInt8] {
        try await NumberedSource.with {
            ($0.width, $0.height, $0.gop) = (320, 180, 10)
            $0.duration = .seconds(seconds)
            $0.start = .seconds(start)
            ($0.audioRate, $0.isMono) = (rate, isMono)
        }.bytes()
    }

    private func others(_ reports: Reports<SourceEvent>) -> [SourceEvent] {
        reports.all.filter { if case .otherAudioFormat = $0 { true } else { false } }
    }

    @Test("a source with another audio format than the first is reported", .tags(.ffmpeg))
    func secondDiffers() async throws {
        let rig = await Rig(keepsAudioFormat: true)
        let (attachment, reader, events) = try await rig.reader()
        let (first, firstReports) = try await rig.source(1)
        try await rig.write(try await stream(rate: 44_100), to: first)
        #expect(await rig.path.audioFormat(of: "main") == .stereo44)
        // In reserve.
        let (second, secondReports) = try await rig.source(2)
        try await rig.write(try await stream(), to: second)
        try await secondReports.wait(for: .otherAudioFormat(.stereo48, channel: .stereo44))
        // On air.
        let (third, thirdReports) = try await rig.source(0)
        try await rig.write(try await stream(rate: 44_100, isMono: true), to: third)
        try await thirdReports.wait(for: .otherAudioFormat(Self.mono, channel: .stereo44))
        try await thirdReports.wait(for: "on air") { if case .onAir = $0 { true } else { false } }
        #expect(others(firstReports).isEmpty && others(secondReports).count == 1 && others(thirdReports).count == 1)
        #expect(try await rig.formats(attachment, reader) == [.stereo44])
        #expect(!events.all.contains(.ended))
        await rig.path.stop()
    }

    @Test("a first source without plain audio is reported, and 48 kHz stereo is used", .tags(.ffmpeg))
    func firstIsNotPlain() async throws {
        let rig = await Rig(keepsAudioFormat: true)
        let (attachment, reader, _) = try await rig.reader()
        let (writer, reports) = try await rig.source()
        try await rig.write(try await stream(3, rate: 44_100, isMono: true), to: writer)
        try await reports.wait(for: .otherAudioFormat(Self.mono, channel: .stereo48))
        #expect(await rig.path.audioFormat(of: "main") == .stereo48 && others(reports).count == 1)
        #expect(try await rig.formats(attachment, reader) == [.stereo48])
        await rig.path.stop()
    }

    @Test("a source that changes its audio format in mid-stream is reported again", .tags(.ffmpeg))
    func midStream() async throws {
        let rig = await Rig(keepsAudioFormat: true)
        let (attachment, reader, _) = try await rig.reader()
        let (writer, reports) = try await rig.source()
        try await rig.write(try await stream(), to: writer)
        #expect(others(reports).isEmpty)
        for (number, isMono) in [true, false, true].enumerated() {
            try await rig.write(try await stream(from: 2 + 2 * number, rate: 44_100, isMono: isMono), to: writer)
        }
        try await reports.wait(for: .otherAudioFormat(Self.mono, channel: .stereo48), times: 2)
        let expected = [Self.mono, .stereo44, Self.mono].map { SourceEvent.otherAudioFormat($0, channel: .stereo48) }
        #expect(others(reports) == expected)
        try await rig.write(try await stream(from: 8), to: writer)
        #expect(others(reports).count == 3)
        #expect(try await rig.formats(attachment, reader) == [.stereo48])
        await rig.path.stop()
    }

    @Test("a channel whose audio no group copies accepts every format", .tags(.ffmpeg))
    func takesAll() async throws {
        let rig = await Rig(keepsAudioFormat: false)
        let (attachment, reader, events) = try await rig.reader()
        let (writer, reports) = try await rig.source()
        for (number, rate) in [44_100, 48_000, 44_100].enumerated() {
            try await rig.write(try await stream(from: 2 * number, rate: rate, isMono: number == 2), to: writer)
        }
        #expect(others(reports).isEmpty)
        #expect(await rig.path.audioFormat(of: "main") == nil)
        #expect(try await rig.formats(attachment, reader).isSuperset(of: [.stereo44, .stereo48, Self.mono]))
        #expect(!events.all.contains(.ended))
        await rig.path.stop()
    }

    @Test("audio is checked only while a group copies it", .tags(.ffmpeg))
    func reload() async throws {
        let rig = await Rig(keepsAudioFormat: false)
        let (writer, reports) = try await rig.source()
        try await rig.write(try await stream(isMono: true), to: writer)
        await rig.path.keepAudioFormat(true, of: "main")
        try await rig.write(try await stream(from: 2, isMono: true), to: writer)
        let mono48 = AACFormat(sampleRate: 48_000, channelConfiguration: 1)
        try await reports.wait(for: .otherAudioFormat(mono48, channel: .stereo48))
        await rig.path.keepAudioFormat(false, of: "main")
        // A new reader begins behind the change.
        let (attachment, reader, _) = try await rig.reader()
        try await rig.write(try await stream(from: 4, isMono: true), to: writer)
        #expect(others(reports).count == 1)
        #expect(try await rig.formats(attachment, reader).contains(mono48))
        await rig.path.keepAudioFormat(true, of: "main")
        #expect(await rig.path.audioFormat(of: "main") == .stereo48)
        await rig.path.stop()
    }

    @Test("silence before the first audio in another format ends its readers once", .tags(.ffmpeg))
    func era() async throws {
        let rig = await Rig(keepsAudioFormat: true)
        let (mute, _) = try await rig.source(1)
        let silent = try await NumberedSource.with {
            ($0.width, $0.height, $0.gop, $0.audio) = (320, 180, 10, .none)
            $0.duration = .seconds(2)
        }.bytes()
        try await rig.write(silent, to: mute)
        let (_, before, events) = try await rig.reader()
        let (writer, _) = try await rig.source(0)
        try await rig.write(try await stream(rate: 44_100), to: writer)
        try await events.wait(for: .ended)
        #expect(Self.formats(try await before.all()) == [.stereo48])
        let (attachment, after, later) = try await rig.reader()
        try await rig.write(try await stream(from: 2, rate: 44_100), to: writer)
        let (third, reports) = try await rig.source(2)
        try await rig.write(try await stream(), to: third)
        try await reports.wait(for: .otherAudioFormat(.stereo48, channel: .stereo44))
        #expect(try await rig.formats(attachment, after) == [.stereo44])
        #expect(!later.all.contains(.ended))
        await rig.path.stop()
    }
}
