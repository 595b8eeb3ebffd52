import MediaTypes
import TestSupport
import Testing

@testable import MPEGTS

/// A feed whose sound has one format: what goes in, what stands in, and where an era begins.
@Suite struct SplicerFormatTests {
    /// Frames of sound that are no silence, with what their headers say.
    private enum Sound {
        static let at48 = frame(.stereo48)
        static let at44 = frame(.stereo44)
        static let mono = frame(AACFormat(sampleRate: 44_100, channelConfiguration: 1))

        private static func frame(_ format: AACFormat) -> [UInt8] {
            var frame = format.sampleRate == 48_000 ? ADTS.silence : ADTS.silence44
            frame[3] = format.channelConfiguration << 6
            frame[frame.count - 1] ^= 0xFF
            return frame
        }
    }

    /// Thirty pictures a second, a keyframe each second, with their sound.
    ///
    /// - Parameter pictures: The number of the first, and of the one behind the last.
    private func stream(_ pictures: Range<Int>, sound frame: [UInt8]? = nil) -> [UInt8] {
        let rate: Int64 = frame.map { $0[2] == 0x4C ? 48_000 : 44_100 } ?? 48_000
        func time(ofSound number: Int64) -> Int64 { 90_000 + number * 1024 * Ticks.perSecond / rate }
        func time(of picture: Int) -> Int64 { 90_000 + Int64(picture) * 3000 }
        var next = Int64(pictures.lowerBound) * rate / 30 / 1024
        while time(ofSound: next) < time(of: pictures.lowerBound) { next += 1 }
        var bytes = SyntheticPictures.tables
        for number in pictures {
            let (pts, isKeyframe) = (time(of: number), number % 30 == 0)
            let picture = SyntheticPictures.Picture(pts: pts, dts: pts, isKeyframe: isKeyframe)
            bytes += SyntheticPictures.packet(picture, counter: UInt8(number & 15))
            while let frame, time(ofSound: next) < pts + 3000 {
                bytes += SyntheticPictures.sound(pts: time(ofSound: next), counter: UInt8(next & 15), frame: frame)
                next += 1
            }
        }
        return bytes
    }

    /// What a reader gives from the newest keyframe that there is now.
    private final class Watch {
        private let reader: FeedReader
        private var bytes: [UInt8] = []

        init(_ line: Line) { reader = line.feed.makeReader() }

        /// The sound up to now.
        func sound() -> [ReferenceUnit] {
            bytes += reader.takeAll()
            return ReferenceUnit.all(bytes).of(.audio)
        }

        var formats: Set<AACFormat?> {
            Set(sound().map { unit in unit.payload.withUnsafeBufferPointer { ADTS.read($0)?.format } })
        }

        var isFinished: Bool {
            _ = sound()
            return reader.isFinished
        }
    }

    @Test("an hour of silence at 44.1 kHz is as long as an hour of pictures, frame by frame on its grid")
    func drift() {
        let line = Line(fillsSilence: true)
        var writer = Splicer.Writer(.following)
        writer.sound = .stereo44
        var bytes = SyntheticPictures.tables
        for number in 0...3600 {
            let pts = 90_000 + Int64(number) * Ticks.perSecond
            let picture = SyntheticPictures.Picture(pts: pts, dts: pts, isKeyframe: number % 5 == 0)
            bytes += SyntheticPictures.packet(picture, counter: UInt8(number & 15))
        }
        var isOnGrid = true
        var parser = UnitParser()
        parser.read([bytes]) { unit, parser in
            line.now += Ticks.perSecond
            _ = line.splicer.accept(unit, of: &writer, from: parser, now: line.now)
            let frames = Int64(line.splicer.silentFrames)
            let end = 10 * Ticks.perSecond + frames * 1024 * Ticks.perSecond / 44_100
            if let audioEnd = line.splicer.tail.audioEnd { isOnGrid = isOnGrid && audioEnd == end }
        }
        let tail = line.splicer.tail
        // 3600 · 44100 / 1024 frames, of which the last is not whole.
        #expect(isOnGrid && line.splicer.silentFrames == 155_039)
        #expect(tail.videoPTS == 3610 * Ticks.perSecond)
        #expect((0..<2090).contains((tail.videoPTS ?? 0) - (tail.audioEnd ?? 0)))
    }

    @Test("frames of silence at 44.1 kHz follow each other without a gap, in their own format")
    func grid() {
        let line = Line(fillsSilence: true)
        var writer = Splicer.Writer(.following)
        writer.sound = .stereo44
        line.write([stream(0..<300)], as: &writer)
        let sound = ReferenceUnit.all(line.output).of(.audio)
        #expect(sound.count > 350 && sound.allSatisfy { $0.payload == ADTS.silence44 })
        #expect(zip(sound, sound.dropFirst()).allSatisfy { (2089...2090).contains($1.pts - $0.pts) })
        Wire.expectSound(line.output, "")
    }

    @Test("the first format of a feed begins no era, and the silence beside it has that format")
    func first() {
        let line = Line(fillsSilence: true)
        var writer = Splicer.Writer(.following)
        writer.sound = .stereo44
        line.write([stream(0..<60, sound: Sound.at44), stream(60..<180)], as: &writer)
        let sound = ReferenceUnit.all(line.output).of(.audio)
        #expect(line.feed.era == 0 && line.splicer.sound == .stereo44)
        #expect(Set(sound.map(\.payload)) == [Sound.at44, ADTS.silence44])
        #expect(line.splicer.silentFrames > 60)
    }

    @Test("behind silence of another rate, an era begins with the keyframe of a writer with a format, and only then")
    func eraAtJoin() {
        let line = Line(fillsSilence: true)
        line.write(stream(0..<60), .following)
        let before = Watch(line)
        var writers = [Splicer.Writer(.following), Splicer.Writer(.following)]
        for index in writers.indices {
            writers[index].sound = .stereo44
            line.write([stream(0..<90, sound: Sound.at44)], as: &writers[index])
            #expect(line.feed.era == 1 && before.isFinished && before.formats == [.stereo48])
        }
        // A slate between two sources names none.
        line.write(stream(0..<90), .following)
        #expect(line.feed.era == 1)
        let after = Watch(line)
        #expect(!after.isFinished && after.formats == [.stereo44])
    }

    @Test("a reader of the new era begins with its keyframe, and gets the sound from there on")
    func newReader() {
        let line = Line(fillsSilence: true)
        line.write(stream(0..<60), .following)
        let before = Watch(line)
        var writer = Splicer.Writer(.following)
        writer.sound = .stereo44
        line.write([stream(0..<1, sound: Sound.at44)], as: &writer)
        let after = Watch(line)
        line.write([stream(1..<30, sound: Sound.at44)], as: &writer)
        let heard = after.sound()
        #expect(heard.count >= 40 && heard.allSatisfy { $0.payload == Sound.at44 })
        // The era before has silence up to the picture.
        let last = before.sound().last
        #expect((heard.first?.pts ?? 0) - (last?.pts ?? 0) < 2 * 2090 + 1920)
    }

    @Test("a format that is known only in the middle of a group of pictures waits for the next keyframe, with silence")
    func eraLater() {
        let line = Line(fillsSilence: true)
        line.write(stream(0..<60), .following)
        let before = Watch(line)
        var writer = Splicer.Writer(.following)
        line.write([stream(0..<5)], as: &writer)
        writer.sound = .stereo44
        let outcomes = line.write([stream(5..<30, sound: Sound.at44)], as: &writer)
        #expect(outcomes.allSatisfy { ($0.0.kind == .audio) == ($0.1 == .dropped) } && line.feed.era == 0)
        let silence = before.sound()
        #expect(silence.last.map { line.splicer.tail.videoPTS! - $0.pts < 2 * 1920 } == true)
        line.write([stream(30..<90, sound: Sound.at44)], as: &writer)
        let after = Watch(line)
        #expect(line.feed.era == 1 && before.isFinished && before.formats == [.stereo48])
        line.write([stream(90..<120, sound: Sound.at44)], as: &writer)
        let heard = after.sound()
        #expect(heard.count > 40 && heard.allSatisfy { $0.payload == Sound.at44 })
    }

    @Test("sound in another format than its writer's is refused, and changes nothing")
    func otherFormat() {
        let line = Line(fillsSilence: true)
        var writer = Splicer.Writer(.following)
        writer.sound = .stereo48
        line.write([stream(0..<30, sound: Sound.at48)], as: &writer)
        let others = [stream(30..<60, sound: Sound.mono), stream(60..<90, sound: Sound.at44)]
        let outcomes = line.write(others, as: &writer)
        #expect(outcomes.filter { $0.0.kind == .audio }.allSatisfy { $0.1 == .dropped })
        #expect(outcomes.filter { $0.0.kind == .video }.allSatisfy { $0.1 == .accepted })
        line.write([stream(90..<120, sound: Sound.at48)], as: &writer)
        let sound = ReferenceUnit.all(line.output).of(.audio)
        #expect(Set(sound.map(\.payload)) == [Sound.at48, ADTS.silence] && line.feed.era == 0)
    }

    @Test("without a format, sound of any is taken beside silence at 48 kHz, and no era begins")
    func anyFormat() {
        let line = Line(fillsSilence: true)
        for frame in [nil, Sound.mono, Sound.at48, Sound.at44, nil] {
            line.write(stream(0..<90, sound: frame), .following)
        }
        let sound = ReferenceUnit.all(line.output).of(.audio)
        #expect(Set(sound.map(\.payload)) == [ADTS.silence, Sound.mono, Sound.at48, Sound.at44])
        #expect(line.feed.era == 0 && line.splicer.sound == nil)
    }

    @Test("behind sound of several formats, one begins an era, whichever came last")
    func afterSeveral() {
        let line = Line(fillsSilence: true)
        for frame in [Sound.mono, Sound.at48] { line.write(stream(0..<60, sound: frame), .following) }
        var writer = Splicer.Writer(.following)
        writer.sound = .stereo48
        line.write([stream(0..<90, sound: Sound.at48)], as: &writer)
        #expect(line.feed.era == 1)
    }

    @Test("another codec of the picture, at the same keyframe, is one era and not two", .tags(.ffmpeg))
    func withCodec() async throws {
        let line = Line(fillsSilence: true)
        line.write(stream(0..<60), .following)
        var writer = Splicer.Writer(.following)
        writer.sound = .stereo44
        line.write([try await RecordedStream.hevc.bytes()], as: &writer)
        #expect(line.feed.era == 1 && line.splicer.videoCodec == .hevc)
    }

    @Test("a group's encoder that follows in another format begins an era with its keyframe, not with its sound")
    func group() {
        let line = Line()
        var first = Splicer.Writer(.resuming(near: 90_000, needsKeyframe: true))
        line.write([stream(0..<60, sound: Sound.at48)], as: &first)
        let before = Watch(line)
        var second = Splicer.Writer(.resuming(near: 90_000 + 60 * 3000, needsKeyframe: true))
        second.sound = .stereo44
        let late = line.write([stream(61..<90, sound: Sound.at44)], as: &second)
        #expect(late.allSatisfy { $0.1 == .dropped } && line.feed.era == 0)
        let joined = line.write([stream(90..<120, sound: Sound.at44)], as: &second)
        #expect(joined.first?.1 == .joined && joined.dropFirst().allSatisfy { $0.1 == .accepted })
        #expect(line.feed.era == 1 && before.isFinished && before.formats == [.stereo48])
        var third = Splicer.Writer(.resuming(near: 90_000 + 120 * 3000, needsKeyframe: true))
        third.sound = .stereo44
        line.write([stream(120..<150, sound: Sound.at44)], as: &third)
        #expect(line.feed.era == 1)
    }
}
