import MPEGTS
import TestSupport
import Testing

@testable import DataPath

/// Sound that is too far from its picture to be taken, and who is told of it.
@Suite struct LateSoundTests {
    private static let second = Ticks.perSecond

    // MARK: What is told

    /// Sound that is refused, or taken, beside pictures that go on.
    private struct Sound {
        var late = LateAudio()
        var picture = 10 * LateSoundTests.second
        var told: [Duration] = []

        /// Has sound refused fifty times a second.
        ///
        /// - Parameter showing: The pictures go on meanwhile.
        mutating func refuse(_ seconds: Double, lag: Double, showing: Bool = true) {
            for _ in 0..<Int(seconds * 50) {
                if showing { picture += LateSoundTests.second / 50 }
                let ticks = Int64((lag * Double(LateSoundTests.second)).rounded())
                if let lag = late.refuse(lag: ticks, beside: picture) { told.append(lag) }
            }
        }
    }

    @Test(
        "sound of which nothing is taken beside three seconds of pictures is told once, to a tenth of a second",
        arguments: [
            (1.5, 1500), (1.46, 1500), (1.44, 1400), (3600, 3_600_000), (-12, -12_000), (-10.97, -11_000),
            (-10.94, -10_900),
        ] as [(Double, Int)])
    func told(lag: Double, expected: Int) {
        var sound = Sound()
        sound.refuse(3, lag: lag)
        #expect(sound.told.isEmpty)
        sound.refuse(60, lag: lag)
        #expect(sound.told == [.milliseconds(expected)])
    }

    @Test("sound that is taken in between is not told, and after it was told that is over")
    func taken() {
        var sound = Sound()
        for _ in 0..<20 {
            sound.refuse(2.9, lag: 1.2)
            let wasTold = sound.late.isOver()
            #expect(!wasTold)
        }
        #expect(sound.told.isEmpty)
        sound.refuse(4, lag: 1.2)
        let wasTold = (sound.late.isOver(), sound.late.isOver())
        #expect(sound.told.count == 1 && wasTold == (true, false))
        sound.refuse(4, lag: 1.2)
        #expect(sound.told.count == 2)
    }

    @Test("nothing is counted while no picture comes, and a pause counts for no more than a second")
    func pauses() {
        var sound = Sound()
        sound.refuse(60, lag: -12, showing: false)
        for _ in 0..<2 {
            sound.picture += 3600 * Self.second
            sound.refuse(0.1, lag: -12)
        }
        // The feed's pictures never go back, and would count for nothing.
        sound.picture -= 10 * Self.second
        sound.refuse(0.1, lag: -12)
        #expect(sound.told.isEmpty)
        sound.refuse(3, lag: -12)
        #expect(sound.told == [.seconds(-12)])
    }

    @Test("a lag that changes by a second is told again, and no more often than every three seconds")
    func changes() {
        var sound = Sound()
        sound.refuse(4, lag: 1.5)
        sound.refuse(20, lag: 2.4)
        #expect(sound.told == [.milliseconds(1500)])
        sound.refuse(20, lag: 9)
        #expect(sound.told == [.milliseconds(1500), .seconds(9)])
        for _ in 0..<300 {
            sound.refuse(0.02, lag: -20)
            sound.refuse(0.02, lag: 20)
        }
        #expect(sound.told.count <= 7, "\(sound.told)")
    }

    // MARK: In a channel

    /// A channel with sources of H.264 and AAC.
    private struct Rig {
        let path = DataPath(mostAhead: .seconds(3600))

        init() async {
            await path.addChannel("main", patience: .seconds(600), slateDelay: .seconds(600))
            await path.start()
        }

        func source(_ priority: Int = 0) async throws -> (Writer, Reports<SourceEvent>) {
            let reports = Reports<SourceEvent>()
            let (_, end) = try await path.attachSource(to: "main", priority: priority) { reports.add($0) }
            return (Writer(end), reports)
        }

        /// Writes a stream, and waits until it has been taken.
        func write(_ bytes: [UInt8], to writer: Writer) async throws {
            await writer.write(bytes)
            try await eventually("the data path to follow") { writer.waiting == 0 }
            await path.ping()
        }
    }

    /// A stream in another order, up to its last picture.
    ///
    /// - Parameter due: Beside the picture of which time sound of this time stands; both in ticks.
    private func stream(_ seconds: Double, soundDue due: (Int64) -> Int64 = { $0 }) async throws -> [UInt8] {
        let bytes = try await NumberedSource.with {
            ($0.width, $0.height, $0.gop) = (320, 180, 10)
            $0.duration = .seconds(seconds)
        }.bytes()
        let (pictures, sound) = (0x100, 0x101)
        let times = Dictionary(uniqueKeysWithValues: TransportBytes.timestamps(bytes).map { ($0.packet, $0) })
        // What each stream's unit is due by; the tables before the first one stay there.
        var current: [Int: Int64] = [:]
        var packets: [(due: Int64, index: Int, bytes: ArraySlice<UInt8>)] = []
        for (index, packet) in TransportBytes.packets(bytes).enumerated() {
            let pid = TransportBytes.pid(packet)
            if let time = times[index] { current[pid] = pid == sound ? due(Int64(time.pts)) : Int64(time.dts) }
            packets.append((current[pid] ?? current[pictures] ?? .min, index, packet))
        }
        let end = current[pictures] ?? 0
        packets.sort { ($0.due, $0.index) < ($1.due, $1.index) }
        return packets.filter { $0.due <= end }.flatMap { Array($0.bytes) }
    }

    /// What was told of late sound.
    private func told(_ reports: Reports<SourceEvent>) -> [SourceEvent] {
        reports.all.filter { if case .lateAudio = $0 { true } else { false } }
    }

    /// Some pictures are on their way where the sound is looked at.
    private func isAbout(_ seconds: Double, _ event: SourceEvent?) -> Bool {
        guard case .lateAudio(let lag?)? = event else { return false }
        return abs(lag.inSeconds - seconds) < 0.2
    }

    @Test("sound that comes 1.5 s behind its picture is told once, and that it has caught up", .tags(.ffmpeg))
    func catchesUp() async throws {
        let rig = await Rig()
        let (writer, reports) = try await rig.source()
        let bytes = try await stream(10) { max($0, min($0 + 3 * Self.second / 2, 6 * Self.second)) }
        try await rig.write(bytes, to: writer)
        try await reports.wait(for: .lateAudio(nil))
        writer.end()
        try await reports.wait(for: .ended)
        let told = told(reports)
        #expect(told.count == 2 && isAbout(1.5, told.first) && told.last == .lateAudio(nil), "\(told)")
        await rig.path.stop()
    }

    @Test("sound that is late to the end is told until then, and begins anew with the next source", .tags(.ffmpeg))
    func staysLate() async throws {
        let rig = await Rig()
        let bytes = try await stream(8) { $0 + 3 * Self.second / 2 }
        for _ in 0..<2 {
            let (writer, reports) = try await rig.source()
            try await rig.write(bytes, to: writer)
            writer.end()
            try await reports.wait(for: .ended)
            #expect(told(reports).count == 2 && isAbout(1.5, told(reports).first), "\(reports.all)")
            #expect(reports.all.suffix(2) == [.lateAudio(nil), .ended], "\(reports.all)")
        }
        await rig.path.stop()
    }

    @Test("sound that comes more than ten seconds ahead of its picture is told", .tags(.ffmpeg))
    func ahead() async throws {
        let rig = await Rig()
        let (writer, reports) = try await rig.source()
        try await rig.write(try await stream(18) { $0 - 12 * Self.second }, to: writer)
        try await reports.wait(for: "its sound") { if case .lateAudio = $0 { true } else { false } }
        #expect(isAbout(-12, told(reports).first), "\(reports.all)")
        writer.end()
        await rig.path.stop()
    }

    @Test("sound beside its picture is not told, and late sound of a source in reserve neither", .tags(.ffmpeg))
    func notTold() async throws {
        let rig = await Rig()
        let (first, firstReports) = try await rig.source()
        try await rig.write(try await stream(6), to: first)
        let (second, secondReports) = try await rig.source(1)
        try await rig.write(try await stream(8) { $0 + 3 * Self.second / 2 }, to: second)
        for reports in [firstReports, secondReports] { #expect(told(reports).isEmpty, "\(reports.all)") }
        first.end()
        second.end()
        await rig.path.stop()
    }

    @Test("what was told of a source's sound is over when another one takes the air", .tags(.ffmpeg))
    func leavesTheAir() async throws {
        let rig = await Rig()
        let (late, reports) = try await rig.source(1)
        try await rig.write(try await stream(8) { $0 + 3 * Self.second / 2 }, to: late)
        try await reports.wait(for: "its sound") { if case .lateAudio = $0 { true } else { false } }
        let (other, otherReports) = try await rig.source()
        try await rig.write(try await stream(2), to: other)
        try await reports.wait(for: .offAir)
        #expect(told(reports).count == 2 && told(otherReports).isEmpty)
        #expect(reports.all.suffix(2) == [.lateAudio(nil), .offAir], "\(reports.all)")
        late.end()
        other.end()
        await rig.path.stop()
    }
}
