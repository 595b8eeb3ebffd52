import MPEGTS
import TestSupport
import Testing

@testable import DataPath

/// The one format of a channel's sound, and who is told of it.
@Suite struct ChannelSoundTests {
    private static let mono = AACFormat(sampleRate: 44_100, channelConfiguration: 1)

    // MARK: The choice

    @Test(
        "the first sound decides where it is plain, else 48 kHz stereo",
        arguments: [
            (.stereo48, .stereo48), (.stereo44, .stereo44), (mono, .stereo48),
            (AACFormat(objectType: 5, sampleRate: 48_000, channelConfiguration: 2), .stereo48),
            (AACFormat(objectType: 1, sampleRate: 44_100, channelConfiguration: 2), .stereo48),
            (AACFormat(sampleRate: 24_000, channelConfiguration: 2), .stereo48),
        ] as [(AACFormat, AACFormat)])
    func first(_ format: AACFormat, decides expected: AACFormat) {
        var sound = ChannelSound(isKept: true)
        #expect(sound.isUndecided && sound.kept == nil)
        sound.decide(by: format, now: 0)
        #expect(!sound.isUndecided && sound.kept == expected)
    }

    @Test("what is decided stays, also over a time in which no group copies the sound")
    func stays() {
        var sound = ChannelSound(isKept: true)
        sound.decide(by: .stereo44, now: 0)
        sound.decide(by: .stereo48, now: 0)
        sound.isKept = false
        #expect(sound.kept == nil && !sound.isUndecided)
        sound.decide(by: .stereo48, now: 0)
        sound.isKept = true
        #expect(sound.kept == .stereo44)
    }

    @Test("a source without sound decides for 48 kHz ten seconds after the first picture, and no earlier")
    func silent() {
        var sound = ChannelSound(isKept: true)
        let second: Int64 = 1_000_000_000
        let decisions = [5 * second, 15 * second - 1, 15 * second].map { sound.decide(by: nil, now: $0) }
        #expect(decisions == [false, false, true] && sound.kept == .stereo48)
        sound.decide(by: .stereo44, now: 16 * second)
        #expect(sound.kept == .stereo48)
    }

    @Test("the sound of a source is waited for from its own first picture on")
    func another() {
        var sound = ChannelSound(isKept: true)
        let second: Int64 = 1_000_000_000
        sound.decide(by: nil, now: 0)
        sound.begins()
        let isDecided = sound.decide(by: nil, now: 3600 * second)
        sound.decide(by: .stereo44, now: 3600 * second)
        #expect(!isDecided && sound.kept == .stereo44)
    }

    @Test("a channel whose sound nobody copies decides nothing")
    func notKept() {
        var sound = ChannelSound(isKept: false)
        sound.decide(by: .stereo44, now: 0)
        #expect(sound.kept == nil && sound.format == nil)
    }

    @Test("another format is told with its second unit, once, and again after it was over or another one came")
    func told() {
        var other = OtherSound()
        func note(_ formats: AACFormat...) -> [Bool] { formats.map { other.note($0) } }
        #expect(!other.isRefused)
        #expect(note(Self.mono, Self.mono, Self.mono) == [false, true, false])
        #expect(other.isRefused)
        #expect(note(.stereo48, .stereo48) == [false, true])
        other.isOver()
        #expect(!other.isRefused)
        #expect(note(.stereo48, .stereo48) == [false, true])
        // Damaged headers, one by one.
        #expect(note(Self.mono, .stereo44, Self.mono) == [false, false, false])
    }

    // MARK: In a channel

    /// A channel with sources of H.264 and AAC, each second a keyframe.
    private struct Rig {
        let path = DataPath(mostAhead: .seconds(3600))

        init(keepsSound: Bool) async {
            await path.addChannel("main", patience: .seconds(600), slateDelay: .seconds(600), keepsSound: keepsSound)
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

        /// Writes a stream, and waits until it has been taken.
        func write(_ bytes: [UInt8], to writer: Writer) async throws {
            await writer.write(bytes)
            try await eventually("the data path to follow") { writer.waiting == 0 }
            await path.ping()
        }

        /// Ends a reader's input once it has everything, and gives the formats of what it got.
        func formats(_ attachment: DataPath.Attachment, _ reader: Reader) async throws -> Set<AACFormat?> {
            try await eventually("a reader to have everything") { await path.figures(of: attachment)?.lag == 0 }
            await path.endInput(of: attachment)
            return ChannelSoundTests.formats(try await reader.all())
        }
    }

    /// What the units of sound in a stream say of themselves.
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
        reports.all.filter { if case .otherSound = $0 { true } else { false } }
    }

    @Test("the first source decides, and one whose sound differs is refused and told, also in reserve", .tags(.ffmpeg))
    func secondDiffers() async throws {
        let rig = await Rig(keepsSound: true)
        let (attachment, reader, events) = try await rig.reader()
        let (first, firstReports) = try await rig.source(1)
        try await rig.write(try await stream(rate: 44_100), to: first)
        #expect(await rig.path.soundFormat(of: "main") == .stereo44)
        // In reserve.
        let (second, secondReports) = try await rig.source(2)
        try await rig.write(try await stream(), to: second)
        try await secondReports.wait(for: .otherSound(.stereo48, channel: .stereo44))
        // It takes the air.
        let (third, thirdReports) = try await rig.source(0)
        try await rig.write(try await stream(rate: 44_100, isMono: true), to: third)
        try await thirdReports.wait(for: .otherSound(Self.mono, channel: .stereo44))
        try await thirdReports.wait(for: "the air") { if case .onAir = $0 { true } else { false } }
        #expect(others(firstReports).isEmpty && others(secondReports).count == 1 && others(thirdReports).count == 1)
        #expect(try await rig.formats(attachment, reader) == [.stereo44])
        #expect(!events.all.contains(.ended))
        await rig.path.stop()
    }

    @Test("a first source that is not plain is told, and the channel's sound is 48 kHz stereo", .tags(.ffmpeg))
    func firstIsNotPlain() async throws {
        let rig = await Rig(keepsSound: true)
        let (attachment, reader, _) = try await rig.reader()
        let (writer, reports) = try await rig.source()
        try await rig.write(try await stream(3, rate: 44_100, isMono: true), to: writer)
        try await reports.wait(for: .otherSound(Self.mono, channel: .stereo48))
        #expect(await rig.path.soundFormat(of: "main") == .stereo48 && others(reports).count == 1)
        #expect(try await rig.formats(attachment, reader) == [.stereo48])
        await rig.path.stop()
    }

    @Test("a source that changes its format in mid-stream is judged again, there and back", .tags(.ffmpeg))
    func midStream() async throws {
        let rig = await Rig(keepsSound: true)
        let (attachment, reader, _) = try await rig.reader()
        let (writer, reports) = try await rig.source()
        try await rig.write(try await stream(), to: writer)
        #expect(others(reports).isEmpty)
        for (number, isMono) in [true, false, true].enumerated() {
            try await rig.write(try await stream(from: 2 + 2 * number, rate: 44_100, isMono: isMono), to: writer)
        }
        try await reports.wait(for: .otherSound(Self.mono, channel: .stereo48), times: 2)
        let expected = [Self.mono, .stereo44, Self.mono].map { SourceEvent.otherSound($0, channel: .stereo48) }
        #expect(others(reports) == expected)
        try await rig.write(try await stream(from: 8), to: writer)
        #expect(others(reports).count == 3)
        #expect(try await rig.formats(attachment, reader) == [.stereo48])
        await rig.path.stop()
    }

    @Test("a channel whose sound no group copies takes every format as it comes", .tags(.ffmpeg))
    func takesAll() async throws {
        let rig = await Rig(keepsSound: false)
        let (attachment, reader, events) = try await rig.reader()
        let (writer, reports) = try await rig.source()
        for (number, rate) in [44_100, 48_000, 44_100].enumerated() {
            try await rig.write(try await stream(from: 2 * number, rate: rate, isMono: number == 2), to: writer)
        }
        #expect(others(reports).isEmpty)
        #expect(await rig.path.soundFormat(of: "main") == nil)
        #expect(try await rig.formats(attachment, reader).isSuperset(of: [.stereo44, .stereo48, Self.mono]))
        #expect(!events.all.contains(.ended))
        await rig.path.stop()
    }

    @Test("a group that begins to copy has the sound judged from then on, and one that ends, no more", .tags(.ffmpeg))
    func reload() async throws {
        let rig = await Rig(keepsSound: false)
        let (writer, reports) = try await rig.source()
        try await rig.write(try await stream(isMono: true), to: writer)
        await rig.path.keepSound(true, of: "main")
        try await rig.write(try await stream(from: 2, isMono: true), to: writer)
        let mono48 = AACFormat(sampleRate: 48_000, channelConfiguration: 1)
        try await reports.wait(for: .otherSound(mono48, channel: .stereo48))
        await rig.path.keepSound(false, of: "main")
        // A reader from now on begins behind the change.
        let (attachment, reader, _) = try await rig.reader()
        try await rig.write(try await stream(from: 4, isMono: true), to: writer)
        #expect(others(reports).count == 1)
        #expect(try await rig.formats(attachment, reader).contains(mono48))
        await rig.path.keepSound(true, of: "main")
        #expect(await rig.path.soundFormat(of: "main") == .stereo48)
        await rig.path.stop()
    }

    @Test("silence that was sent before the first sound in another format ends its readers, once", .tags(.ffmpeg))
    func era() async throws {
        let rig = await Rig(keepsSound: true)
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
        try await reports.wait(for: .otherSound(.stereo48, channel: .stereo44))
        #expect(try await rig.formats(attachment, after) == [.stereo44])
        #expect(!later.all.contains(.ended))
        await rig.path.stop()
    }
}
