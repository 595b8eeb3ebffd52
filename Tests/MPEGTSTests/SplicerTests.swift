import TestSupport
import Testing

@testable import MPEGTS

@Suite(.tags(.ffmpeg)) struct SplicerTests {
    /// The units of a kind that are certainly whole in the bytes.
    private func evident(_ units: [ReferenceUnit], _ kind: StreamKind) -> [ReferenceUnit] {
        var units = units.of(kind)
        if let last = units.last, !last.isEvident { units.removeLast() }
        return units
    }

    @Test(
        "one writer's units keep their content and their distances",
        arguments: UnitParserTests.whole)
    func passesThrough(_ stream: RecordedStream) async throws {
        let bytes = try await stream.bytes()
        let input = ReferenceUnit.all(bytes)
        let line = Line()
        line.write(bytes, .following)
        Wire.expectValid(line.output, "\(stream)")
        let output = ReferenceUnit.all(line.output)
        for kind in [StreamKind.video, .audio] {
            let before = evident(input, kind)
            // Audio before the first keyframe is dropped.
            let after = output.of(kind)
            #expect(
                after.map(\.payload) == before.suffix(after.count).map(\.payload)
                    && before.count - after.count <= (kind == .video ? 0 : 1))
            let shifts = Set(zip(after, before.suffix(after.count)).map { Ticks.onWire($0.pts - $1.pts) })
            let decodings = Set(zip(after, before.suffix(after.count)).map { Ticks.onWire($0.dts - $1.dts) })
            #expect(shifts.count <= 1 && shifts == decodings)
        }
        #expect(output.first { $0.kind == .video }?.dts == 10 * Ticks.perSecond)
        let probe = try await MediaProbe.read(.bytes(line.output))
        #expect(probe.complaints.isEmpty, "\(probe.complaints)")
        #expect(probe.packets(of: probe.video).count == output.of(.video).count && probe.backwards.isEmpty)
        #expect(probe.packets(of: probe.video).filter(\.isKey).count == line.feed.entries.count)
        try await Wire.expectDecodes(line.output, "\(stream)")
    }

    @Test("the output does not depend on how the input was split")
    func cuts() async throws {
        for stream in [RecordedStream.bFrames, .constantRate, .wrap] {
            let bytes = try await stream.bytes()
            let whole = Line(fillsSilence: true)
            whole.write(bytes, .following)
            withSeededRandomNow { random in
                for _ in 0..<5 {
                    let line = Line(fillsSilence: true)
                    var writer = Splicer.Writer(.following)
                    line.write(TransportBytes.split(bytes, sizes: 1...2000, using: &random), as: &writer)
                    let isSame = line.output == whole.output
                    #expect(isSame, "\(stream); \(random.hint)")
                }
            }
        }
    }

    static let pairs: [RecordedStream] = [
        .plain, .bFrames, .noAudio, .otherPIDs, .wrap, .wrapWithBFrames, .constantRate,
    ]

    @Test("writers that follow each other make one stream that FFmpeg decodes cleanly", arguments: pairs)
    func following(_ first: RecordedStream) async throws {
        var random = SeededRandom()
        let one = try await first.bytes()
        let line = Line(fillsSilence: true)
        for second in Self.pairs {
            // Each writer is killed at a random byte.
            line.write(Array(one[..<Int.random(in: one.count / 3..<one.count, using: &random)]), .following)
            line.now += Int64.random(in: 0...45_000, using: &random)
            let two = try await second.bytes()
            let outcomes = line.write(
                Array(two[..<Int.random(in: two.count / 3..<two.count, using: &random)]), .following)
            #expect(outcomes.first { $0.1 == .joined }?.0.isKeyframe == true)
        }
        Wire.expectValid(line.output, "\(first); \(random.hint)")
        try await Wire.expectDecodes(line.output, "\(first); \(random.hint)")
        // The audio has no gap of a frame or more.
        let audio = ReferenceUnit.all(line.output).of(.audio)
        var end = audio[0].pts
        for unit in audio {
            #expect(unit.pts - end < 1920 && unit.pts - end >= -1045, "\(first): \(unit.pts - end); \(random.hint)")
            end = unit.pts + unit.audioDuration
        }
    }

    @Test(
        "killed writers resume from an earlier keyframe -> equal to the unbroken stream",
        arguments: [
            RecordedStream.plain, .shortGOP, .bFrames, .noAudio, .hevc, .wrap, .wrapWithBFrames, .busy, .constantRate,
        ])
    func resuming(_ stream: RecordedStream) async throws {
        let bytes = try await stream.bytes()
        let tables = Array(bytes[..<(3 * 188)])
        let reference = ReferenceUnit.all(bytes)
        let keys = reference.filter { unit in unit.kind == .video }.enumerated().filter {
            $0.offset % stream.source.gop == 0
        }.map(\.element)
        let start = reference.of(.video)[0].dts
        withSeededRandomNow { random in
            for _ in 0..<6 {
                let line = Line()
                for _ in 0..<Int.random(in: 1...9, using: &random) {
                    self.resume(
                        line, from: bytes, tables: tables, keys: keys, start: start,
                        until: Int.random(in: 0...bytes.count, using: &random), using: &random)
                }
                self.resume(
                    line, from: bytes, tables: tables, keys: keys, start: start, until: bytes.count, using: &random)
                Wire.expectValid(line.output, random.hint)
                let output = ReferenceUnit.all(line.output)
                for kind in [StreamKind.video, .audio] {
                    let expected = self.evident(reference, kind)
                    let got = output.of(kind)
                    let isWhole = got.map(\.payload) == expected.map(\.payload) && got.map(\.pts) == expected.map(\.pts)
                    #expect(isWhole, "\(kind): \(got.count) of \(expected.count); \(random.hint)")
                }
                #expect(line.splicer.lostFrames == 0, "\(random.hint)")
            }
        }
    }

    /// Repeats the stream from a keyframe at or before the end of the feed, with the audio around it, up to a byte.
    private func resume(
        _ line: Line, from bytes: [UInt8], tables: [UInt8], keys: [ReferenceUnit], start: Int64, until end: Int,
        using random: inout SeededRandom
    ) {
        let tail = line.splicer.tail
        let possible = keys.filter { key in
            tail.videoDTS.map { Ticks.extend(key.dts, near: $0) <= $0 } ?? (key == keys[0])
        }
        // Sometimes the last keyframe but one, so that much is repeated.
        let key = possible[max(0, possible.count - Int.random(in: 1...2, using: &random))]
        let first = key == keys[0] ? 3 * 188 : max(3, key.packets[0] - 40) * 188
        guard end > first else { return }
        var writer = Splicer.Writer(.resuming(near: tail.videoDTS ?? start, needsKeyframe: false))
        line.write(TransportBytes.split(tables + bytes[first..<end], sizes: 1...9000, using: &random), as: &writer)
    }

    @Test("an encoder resumes at a keyframe, and missing frames before it are counted")
    func needsKeyframe() async throws {
        let bytes = try await RecordedStream.shortGOP.bytes()
        let video = ReferenceUnit.all(bytes).of(.video)
        let line = Line()
        line.write(Array(bytes[..<(video[20].packets[0] * 188)]), .resuming(near: 0, needsKeyframe: true))
        #expect(line.splicer.frames == 20)
        let outcomes = line.write(bytes, .resuming(near: line.splicer.tail.videoDTS!, needsKeyframe: true))
        let joined = outcomes.first { $0.1 == .joined }
        #expect(joined?.0.pts == video[30].pts && line.splicer.lostFrames == 10 && line.splicer.frames >= 139)
        Wire.expectValid(line.output, "")
    }

    @Test("a copy that begins after the end of the feed waits for a keyframe")
    func copyNeedsContact() async throws {
        let bytes = try await RecordedStream.shortGOP.bytes()
        let video = ReferenceUnit.all(bytes).of(.video)
        let line = Line()
        line.write(Array(bytes[..<(video[20].packets[0] * 188)]), .resuming(near: 0, needsKeyframe: false))
        let outcomes = line.write(
            Array(bytes[..<564]) + Array(bytes[(video[23].packets[0] * 188)...]),
            .resuming(near: 0, needsKeyframe: false))
        #expect(outcomes.first { $0.1 == .joined }?.0.pts == video[30].pts && line.splicer.lostFrames == 10)
    }

    @Test("a later writer has joined -> units of an earlier one are dropped")
    func superseded() async throws {
        let bytes = try await RecordedStream.plain.bytes()
        let line = Line()
        var first = Splicer.Writer(.following)
        line.write([bytes], as: &first)
        line.write(bytes, .following)
        #expect(line.write([bytes], as: &first).allSatisfy { $0.1 == .dropped })
        Wire.expectValid(line.output, "")
    }

    @Test("the video codec changes -> an era begins, and readers get all of the one before")
    func eras() async throws {
        let line = Line(fillsSilence: true)
        line.write(try await RecordedStream.hevc.bytes(), .following)
        let hevc = line.feed.makeReader(notAfter: 0)
        line.write(try await RecordedStream.plain.bytes(), .following)
        let h264 = line.feed.makeReader(notAfter: 0)
        let before = hevc.takeAll()
        #expect(hevc.isFinished && line.reader.isFinished)
        line.write(try await RecordedStream.hevc.bytes(), .following)
        let last = line.feed.makeReader(notAfter: 0).takeAll()
        let between = h264.takeAll()
        #expect(h264.isFinished)
        for (bytes, codec) in [(before, "hevc"), (between, "h264"), (last, "hevc")] {
            Wire.expectValid(bytes, codec)
            try await Wire.expectDecodes(bytes, codec)
            let probe = try await MediaProbe.read(.bytes(bytes))
            #expect(probe.video?.codec == codec)
        }
        #expect(ReferenceUnit.all(before).of(.video).count >= 149)
        // The times continue from one era to the next.
        #expect(ReferenceUnit.all(between).of(.video)[0].dts > ReferenceUnit.all(before).of(.video).last!.dts)
        // The tables have a new version.
        let versions = [before, between, last].map(programMapVersion)
        #expect(versions == [0, 1, 2])
    }

    private func programMapVersion(_ bytes: [UInt8]) -> UInt8? {
        TransportBytes.packets(bytes).first { TransportBytes.pid($0) == 0x1000 }.map { Array($0)[10] >> 1 & 0x1F }
    }

    @Test("a frame is shown hours after its decoding -> it is dropped, without silence")
    func absurdReorder() async throws {
        var bytes = try await RecordedStream.bFrames.bytes()
        let video = ReferenceUnit.all(bytes).of(.video)
        for unit in video[20..<25] {
            let packet = unit.packets[0] * 188
            let header = packet + 4 + (bytes[packet + 3] & 0x20 != 0 ? 1 + Int(bytes[packet + 4]) : 0)
            bytes.withUnsafeMutableBufferPointer {
                PESHeader.writeTimestamp(unit.pts + 3_600 * 90_000, marker: 3, to: $0.baseAddress! + header + 9)
            }
        }
        let line = Line(fillsSilence: true)
        line.write(bytes, .following)
        #expect(line.splicer.frames >= 140 && line.splicer.silentFrames < 100)
        Wire.expectValid(line.output, "")
    }

    @Test("a writer's time steps back or far ahead -> the output has no step", arguments: [-3_600, -5, -1, 20, 80_000])
    func steps(_ seconds: Int64) async throws {
        // The same stream at two times; the writer changes from one to the other in the middle.
        let bytes = try await RecordedStream.plain.bytes()
        let start = 30_000 * Ticks.perSecond
        let before = Line(start: start)
        before.write(bytes, .following)
        let after = Line(start: start + seconds * Ticks.perSecond)
        after.write(bytes, .following)
        let cuts = [before, after].map { ReferenceUnit.all($0.output).of(.video)[60].packets[0] * 188 }
        let line = Line(fillsSilence: true)
        line.write(Array(before.output[..<cuts[0]]) + after.output[cuts[1]...], .following)
        Wire.expectValid(line.output, "\(seconds)")
        let output = ReferenceUnit.all(line.output)
        #expect(output.of(.video).count >= 148)
        let video = output.of(.video)
        #expect(zip(video, video.dropFirst()).allSatisfy { $1.dts - $0.dts < 9000 })
        let audio = output.of(.audio)
        #expect(zip(audio, audio.dropFirst()).allSatisfy { $1.pts - $0.pts < 3840 })
        #expect(line.splicer.silentFrames < 30)
    }

    @Test(
        "the feed's timeline passes the wrap, with a join on either side",
        arguments: [RecordedStream.bFrames, .noAudio, .wrapWithBFrames])
    func wraps(_ stream: RecordedStream) async throws {
        let bytes = try await stream.bytes()
        for seconds in [1, 4, 7] as [Int64] {
            let line = Line(fillsSilence: true, start: Ticks.wrap - seconds * Ticks.perSecond)
            line.write(bytes, .following)
            line.write(bytes, .following)
            Wire.expectValid(line.output, "\(seconds)")
            try await Wire.expectDecodes(line.output, "\(seconds)")
            #expect(line.splicer.tail.videoDTS! > Ticks.wrap && line.splicer.frames >= 298)
            // A writer that resumes finds its position from either side.
            let tail = line.splicer.tail.videoDTS!
            let again = line.write(line.output, .resuming(near: tail, needsKeyframe: false))
            #expect(again.allSatisfy { $0.1 == .dropped })
        }
    }

    @Test(
        "a writer joins at an open GOP -> frames that need the previous GOP are dropped",
        arguments: ["libx264", "libx265"])
    func openGOP(_ codec: String) async throws {
        let bytes = try await TestProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=30", "-t", "4", "-c:v", codec, "-preset",
                "fast", "-g", "30",
                "-bf", "3", "-b_strategy", "0", "-sc_threshold", "0", "-x264-params", "open-gop=1", "-x265-params",
                "open-gop=1:log-level=error:scenecut=0",
                "-pix_fmt", "yuv420p", "-f", "mpegts", "pipe:1",
            ]
        ).success("a stream").output
        let video = ReferenceUnit.all(bytes).of(.video)
        var parser = UnitParser()
        let keys = parser.units([bytes]).indices { $0.unit.isKeyframe }.ranges.map(\.lowerBound)
        #expect(keys.count >= 3)
        let line = Line(fillsSilence: true)
        line.write(bytes, .following)
        // The same stream again, from the second keyframe on.
        line.write(Array(bytes[..<564]) + Array(bytes[(video[keys[1]].packets[0] * 188)...]), .following)
        let leading = video[(keys[1] + 1)...].prefix { $0.pts < video[keys[1]].pts }.count
        #expect(leading > 0 && line.splicer.frames >= 2 * video.count - keys[1] - leading - 2)
        Wire.expectValid(line.output, codec)
        let joined = ReferenceUnit.all(line.output).of(.video).dropFirst(video.count - 1)
        #expect(
            Set(joined.map(\.payload)).isDisjoint(with: video[(keys[1] + 1)..<(keys[1] + 1 + leading)].map(\.payload)))
    }
}
