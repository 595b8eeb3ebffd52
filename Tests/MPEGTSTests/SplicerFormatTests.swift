import MediaTypes
import TestSupport
import Testing

@testable import MPEGTS

/// A feed whose audio has one format: the audio and silence in it, and the beginning of eras.
@Suite struct SplicerFormatTests {
    /// Audio frames that are not silence, by the format in their headers.
    private enum Audio {
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

    /// Thirty video frames a second, with a keyframe each second, and their audio.
    ///
    /// - Parameter frames: The numbers of the frames.
    private func stream(_ frames: Range<Int>, audio payload: [UInt8]? = nil) -> [UInt8] {
        let rate: Int64 = payload.map { $0[2] == 0x4C ? 48_000 : 44_100 } ?? 48_000
        func time(ofAudio number: Int64) -> Int64 { 90_000 + number * 1024 * Ticks.perSecond / rate }
        func time(of frame: Int) -> Int64 { 90_000 + Int64(frame) * 3000 }
        var next = Int64(frames.lowerBound) * rate / 30 / 1024
        while time(ofAudio: next) < time(of: frames.lowerBound) { next += 1 }
        var bytes = SyntheticFrames.tables
        for number in frames {
            let (pts, isKeyframe) = (time(of: number), number % 30 == 0)
            let frame = SyntheticFrames.Frame(pts: pts, dts: pts, isKeyframe: isKeyframe)
            bytes += SyntheticFrames.packet(frame, counter: UInt8(number & 15))
            while let payload, time(ofAudio: next) < pts + 3000 {
                bytes += SyntheticFrames.audio(pts: time(ofAudio: next), counter: UInt8(next & 15), frame: payload)
                next += 1
            }
        }
        return bytes
    }

    /// A reader that begins at the present newest keyframe.
    private final class Watch {
        private let reader: FeedReader
        private var bytes: [UInt8] = []

        init(_ line: Line) { reader = line.feed.makeReader() }

        /// The audio up to now.
        func audio() -> [ReferenceUnit] {
            bytes += reader.takeAll()
            return ReferenceUnit.all(bytes).of(.audio)
        }

        var formats: Set<AACFormat?> {
            Set(audio().map { unit in unit.payload.withUnsafeBufferPointer { ADTS.read($0)?.format } })
        }

        var isFinished: Bool {
            _ = audio()
            return reader.isFinished
        }
    }

    @Test("an hour of silence at 44.1 kHz stays on its grid and does not drift")
    func drift() {
        let line = Line(fillsSilence: true)
        var writer = Splicer.Writer(.following)
        writer.audioFormat = .stereo44
        var bytes = SyntheticFrames.tables
        for number in 0...3600 {
            let pts = 90_000 + Int64(number) * Ticks.perSecond
            let frame = SyntheticFrames.Frame(pts: pts, dts: pts, isKeyframe: number % 5 == 0)
            bytes += SyntheticFrames.packet(frame, counter: UInt8(number & 15))
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
        // 3600 · 44100 / 1024 frames; the last one is not whole.
        #expect(isOnGrid && line.splicer.silentFrames == 155_039)
        #expect(tail.videoPTS == 3610 * Ticks.perSecond)
        #expect((0..<2090).contains((tail.videoPTS ?? 0) - (tail.audioEnd ?? 0)))
    }

    @Test("frames of silence at 44.1 kHz follow each other without a gap")
    func grid() {
        let line = Line(fillsSilence: true)
        var writer = Splicer.Writer(.following)
        writer.audioFormat = .stereo44
        line.write([stream(0..<300)], as: &writer)
        let audio = ReferenceUnit.all(line.output).of(.audio)
        #expect(audio.count > 350 && audio.allSatisfy { $0.payload == ADTS.silence44 })
        #expect(zip(audio, audio.dropFirst()).allSatisfy { (2089...2090).contains($1.pts - $0.pts) })
        Wire.expectValid(line.output, "")
    }

    @Test("the first audio format begins no era, and silence then has that format")
    func first() {
        let line = Line(fillsSilence: true)
        var writer = Splicer.Writer(.following)
        writer.audioFormat = .stereo44
        line.write([stream(0..<60, audio: Audio.at44), stream(60..<180)], as: &writer)
        let audio = ReferenceUnit.all(line.output).of(.audio)
        #expect(line.feed.era == 0 && line.splicer.audioFormat == .stereo44)
        #expect(Set(audio.map(\.payload)) == [Audio.at44, ADTS.silence44])
        #expect(line.splicer.silentFrames > 60)
    }

    @Test("after silence at another rate, a writer with a format begins an era")
    func eraAtJoin() {
        let line = Line(fillsSilence: true)
        line.write(stream(0..<60), .following)
        let before = Watch(line)
        var writers = [Splicer.Writer(.following), Splicer.Writer(.following)]
        for index in writers.indices {
            writers[index].audioFormat = .stereo44
            line.write([stream(0..<90, audio: Audio.at44)], as: &writers[index])
            #expect(line.feed.era == 1 && before.isFinished && before.formats == [.stereo48])
        }
        // A slate between two sources names no format.
        line.write(stream(0..<90), .following)
        #expect(line.feed.era == 1)
        let after = Watch(line)
        #expect(!after.isFinished && after.formats == [.stereo44])
    }

    @Test("a reader of a new era begins with its keyframe and the audio from there")
    func newReader() {
        let line = Line(fillsSilence: true)
        line.write(stream(0..<60), .following)
        let before = Watch(line)
        var writer = Splicer.Writer(.following)
        writer.audioFormat = .stereo44
        line.write([stream(0..<1, audio: Audio.at44)], as: &writer)
        let after = Watch(line)
        line.write([stream(1..<30, audio: Audio.at44)], as: &writer)
        let units = after.audio()
        #expect(units.count >= 40 && units.allSatisfy { $0.payload == Audio.at44 })
        // The previous era has silence up to the video frame.
        let last = before.audio().last
        #expect((units.first?.pts ?? 0) - (last?.pts ?? 0) < 2 * 2090 + 1920)
    }

    @Test("a format becomes known in the middle of a GOP -> silence until the keyframe")
    func eraLater() {
        let line = Line(fillsSilence: true)
        line.write(stream(0..<60), .following)
        let before = Watch(line)
        var writer = Splicer.Writer(.following)
        line.write([stream(0..<5)], as: &writer)
        writer.audioFormat = .stereo44
        let outcomes = line.write([stream(5..<30, audio: Audio.at44)], as: &writer)
        #expect(outcomes.allSatisfy { ($0.0.kind == .audio) == ($0.1 == .dropped) } && line.feed.era == 0)
        let silence = before.audio()
        #expect(silence.last.map { line.splicer.tail.videoPTS! - $0.pts < 2 * 1920 } == true)
        line.write([stream(30..<90, audio: Audio.at44)], as: &writer)
        let after = Watch(line)
        #expect(line.feed.era == 1 && before.isFinished && before.formats == [.stereo48])
        line.write([stream(90..<120, audio: Audio.at44)], as: &writer)
        let units = after.audio()
        #expect(units.count > 40 && units.allSatisfy { $0.payload == Audio.at44 })
    }

    @Test("audio in another format than its writer's is dropped without effect")
    func otherFormat() {
        let line = Line(fillsSilence: true)
        var writer = Splicer.Writer(.following)
        writer.audioFormat = .stereo48
        line.write([stream(0..<30, audio: Audio.at48)], as: &writer)
        let others = [stream(30..<60, audio: Audio.mono), stream(60..<90, audio: Audio.at44)]
        let outcomes = line.write(others, as: &writer)
        #expect(outcomes.filter { $0.0.kind == .audio }.allSatisfy { $0.1 == .dropped })
        #expect(outcomes.filter { $0.0.kind == .video }.allSatisfy { $0.1 == .accepted })
        line.write([stream(90..<120, audio: Audio.at48)], as: &writer)
        let audio = ReferenceUnit.all(line.output).of(.audio)
        #expect(Set(audio.map(\.payload)) == [Audio.at48, ADTS.silence] && line.feed.era == 0)
    }

    @Test("a writer without a format -> audio of any format is accepted, and no era begins")
    func anyFormat() {
        let line = Line(fillsSilence: true)
        for frame in [nil, Audio.mono, Audio.at48, Audio.at44, nil] {
            line.write(stream(0..<90, audio: frame), .following)
        }
        let audio = ReferenceUnit.all(line.output).of(.audio)
        #expect(Set(audio.map(\.payload)) == [ADTS.silence, Audio.mono, Audio.at48, Audio.at44])
        #expect(line.feed.era == 0 && line.splicer.audioFormat == nil)
    }

    @Test("after audio of several formats, a writer with one format begins an era")
    func afterSeveral() {
        let line = Line(fillsSilence: true)
        for frame in [Audio.mono, Audio.at48] { line.write(stream(0..<60, audio: frame), .following) }
        var writer = Splicer.Writer(.following)
        writer.audioFormat = .stereo48
        line.write([stream(0..<90, audio: Audio.at48)], as: &writer)
        #expect(line.feed.era == 1)
    }

    @Test("video codec and audio format change at one keyframe -> one era begins", .tags(.ffmpeg))
    func withCodec() async throws {
        let line = Line(fillsSilence: true)
        line.write(stream(0..<60), .following)
        var writer = Splicer.Writer(.following)
        writer.audioFormat = .stereo44
        line.write([try await RecordedStream.hevc.bytes()], as: &writer)
        #expect(line.feed.era == 1 && line.splicer.videoCodec == .hevc)
    }

    @Test("an encoder in another audio format begins an era with its keyframe")
    func group() {
        let line = Line()
        var first = Splicer.Writer(.resuming(near: 90_000, needsKeyframe: true))
        line.write([stream(0..<60, audio: Audio.at48)], as: &first)
        let before = Watch(line)
        var second = Splicer.Writer(.resuming(near: 90_000 + 60 * 3000, needsKeyframe: true))
        second.audioFormat = .stereo44
        let late = line.write([stream(61..<90, audio: Audio.at44)], as: &second)
        #expect(late.allSatisfy { $0.1 == .dropped } && line.feed.era == 0)
        let joined = line.write([stream(90..<120, audio: Audio.at44)], as: &second)
        #expect(joined.first?.1 == .joined && joined.dropFirst().allSatisfy { $0.1 == .accepted })
        #expect(line.feed.era == 1 && before.isFinished && before.formats == [.stereo48])
        var third = Splicer.Writer(.resuming(near: 90_000 + 120 * 3000, needsKeyframe: true))
        third.audioFormat = .stereo44
        line.write([stream(120..<150, audio: Audio.at44)], as: &third)
        #expect(line.feed.era == 1)
    }
}
