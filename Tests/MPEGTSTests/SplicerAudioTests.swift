import TestSupport
import Testing

@testable import MPEGTS

@Suite(.tags(.ffmpeg)) struct SplicerAudioTests {
    private func line(_ bytes: [UInt8]) -> Line {
        let line = Line(fillsSilence: true)
        line.write(bytes, .following)
        return line
    }

    /// The bytes without the audio units whose number `isGone` accepts.
    private func without(_ bytes: [UInt8], _ isGone: (Int) -> Bool) -> [UInt8] {
        let gone = Set(
            ReferenceUnit.all(bytes).of(.audio).enumerated().filter { isGone($0.offset) }.flatMap(\.element.packets))
        return TransportBytes.packets(bytes).enumerated().filter { !gone.contains($0.offset) }.flatMap {
            Array($0.element)
        }
    }

    @Test("a program without audio gets silence from the first frame on, without a gap")
    func noAudio() async throws {
        for stream in [RecordedStream.noAudio, .mp2] {
            let line = line(try await stream.bytes())
            let output = ReferenceUnit.all(line.output)
            let audio = output.of(.audio)
            let video = output.of(.video)
            #expect(audio.first?.pts == video.first?.pts)
            #expect(zip(audio, audio.dropFirst()).allSatisfy { $1.pts - $0.pts == 1920 })
            #expect(audio.last!.pts > video.last!.pts - 2 * 1920 && audio.last!.pts + 1920 <= video.last!.pts)
            #expect(audio.allSatisfy { $0.payload == ADTS.silence } && line.splicer.silentFrames == audio.count)
            Wire.expectValid(line.output, "\(stream)")
            try await Wire.expectDecodes(line.output, "\(stream)")
            let probe = try await MediaProbe.read(.bytes(line.output))
            #expect(probe.audio?.codec == "aac" && probe.audio?.sampleRate == 48_000 && probe.audio?.channels == 2)
        }
    }

    @Test("audio starts late or stops -> silence fills it, and the audio comes back")
    func bridges() async throws {
        // A unit of this stream has two or more audio frames.
        let bytes = try await RecordedStream.plain.bytes()
        let units = ReferenceUnit.all(bytes).of(.audio)
        let third = units.count / 3
        let gaps: [(String, (Int) -> Bool)] = [
            ("late", { $0 < third }), ("gone", { $0 >= third }), ("gap", { $0 >= third && $0 < 2 * third }),
            ("never", { _ in true }),
            ("one", { $0 == third }),
        ]
        for (name, isGone) in gaps {
            let line = line(without(bytes, isGone))
            let output = ReferenceUnit.all(line.output)
            let audio = output.of(.audio)
            let video = output.of(.video)
            Wire.expectValid(line.output, name)
            try await Wire.expectDecodes(line.output, name)
            #expect(audio.first!.pts <= video.first!.pts + 1920, "\(name)")
            // After a second of patience, the audio is never further behind the video.
            #expect(audio.last!.pts >= video.last!.pts - Ticks.perSecond, "\(name)")
            var end = audio[0].pts
            for unit in audio {
                #expect(unit.pts - end < 1920 && unit.pts >= end - 1045, "\(name): \(unit.pts - end)")
                end = unit.pts + unit.audioDuration
            }
            // Every unit is there, except those that silence had already passed.
            let kept = Set(units.enumerated().filter { !isGone($0.offset) }.map(\.element.payload))
            let missing = kept.subtracting(audio.map(\.payload))
            #expect(missing.count <= 1, "\(name): \(missing.count) missing")
        }
    }

    @Test("late audio stalls once -> silence does not replace it for good")
    func lags() async throws {
        // In mono: its quiet frames have other bytes than the silence.
        var source = RecordedStream.plain.source
        source.isMono = true
        let bytes = try await source.bytes()
        let audio = ReferenceUnit.all(bytes).of(.audio)
        let packets = TransportBytes.packets(bytes).map(Array.init)
        // Each audio unit arrives 20 frames later. From the middle on, no unit arrives for a second and a half, then
        // all at once.
        let owner = Dictionary(
            uniqueKeysWithValues: audio.enumerated().flatMap { unit in unit.element.packets.map { ($0, unit.offset) } })
        let video = ReferenceUnit.all(bytes).of(.video)
        let starts = Dictionary(uniqueKeysWithValues: video.enumerated().map { ($0.element.packets[0], $0.offset) })
        var waiting: [(due: Int, unit: Int)] = []
        var late: [UInt8] = []
        var frame = 0
        for (number, packet) in packets.enumerated() {
            if let start = starts[number] {
                frame = start
                while let first = waiting.first, first.due <= frame {
                    for number in audio[first.unit].packets { late += packets[number] }
                    waiting.removeFirst()
                }
            }
            if let unit = owner[number] {
                if audio[unit].packets[0] == number {
                    waiting.append((due: (60..<105).contains(frame + 20) ? 105 : frame + 20, unit: unit))
                }
            } else {
                late += packet
            }
        }
        let line = line(late)
        Wire.expectValid(line.output, "")
        let units = ReferenceUnit.all(line.output).of(.audio)
        // At the end the real audio is back.
        #expect(units.suffix(3).allSatisfy { $0.payload != ADTS.silence })
        #expect(line.splicer.silentFrames > 10 && line.splicer.silentFrames < 130)
    }

    @Test(
        "audio is dropped for its time -> its distance to the video is reported",
        arguments: [
            (1.5, 0, 1.5), (0.3, 0, nil), (-9, 0, nil), (-12, 0, -12),
            // The video jumps, and the audio never does.
            (0, 30, 30),
        ] as [(Double, Double, Double?)])
    func lag(lag: Double, jump: Double, expected: Double?) {
        func ticks(_ seconds: Double) -> Int64 { Int64(seconds * Double(Ticks.perSecond)) }
        var bytes = SyntheticFrames.tables
        for number in 0..<150 {
            let time = ticks(100) + Int64(number) * 3000
            let pts = time + (number < 60 ? 0 : ticks(jump))
            let frame = SyntheticFrames.Frame(pts: pts, dts: pts, isKeyframe: number % 30 == 0)
            let counter = UInt8(number & 15)
            bytes += SyntheticFrames.packet(frame, counter: counter)
            bytes += SyntheticFrames.audio(pts: time - ticks(lag), counter: counter)
        }
        let line = Line(fillsSilence: true)
        var writer = Splicer.Writer(.following)
        var parser = UnitParser()
        var lags: [Int64?] = []
        parser.read([bytes]) { unit, parser in
            if unit.kind == .video { line.now += 3000 }
            let outcome = line.splicer.accept(unit, of: &writer, from: parser, now: line.now)
            line.drain()
            let lag = line.splicer.refusedLag
            #expect(lag == nil || (unit.kind == .audio && outcome == .dropped))
            if unit.kind == .audio { lags.append(lag) }
        }
        #expect(lags.count == 150 && lags.suffix(60).allSatisfy { $0 == expected.map(ticks) }, "\(lags)")
    }

    @Test("audio timestamps rounded to milliseconds -> no frame is lost", arguments: [48_000, 44_100, 22_050])
    func milliseconds(_ rate: Int) async throws {
        let flv = try await TestProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=30", "-f", "lavfi", "-i", "sine=r=\(rate)",
                "-t", "10",
                "-c:v", "libx264", "-preset", "ultrafast", "-g", "30", "-c:a", "aac", "-ar", "\(rate)", "-f", "flv",
                "pipe:1",
            ]
        ).success("a stream").output
        for size in ["0", "2930"] {
            let bytes = try await TestProcess.run(
                "ffmpeg",
                [
                    "-v", "error", "-f", "flv", "-i", "pipe:0", "-c", "copy", "-pes_payload_size", size, "-f", "mpegts",
                    "pipe:1",
                ],
                input: .bytes(flv)
            ).success("a relay").output
            let input = ReferenceUnit.all(bytes).of(.audio)
            let line = line(bytes)
            let output = ReferenceUnit.all(line.output).of(.audio)
            let firstFrame = ReferenceUnit.all(bytes).of(.video)[0].packets[0]
            let expected = input.filter { $0.packets[0] > firstFrame }.map(\.payload)
            let units = output.map(\.payload).filter { $0 != ADTS.silence }
            #expect(units == expected || units == expected.dropLast(), "\(size): \(units.count) of \(expected.count)")
            #expect(line.splicer.silentFrames <= 3)
            Wire.expectValid(line.output, "\(rate), \(size)")
            try await Wire.expectDecodes(line.output, "\(rate), \(size)")
        }
    }

    @Test("a break of hours is not filled; audio begins again with the video")
    func longBreak() async throws {
        let bytes = try await RecordedStream.plain.bytes()
        let line = line(bytes)
        line.now += 3 * 3_600 * Ticks.perSecond
        line.write(bytes, .following)
        #expect(line.splicer.silentFrames < 60)
        Wire.expectValid(line.output, "")
        let audio = ReferenceUnit.all(line.output).of(.audio)
        #expect(audio.last!.pts - audio[0].pts > 3 * 3_600 * Ticks.perSecond)
    }
}
