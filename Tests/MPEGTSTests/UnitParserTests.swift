import MediaTypes
import TestSupport
import Testing

@testable import MPEGTS

@Suite struct UnitParserTests {
    /// The streams whose audio and video a feed can carry.
    static let whole: [RecordedStream] = [
        .plain, .shortGOP, .bFrames, .noAudio, .hevc, .otherPIDs, .tablesAtFrames, .initialDiscontinuity,
        .noRandomAccess,
        .constantRate, .wrap, .wrapWithBFrames, .busy,
    ]

    @Test("every unit is found once, whole and in order, however the bytes are split", arguments: whole)
    func cuts(_ stream: RecordedStream) async throws {
        let bytes = try await stream.bytes()
        var random = SeededRandom()
        for sizes in [1...1, 1...400, 188...188, 1...100_000] {
            var parser = UnitParser()
            let found = parser.units(TransportBytes.split(bytes, sizes: sizes, using: &random))
            let reference = ReferenceUnit.all(bytes)
            for kind in [StreamKind.video, .audio] {
                var expected = reference.of(kind)
                let got = found.filter { $0.unit.kind == kind }
                // The end of the last unit is not known.
                if let last = expected.last, !last.isEvident { expected.removeLast() }
                #expect(got.map(\.payload) == expected.map(\.payload), "\(random.hint)")
                #expect(
                    got.map(\.unit.pts) == expected.map(\.pts) && got.map(\.unit.dts) == expected.map(\.dts),
                    "\(random.hint)")
            }
            #expect(parser.losses == UnitParser.Losses(), "\(random.hint)")
        }
    }

    @Test("keyframes are found with and without the random access indicator", arguments: whole)
    func keyframes(_ stream: RecordedStream) async throws {
        var parser = UnitParser()
        let video = parser.units([try await stream.bytes()]).filter { $0.unit.kind == .video }
        let keys = video.indices.filter { video[$0].unit.isKeyframe }
        #expect(keys == Array(stride(from: 0, to: video.count, by: stream.source.gop)))
        let found = parser.videoFormat
        let format = try #require(found)
        #expect((format.width, format.height) == (640, 360))
        #expect(format.codec == (stream == .hevc ? .hevc : .h264))
        if format.codec == .h264 { #expect(format.frameRate.map { $0.numerator / $0.denominator } == 30) }
    }

    @Test(
        "a unit loses a packet -> it is dropped, and all others are intact",
        arguments: [RecordedStream.busy, .bFrames, .hevc, .constantRate])
    func loss(_ stream: RecordedStream) async throws {
        let bytes = try await stream.bytes()
        let reference = ReferenceUnit.all(bytes)
        withSeededRandomNow { random in
            for _ in 0..<5 {
                let (damaged, dropped) = TransportBytes.drop(bytes, chance: 0.01, using: &random)
                let lost = Set(dropped)
                var parser = UnitParser()
                let found = parser.units(TransportBytes.split(damaged, using: &random))
                for kind in [StreamKind.video, .audio] {
                    let units = reference.of(kind)
                    let got = found.filter { $0.unit.kind == kind }.map(\.payload)
                    // Before the tables the streams are not known; the first packets contain them.
                    let must = units.indices.filter { index in
                        units[index].packets[0] > 2 && lost.isDisjoint(with: units[index].packets)
                            && lost.isDisjoint(with: 0..<4)
                            && (units[index].isEvident
                                || index + 1 < units.count && !lost.contains(units[index + 1].packets[0]))
                    }
                    let arrived = Set(got)
                    let missing = must.filter { !arrived.contains(units[$0].payload) }
                    #expect(missing.isEmpty, "\(random.hint)")
                    // In order, and each at most once.
                    var next = 0
                    for payload in got {
                        while next < units.count, units[next].payload != payload { next += 1 }
                        #expect(next < units.count, "a unit that was not sent; \(random.hint)")
                        next += 1
                    }
                }
            }
        }
    }

    @Test(
        "garbage between packets costs no unit, however the bytes are split",
        arguments: [RecordedStream.busy, .hevc])
    func garbage(_ stream: RecordedStream) async throws {
        let bytes = try await stream.bytes()
        withSeededRandomNow { random in
            for _ in 0..<10 {
                var dirty: [UInt8] = []
                var added = 0
                var clean = 0
                let packets = TransportBytes.packets(bytes)
                for (number, packet) in packets.enumerated() {
                    clean += 1
                    if clean > 8, number < packets.count - 4, Int.random(in: 0..<40, using: &random) == 0 {
                        let count = Int.random(in: 1...500, using: &random)
                        var dirt = (0..<count).map { _ in UInt8.random(in: 0..<0x47, using: &random) }
                        // Often with a false sync byte first, but not with two that are a packet apart.
                        if Bool.random(using: &random), count >= 188 || packet[packet.startIndex + 188 - count] != 0x47
                        {
                            dirt[0] = 0x47
                        }
                        // And not on a PID that is in use.
                        if count > 1 { dirt[1] = 0x1F }
                        dirty += dirt
                        added += count
                        clean = 0
                    }
                    dirty += packet
                }
                var whole = UnitParser()
                let once = whole.units([dirty])
                var cut = UnitParser()
                let again = cut.units(TransportBytes.split(dirty, sizes: 1...700, using: &random))
                let isSame = once.map(\.packets) == again.map(\.packets)
                #expect(isSame && whole.losses == cut.losses, "\(random.hint)")
                var undisturbed = UnitParser()
                let expected = undisturbed.units([bytes])
                let isUnharmed = once.map(\.packets) == expected.map(\.packets)
                #expect(isUnharmed, "\(once.count) of \(expected.count), \(whole.losses); \(random.hint)")
                #expect(added > 0 && whole.losses.garbageBytes <= added, "\(random.hint)")
            }
        }
    }

    @Test("a stream begins in the middle of a packet -> its units are found")
    func beginsAnywhere() async throws {
        let bytes = try await RecordedStream.tablesAtFrames.bytes()
        withSeededRandomNow { random in
            for _ in 0..<20 {
                let cut = Int.random(in: 1...bytes.count / 2, using: &random)
                var parser = UnitParser()
                let found = parser.units([Array(bytes[cut...])])
                let rest = ReferenceUnit.all(Array(bytes[((cut + 187) / 188 * 188)...])).of(.video)
                #expect(
                    found.filter { $0.unit.kind == .video }.count >= rest.count - 4, "cut at \(cut); \(random.hint)")
            }
        }
    }

    @Test("a repeated packet counts once")
    func repeated() async throws {
        let bytes = try await RecordedStream.busy.bytes()
        let twice = TransportBytes.packets(bytes).flatMap { Array($0) + Array($0) }
        var parser = UnitParser()
        var reference = UnitParser()
        let found = parser.units([twice])
        #expect(found.map(\.packets) == reference.units([bytes]).map(\.packets))
        #expect(parser.losses.damagedUnits == 0)
    }

    @Test("a burst of lost packets is not mistaken for a repeated packet", arguments: [14, 15, 17, 31])
    func burst(_ count: Int) async throws {
        let bytes = try await RecordedStream.busy.bytes()
        let reference = ReferenceUnit.all(bytes).of(.video)
        let payloads = Set(reference.map(\.payload))
        let packets = TransportBytes.packets(bytes)
        for unit in reference.dropFirst(5).prefix(20) where unit.packets.count > 2 {
            // So many packets of the frame, from the middle of the unit on.
            var left = count
            let kept = packets.enumerated().filter { number, packet in
                guard number > unit.packets[1], left > 0, TransportBytes.pid(packet) == 256 else { return true }
                left -= 1
                return false
            }
            var parser = UnitParser()
            let found = parser.units([kept.flatMap { Array($0.element) }]).filter { $0.unit.kind == .video }
            #expect(found.count < reference.count && found.allSatisfy { payloads.contains($0.payload) })
        }
    }

    @Test("a new version of the same tables has no effect")
    func tableVersion() async throws {
        let bytes = try await RecordedStream.tablesAtFrames.bytes()
        var changed = bytes
        TransportBytes.setTableVersion(&changed, to: 7)
        let half = bytes.count / 376 * 188
        let mixed = Array(bytes[..<half] + changed[half...])
        var parser = UnitParser()
        var programs: [Program] = []
        var units = 0
        parser.read([mixed], program: { programs.append($0) }, found: { _, _ in units += 1 })
        var reference = UnitParser()
        #expect(programs.count == 1 && units == reference.units([bytes]).count)
    }

    @Test("the program moves to other PIDs -> its units are found")
    func otherProgram() async throws {
        let first = try await RecordedStream.plain.bytes()
        let second = try await RecordedStream.otherPIDs.bytes()
        var parser = UnitParser()
        var programs: [Program] = []
        var video = 0
        parser.read(
            [first, second], program: { programs.append($0) },
            found: { unit, _ in video += unit.kind == .video ? 1 : 0 })
        #expect(programs.map(\.video?.pid) == [0x100, 0x200])
        #expect(video >= 298 && video <= 300)
    }

    @Test(
        "streams that a feed cannot carry are reported by their type",
        arguments: [RecordedStream.mp2: 0x03 as UInt8, .ac3: 0x81])
    func foreign(_ stream: RecordedStream, _ type: UInt8) async throws {
        var parser = UnitParser()
        _ = parser.units([try await stream.bytes()])
        let found = parser.program
        let program = try #require(found)
        #expect(program.audio == nil && program.foreign == [type])
        #expect(program.hasForeignAudio && !program.hasForeignVideo)
    }

    @Test("any input -> memory stays within the limit of the largest unit", arguments: [true, false])
    func bound(_ opensFrame: Bool) async throws {
        let bytes = try await RecordedStream.plain.bytes()
        let packets = TransportBytes.packets(bytes)
        let video = try #require(packets.first { TransportBytes.pid($0) == 256 })
        var parser = UnitParser(capacity: 64 << 10, largestUnit: 1 << 20)
        _ = parser.units([Array(bytes[..<(188 * 3)]) + Array(video)])
        // A frame that never ends, and more and more data in it or beside it.
        var other = [UInt8](repeating: 0xFF, count: 188)
        other.replaceSubrange(0..<4, with: [0x47, opensFrame ? 0x1F : 0x01, opensFrame ? 0xFE : 0x00, 0x10])
        var most = 0
        for round in 0..<200 {
            var block: [UInt8] = []
            for index in 0..<300 {
                if !opensFrame {
                    other[3] = 0x10 | UInt8((round * 300 + index + Int(video[video.startIndex + 3]) + 1) & 0x0F)
                }
                block += other
            }
            _ = parser.units([block])
            most = max(most, parser.capacity)
        }
        #expect(most <= 4 << 20)
        #expect(parser.losses.damagedUnits > 0)
    }

    @Test("random bytes and packets -> no crash")
    func hostile() async throws {
        let bytes = try await RecordedStream.plain.bytes()
        withSeededRandomNow { random in
            for _ in 0..<30 {
                var dirty = Array(bytes.prefix(188 * 400))
                for _ in 0..<Int.random(in: 1...2000, using: &random) {
                    // Mostly headers.
                    let packet = Int.random(in: 3..<dirty.count / 188, using: &random) * 188
                    dirty[packet + Int.random(in: 1..<(Bool.random(using: &random) ? 24 : 188), using: &random)] =
                        UInt8.random(in: 0...255, using: &random)
                }
                let line = Line(fillsSilence: true, limits: Feed.Limits(bytes: 1 << 20, maximumBytes: 1 << 20))
                var writer = Splicer.Writer(.following)
                line.write(TransportBytes.split(dirty, using: &random), as: &writer)
                #expect(line.splicer.silentFrames < 50_000, "\(random.hint)")
            }
        }
    }

    @Test("a header with more timestamps than space is rejected")
    func shortHeader() {
        // The flags declare PTS and DTS, but there are only five bytes.
        var bytes: [UInt8] = [0, 0, 1, 0xE0, 0, 0, 0x80, 0xC0, 5, 0x31, 0, 1, 0, 1]
        #expect(PESHeader(&bytes, count: bytes.count) == nil)
        bytes[7] = 0x80
        #expect(PESHeader(&bytes, count: bytes.count)?.pts == 0)
        bytes[8] = 4
        #expect(PESHeader(&bytes, count: bytes.count) == nil)
    }

    @Test("a muxer pads packets in the middle of a frame -> only one frame is lost")
    func stuffsAnywhere() async throws {
        // The first packet of every frame is split in two, and the first half is padded.
        let bytes = try await RecordedStream.noAudio.bytes()
        var counter: UInt8 = 0
        var changed: [UInt8] = []
        for slice in TransportBytes.packets(bytes) {
            var packet = Array(slice)
            guard TransportBytes.pid(slice) == 256 else {
                changed += packet
                continue
            }
            if packet[1] & 0x40 != 0, packet[3] & 0x20 == 0 {
                var first = packet
                let half = 40
                first =
                    Array(packet[..<4]) + [UInt8(183 - half), 0] + [UInt8](repeating: 0xFF, count: 182 - half)
                    + packet[4..<4 + half]
                first[3] = 0x30 | counter
                counter = (counter + 1) & 0x0F
                changed += first
                let rest = Array(packet[(4 + half)...])
                packet =
                    Array(packet[..<4]) + [UInt8(183 - rest.count), 0]
                    + [UInt8](repeating: 0xFF, count: 182 - rest.count) + rest
                packet[1] &= 0xBF
                packet[3] = 0x30
            }
            packet[3] = packet[3] & 0xF0 | counter
            counter = (counter + 1) & 0x0F
            changed += packet
        }
        #expect(changed.count > bytes.count && changed.count % 188 == 0)
        var parser = UnitParser()
        let found = Set(parser.units([changed]).map(\.payload))
        let expected = ReferenceUnit.all(bytes).map(\.payload)
        #expect(expected.count { found.contains($0) } >= expected.count - 2)
        #expect(parser.losses.damagedUnits == 1)
    }
}
