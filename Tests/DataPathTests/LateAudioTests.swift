import MPEGTS
import TestSupport
import Testing

@testable import DataPath

/// Tests the reports of audio that is too far from its video.
@Suite struct LateAudioTests {
    private static let second = Ticks.perSecond

    // MARK: Reports

    /// Audio that is rejected, or accepted, beside video that continues.
    private struct Audio {
        var late = LateAudio()
        var frame = 10 * LateAudioTests.second
        var reported: [Duration] = []

        /// Rejects audio fifty times a second.
        ///
        /// - Parameter showing: The video continues meanwhile.
        mutating func refuse(_ seconds: Double, lag: Double, showing: Bool = true) {
            for _ in 0..<Int(seconds * 50) {
                if showing { frame += LateAudioTests.second / 50 }
                let ticks = Int64((lag * Double(LateAudioTests.second)).rounded())
                if let lag = late.refuse(lag: ticks, beside: frame) { reported.append(lag) }
            }
        }
    }

    @Test(
        "audio that is rejected beside three seconds of video is reported once",
        arguments: [
            (1.5, 1500), (1.46, 1500), (1.44, 1400), (3600, 3_600_000), (-12, -12_000), (-10.97, -11_000),
            (-10.94, -10_900),
        ] as [(Double, Int)])
    func reported(lag: Double, expected: Int) {
        var audio = Audio()
        audio.refuse(3, lag: lag)
        #expect(audio.reported.isEmpty)
        audio.refuse(60, lag: lag)
        #expect(audio.reported == [.milliseconds(expected)])
    }

    @Test("accepted audio begins the count again, and ends a report")
    func taken() {
        var audio = Audio()
        for _ in 0..<20 {
            audio.refuse(2.9, lag: 1.2)
            let wasReported = audio.late.isOver()
            #expect(!wasReported)
        }
        #expect(audio.reported.isEmpty)
        audio.refuse(4, lag: 1.2)
        let wasReported = (audio.late.isOver(), audio.late.isOver())
        #expect(audio.reported.count == 1 && wasReported == (true, false))
        audio.refuse(4, lag: 1.2)
        #expect(audio.reported.count == 2)
    }

    @Test("nothing counts without video, and a pause counts as a second at most")
    func pauses() {
        var audio = Audio()
        audio.refuse(60, lag: -12, showing: false)
        for _ in 0..<2 {
            audio.frame += 3600 * Self.second
            audio.refuse(0.1, lag: -12)
        }
        // The feed's times never go back. If they did, they would not count.
        audio.frame -= 10 * Self.second
        audio.refuse(0.1, lag: -12)
        #expect(audio.reported.isEmpty)
        audio.refuse(3, lag: -12)
        #expect(audio.reported == [.seconds(-12)])
    }

    @Test("a lag that changes by a second is reported again, at most every three seconds")
    func changes() {
        var audio = Audio()
        audio.refuse(4, lag: 1.5)
        audio.refuse(20, lag: 2.4)
        #expect(audio.reported == [.milliseconds(1500)])
        audio.refuse(20, lag: 9)
        #expect(audio.reported == [.milliseconds(1500), .seconds(9)])
        for _ in 0..<300 {
            audio.refuse(0.02, lag: -20)
            audio.refuse(0.02, lag: 20)
        }
        #expect(audio.reported.count <= 7, "\(audio.reported)")
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

        /// Writes a stream, and waits until the data path has read it.
        func write(_ bytes: [UInt8], to writer: Writer) async throws {
            await writer.write(bytes)
            try await eventually("the data path to follow") { writer.waiting == 0 }
            await path.ping()
        }
    }

    /// Makes a stream whose audio is moved against its video, up to the last video frame.
    ///
    /// - Parameter due: Maps the time of a unit of audio to the time of the video frame beside it, both in ticks.
    private func stream(_ seconds: Double, audioDue due: (Int64) -> Int64 = { $0 }) async throws -> [UInt8] {
        let bytes = try await NumberedSource.with {
            ($0.width, $0.height, $0.gop) = (320, 180, 10)
            $0.duration = .seconds(seconds)
        }.bytes()
        let (video, audio) = (0x100, 0x101)
        let times = Dictionary(uniqueKeysWithValues: TransportBytes.timestamps(bytes).map { ($0.packet, $0) })
        // The due time of each stream's present unit. The tables before the first unit stay there.
        var current: [Int: Int64] = [:]
        var packets: [(due: Int64, index: Int, bytes: ArraySlice<UInt8>)] = []
        for (index, packet) in TransportBytes.packets(bytes).enumerated() {
            let pid = TransportBytes.pid(packet)
            if let time = times[index] { current[pid] = pid == audio ? due(Int64(time.pts)) : Int64(time.dts) }
            packets.append((current[pid] ?? current[video] ?? .min, index, packet))
        }
        let end = current[video] ?? 0
        packets.sort { ($0.due, $0.index) < ($1.due, $1.index) }
        return packets.filter { $0.due <= end }.flatMap { Array($0.bytes) }
    }

    /// Returns the reports of late audio.
    private func lateReports(_ reports: Reports<SourceEvent>) -> [SourceEvent] {
        reports.all.filter { if case .lateAudio = $0 { true } else { false } }
    }

    /// Compares a lag. Some video frames may be on their way when the audio is checked.
    private func isAbout(_ seconds: Double, _ event: SourceEvent?) -> Bool {
        guard case .lateAudio(let lag?)? = event else { return false }
        return abs(lag.inSeconds - seconds) < 0.2
    }

    @Test("audio 1.5 s behind its video is reported once, and so is its catching up", .tags(.ffmpeg))
    func catchesUp() async throws {
        let rig = await Rig()
        let (writer, reports) = try await rig.source()
        let bytes = try await stream(10) { max($0, min($0 + 3 * Self.second / 2, 6 * Self.second)) }
        try await rig.write(bytes, to: writer)
        try await reports.wait(for: .lateAudio(nil))
        writer.end()
        try await reports.wait(for: .ended)
        let late = lateReports(reports)
        #expect(late.count == 2 && isAbout(1.5, late.first) && late.last == .lateAudio(nil), "\(late)")
        await rig.path.stop()
    }

    @Test("a report of late audio ends with its source", .tags(.ffmpeg))
    func staysLate() async throws {
        let rig = await Rig()
        let bytes = try await stream(8) { $0 + 3 * Self.second / 2 }
        for _ in 0..<2 {
            let (writer, reports) = try await rig.source()
            try await rig.write(bytes, to: writer)
            writer.end()
            try await reports.wait(for: .ended)
            #expect(lateReports(reports).count == 2 && isAbout(1.5, lateReports(reports).first), "\(reports.all)")
            #expect(reports.all.suffix(2) == [.lateAudio(nil), .ended], "\(reports.all)")
        }
        await rig.path.stop()
    }

    @Test("audio more than ten seconds ahead of its video is reported", .tags(.ffmpeg))
    func ahead() async throws {
        let rig = await Rig()
        let (writer, reports) = try await rig.source()
        try await rig.write(try await stream(18) { $0 - 12 * Self.second }, to: writer)
        try await reports.wait(for: "its audio") { if case .lateAudio = $0 { true } else { false } }
        #expect(isAbout(-12, lateReports(reports).first), "\(reports.all)")
        writer.end()
        await rig.path.stop()
    }

    @Test("audio beside its video is not reported, nor late audio in reserve", .tags(.ffmpeg))
    func notReported() async throws {
        let rig = await Rig()
        let (first, firstReports) = try await rig.source()
        try await rig.write(try await stream(6), to: first)
        let (second, secondReports) = try await rig.source(1)
        try await rig.write(try await stream(8) { $0 + 3 * Self.second / 2 }, to: second)
        for reports in [firstReports, secondReports] { #expect(lateReports(reports).isEmpty, "\(reports.all)") }
        first.end()
        second.end()
        await rig.path.stop()
    }

    @Test("a report of late audio ends when another source goes on air", .tags(.ffmpeg))
    func leavesTheAir() async throws {
        let rig = await Rig()
        let (late, reports) = try await rig.source(1)
        try await rig.write(try await stream(8) { $0 + 3 * Self.second / 2 }, to: late)
        try await reports.wait(for: "its audio") { if case .lateAudio = $0 { true } else { false } }
        let (other, otherReports) = try await rig.source()
        try await rig.write(try await stream(2), to: other)
        try await reports.wait(for: .offAir)
        #expect(lateReports(reports).count == 2 && lateReports(otherReports).isEmpty)
        #expect(reports.all.suffix(2) == [.lateAudio(nil), .offAir], "\(reports.all)")
        late.end()
        other.end()
        await rig.path.stop()
    }
}
