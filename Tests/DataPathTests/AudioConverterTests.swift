import EventLoop
import Foundation
import MPEGTS
import TestSupport
import Testing

@testable import DataPath

/// Tests audio conversion with fake processes and real pipes.
@Suite struct AudioConverterTests {
    /// A source whose audio a process converts. Its state belongs to the loop's thread.
    private final class FakePublisher: UnitReader, @unchecked Sendable {
        private var parser = UnitParser()
        private weak var owner: (any UnitReaderDelegate)?
        private var loop: EventLoop?
        private var converters: [any AudioSink] = []
        /// All messages, converted or not.
        private var given: [(message: [UInt8], time: Int64)] = []
        private var frames = 0

        func begin(_ owner: any UnitReaderDelegate, _ loop: EventLoop) -> any UnitReader {
            (self.owner, self.loop) = (owner, loop)
            return self
        }

        func keep() {}
        func hold() {}
        func release() {}
        func rest(until time: Int64) {}
        func wait(until time: Int64) {}
        var isBehind: Bool { false }
        func drain() {}
        func close() {}
        func addConverter(_ converter: any AudioSink) {
            converters.append(converter)
            guard let start = converter.replayStart else { return }
            for (message, time) in given where time >= start { _ = give(message, at: time, to: converter) }
        }

        func removeConverter(_ converter: any AudioSink) { converters.removeAll { $0 === converter } }

        private func onLoop<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
            await withCheckedContinuation { continuation in
                loop?.execute { continuation.resume(returning: body()) }
            }
        }

        /// How many processes convert its audio.
        var convertersCount: Int { get async { await onLoop { [self] in converters.count } } }
        var isConverted: Bool { get async { await convertersCount > 0 } }

        /// Gives the next video frame. The first one is a keyframe.
        ///
        /// - Parameter time: In ticks.
        func frame(at time: Int64) async {
            await onLoop { [self] in
                guard let owner else { return }
                let bytes = FakeFrames.encoded(frames, by: 0, index: frames, time: time)
                frames += 1
                let taken = bytes.withUnsafeBytes { parser.append($0) }
                precondition(taken == bytes.count)
                while let event = parser.next() {
                    switch event {
                    case .program(let program): owner.unitReader(self, found: program)
                    case .unit(let unit): owner.unitReader(self, found: unit, in: parser, now: EventLoop.now())
                    }
                }
                owner.unitReaderPaused(self, sawVideo: true)
            }
        }

        func announce(_ audio: ForeignAudio?) async {
            await onLoop { [self] in owner?.unitReader(self, hasForeignAudio: audio) }
        }

        /// Gives a message of audio, in three pieces.
        ///
        /// - Returns: Its timestamp for the newest process; `nil` where no process converts it.
        @discardableResult
        func audio(_ message: [UInt8], at time: Int64) async -> UInt32? {
            await onLoop { [self] in give(message, at: time) }
        }

        /// Gives small messages without a pause between them, and moves the time to their end.
        func audio(_ count: Int, every step: Int64, from time: inout Int64) async {
            let start = time
            await onLoop { [self] in
                for number in 0..<count { _ = give([1], at: start + Int64(number) * step) }
            }
            time += Int64(count) * step
        }

        private func give(_ message: [UInt8], at time: Int64) -> UInt32? {
            given.append((message, time))
            return converters.map { give(message, at: time, to: $0) }.last
        }

        private func give(_ message: [UInt8], at time: Int64, to converter: any AudioSink) -> UInt32 {
            let stamp = converter.timestamp(forMessageAt: time)
            message.withUnsafeBytes { bytes in
                let (first, last) = (bytes.count / 3, bytes.count - bytes.count / 3)
                converter.write(
                    UnsafeRawBufferPointer(rebasing: bytes[..<first]),
                    UnsafeRawBufferPointer(rebasing: bytes[first..<last]),
                    UnsafeRawBufferPointer(rebasing: bytes[last...]))
            }
            return stamp
        }
    }

    /// Makes audio frames in MPEG-TS, as a process gives them, that differ from silence.
    private enum FakeAudio {
        private static let mark: [UInt8] = [0xAB, 0xCD, 0xEF]

        /// - Parameters:
        ///   - pts: In ticks.
        ///   - isOther: 44.1 kHz, and not 48.
        static func frame(_ number: Int, pts: Int64, isOther: Bool = false) -> [UInt8] {
            let header: [UInt8] = [0xFF, 0xF1, isOther ? 0x50 : 0x4C, 0x80, 0x01, 0xBF, 0xFC]
            let frame = header + mark + [0, 0, UInt8(number)]
            let time = UInt64(bitPattern: pts) & 0x1_FFFF_FFFF
            let start: [UInt8] = [
                0, 0, 1, 0xC0, 0, UInt8(frame.count + 8), 0x80, 0x80, 5, 0x21 | UInt8(time >> 29 & 0x0E),
                UInt8(time >> 22 & 0xFF), 0x01 | UInt8(time >> 14 & 0xFE), UInt8(time >> 7 & 0xFF),
                0x01 | UInt8(time << 1 & 0xFE),
            ]
            let stuffing = TransportBytes.packetSize - 4 - start.count - frame.count
            let packet: [UInt8] = [0x47, 0x41, 0x00, 0x30 | UInt8(number & 0x0F), UInt8(stuffing - 1), 0]
            let filler = [UInt8](repeating: 0xFF, count: stuffing - 2)
            return packet + filler + start + frame
        }

        static let tables =
            FakeFrames.table(pid: 0, 0x00, [0, 1, 0xF0, 0x00])
            + FakeFrames.table(pid: 0x1000, 0x02, [0xE1, 0x00, 0xF0, 0x00, 0x0F, 0xE1, 0x00, 0xF0, 0x00])

        /// Returns the frames in a feed, with their times in ticks.
        static func frames(in bytes: [UInt8]) -> [(number: Int, pts: Int64)] {
            let packets = TransportBytes.packets(bytes)
            return TransportBytes.timestamps(bytes).compactMap { time in
                let end = Array(packets[time.packet].suffix(6))
                return end.starts(with: mark) ? (Int(end[5]), Int64(time.pts)) : nil
            }
        }
    }

    /// A channel with such a source, and the output of the channel.
    private struct Rig {
        let path: DataPath
        let publisher = FakePublisher()
        let source: DataPath.Attachment
        let events = Reports<SourceEvent>()
        let reader: Reader

        init(keepsAudioFormat: Bool = false) async throws {
            path = DataPath(mostAhead: .seconds(3600))
            await path.addChannel(
                "main", patience: .seconds(600), slateDelay: .seconds(600), keepsAudioFormat: keepsAudioFormat)
            await path.start()
            source = try await path.attachSource(
                to: "main", priority: 0, report: { [events] in events.add($0) },
                makeReader: { [publisher] in publisher.begin($0, $1) })
            reader = Reader(try await path.attachPublisher(to: .channel("main"), isPaced: false) { _ in }.1)
            reader.start()
        }

        /// Attaches a process that reads nothing yet.
        func process() async throws -> FakeProcess {
            let reports = Reports<AudioConverterEvent>()
            let converter = try await path.attachAudioConverter(of: source) { reports.add($0) }
            let process = FakeProcess(
                attachment: converter.attachment, input: Reader(converter.input), output: Writer(converter.output),
                firstSample: converter.firstSample, reports: reports)
            await process.output.write(FakeAudio.tables)
            return process
        }

        /// Gives video frames, 40 ms apart.
        func show(_ range: Range<Int>) async {
            for number in range { await publisher.frame(at: AudioConverterTests.begin + Int64(number) * 3600) }
        }

        func waitForFrames(_ count: Int) async throws {
            try await eventually("\(count) frames") { FakeFrames.encoded(in: reader.bytes).count >= count }
        }

        var audio: [(number: Int, pts: Int64)] { FakeAudio.frames(in: reader.bytes) }
    }

    private struct FakeProcess {
        var attachment: DataPath.Attachment
        var input: Reader
        var output: Writer
        var firstSample: Int64?
        var reports: Reports<AudioConverterEvent>

        /// How many messages were reported as dropped.
        var dropped: Int { reports.all.reduce(0) { if case .dropped(let count) = $1 { $0 + count } else { $0 } } }

        /// Gives it audio until it has stalled this many times.
        ///
        /// Each round gives more than half a second of audio at once, and then nothing until the process may have
        /// stalled. A pause of half a second resets the wait for output, and a busy machine makes many such pauses.
        func waitForStall(_ times: Int, of rig: Rig, at time: inout Int64) async throws {
            let end = ContinuousClock.now + Limit.seconds(60)
            while reports.all.count(where: { $0 == .stalled }) < times {
                guard ContinuousClock.now < end else { throw Failed("it has not stalled: \(reports.all)") }
                await rig.publisher.audio(30, every: 1800, from: &time)
                try? await reports.wait(for: .stalled, times: times, within: .seconds(10))
            }
        }
    }

    /// The source's first video frame, in ticks. The channel's feed begins at ten seconds.
    private static let begin: Int64 = 123_456_789
    private static let channelBegin: Int64 = 900_000

    // MARK: There and back

    @Test("messages reach the process, and its output is the source's audio at its place")
    func thereAndBack() async throws {
        let rig = try await Rig()
        await rig.show(0..<10)
        await rig.publisher.announce(ForeignAudio(name: "MP3", codec: "mp3"))
        #expect(await rig.publisher.audio([1, 2, 3], at: Self.begin) == nil)
        try await rig.events.wait(for: .foreignAudio(ForeignAudio(name: "MP3", codec: "mp3")))
        let process = try await rig.process()
        process.input.start()
        // Behind the silence.
        let first = Self.begin + 10 * 3600
        let messages: [[UInt8]] = [[1, 2, 3, 4], [5], [6, 7, 8, 9, 10, 11, 12]]
        var stamps: [UInt32?] = []
        for (index, message) in messages.enumerated() {
            stamps.append(await rig.publisher.audio(message, at: first + Int64(index) * 1920))
        }
        #expect(stamps == [0, 21, 43])
        try await eventually("the messages") { process.input.bytes == messages.flatMap(\.self) }
        for number in 0..<5 { await process.output.write(FakeAudio.frame(number, pts: Int64(number) * 1920)) }
        try await process.reports.wait(for: .delivering)
        try await eventually("the frames") { rig.audio.count == 5 }
        let start = Self.channelBegin + 10 * 3600
        #expect(rig.audio.map(\.number) == Array(0..<5))
        #expect(rig.audio.map(\.pts) == (0..<5).map { start + $0 * 1920 })
        await rig.path.stop()
    }

    @Test("a process whose input is ended gets all messages before the end")
    func ending() async throws {
        let rig = try await Rig()
        let process = try await rig.process()
        let message = [UInt8](repeating: 7, count: 100_000)
        for number in 0..<3 { await rig.publisher.audio(message, at: Self.begin + Int64(number) * 90) }
        await rig.path.endInput(of: process.attachment)
        await rig.publisher.audio(message, at: Self.begin + 9000)
        #expect(try await process.input.start().all().count == 300_000)
        await rig.path.stop()
    }

    // MARK: Processes that fail

    @Test("a process that reads nothing costs whole messages of audio and no video")
    func frozen() async throws {
        let rig = try await Rig()
        let process = try await rig.process()
        let size = 1000
        for number in 0..<1000 {
            let head = [UInt8(number & 0xFF), UInt8(number >> 8)]
            let message = head + [UInt8](repeating: 7, count: size - 2)
            await rig.publisher.audio(message, at: Self.begin + Int64(number) * 90)
        }
        await rig.show(0..<50)
        try await rig.waitForFrames(50)
        try await process.reports.wait(for: "dropped messages") { if case .dropped = $0 { true } else { false } }
        process.input.start()
        await rig.path.endInput(of: process.attachment)
        let bytes = try await process.input.all()
        #expect(bytes.count % size == 0)
        let numbers = stride(from: 0, to: bytes.count, by: size).map { Int(bytes[$0]) | Int(bytes[$0 + 1]) << 8 }
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 }, "\(numbers)")
        try await eventually("the \(1000 - numbers.count) missing ones to be reported") {
            numbers.count + process.dropped == 1000
        }
        await rig.path.stop()
    }

    @Test("a process that gets audio and gives none is stalled until it gives some")
    func stalled() async throws {
        let rig = try await Rig()
        await rig.show(0..<10)
        let process = try await rig.process()
        process.input.start()
        var time = Self.begin
        try await process.waitForStall(1, of: rig, at: &time)
        #expect(process.reports.all == [.stalled])
        await process.output.write(FakeAudio.frame(0, pts: 0))
        try await process.reports.wait(for: .delivering)
        try await process.waitForStall(2, of: rig, at: &time)
        #expect(process.reports.all == [.stalled, .delivering, .late, .stalled])
        await rig.path.stop()
    }

    @Test("a process owes nothing for the little that it keeps back in a pause")
    func pausing() async throws {
        let rig = try await Rig()
        let process = try await rig.process()
        process.input.start()
        for number in 0..<5 { await rig.publisher.audio([1], at: Self.begin + Int64(number) * 1920) }
        try await Task.sleep(for: .milliseconds(2500))
        // The first message behind the pause.
        await rig.publisher.audio([1], at: Self.begin + 10 * Ticks.perSecond)
        try await Task.sleep(for: .milliseconds(200))
        #expect(process.reports.all.isEmpty)
        await rig.path.stop()
    }

    // MARK: Successive processes

    /// Ticks of a frame of a process.
    private static let frame: Int64 = 1920

    /// Attaches a process, and lets it convert this many messages.
    private func begin(_ rig: Rig, frames: Int) async throws -> FakeProcess {
        let process = try await rig.process()
        process.input.start()
        await rig.show(0..<10)
        for number in 0..<frames {
            await rig.publisher.audio([UInt8(number)], at: Self.begin + Int64(number) * Self.frame)
        }
        for number in 0..<frames {
            await process.output.write(FakeAudio.frame(number, pts: Int64(number) * Self.frame))
        }
        try await eventually("\(frames) frames") { rig.audio.count == frames }
        return process
    }

    /// Writes the output of a process for these messages of the source.
    ///
    /// - Parameter zero: The number of the first message that the process got.
    private func give(_ numbers: Range<Int>, from zero: Int, by process: FakeProcess) async {
        for number in numbers {
            await process.output.write(FakeAudio.frame(number, pts: Int64(number - zero) * Self.frame))
        }
    }

    /// Expects that the feed has these frames once, one behind the other.
    private func expectWhole(_ count: Int, in rig: Rig) {
        #expect(rig.audio.map(\.number) == Array(0..<count))
        let steps = zip(rig.audio, rig.audio.dropFirst()).map { $1.pts - $0.pts }
        #expect(steps.allSatisfy { $0 == Self.frame }, "\(steps)")
    }

    @Test("the next process continues behind the last frame, without gap or repeat")
    func replaced() async throws {
        let rig = try await Rig()
        let first = try await begin(rig, frames: 20)
        first.output.end()
        try await eventually("its end") { await !rig.publisher.isConverted }
        for number in 20..<40 {
            let time = Self.begin + Int64(number) * Self.frame
            #expect(await rig.publisher.audio([UInt8(number)], at: time) == nil)
        }
        await rig.path.detach(first.attachment)
        // To 0.7 s behind the last audio.
        await rig.show(10..<29)
        let second = try await rig.process()
        second.input.start()
        // All messages are from the second before the end of the last frame.
        try await eventually("the messages") { second.input.bytes == (0..<40).map { UInt8($0) } }
        #expect(second.firstSample == Int64(18 * 1024))
        await rig.publisher.audio([40], at: Self.begin + 40 * Self.frame)
        // An encoder begins a frame before the first one.
        await give(17..<41, from: 0, by: second)
        try await eventually("the second one's audio") { rig.audio.last?.number == 40 }
        expectWhole(41, in: rig)
        try await rig.waitForFrames(29)
        #expect(rig.events.all.allSatisfy { $0 != .ended })
        #expect(second.reports.all.filter { $0 != .stalled } == [.delivering])
        await rig.path.stop()
    }

    @Test("a process that comes after more than a second continues where silence ends")
    func replacedLate() async throws {
        let rig = try await Rig()
        let first = try await begin(rig, frames: 20)
        first.output.end()
        try await eventually("its end") { await !rig.publisher.isConverted }
        await rig.path.detach(first.attachment)
        for number in 20..<100 {
            await rig.publisher.audio([UInt8(number)], at: Self.begin + Int64(number) * Self.frame)
        }
        await rig.show(10..<45)
        try await rig.waitForFrames(45)
        let second = try await rig.process()
        second.input.start()
        await give(20..<100, from: 0, by: second)
        try await eventually("the second one's audio") { rig.audio.last?.number == 99 }
        // The last video frame is at 1.76 s, which is 82.5 audio frames. Silence ends within a frame of it.
        let numbers = rig.audio.map(\.number)
        #expect(Array(numbers.prefix(20)) == Array(0..<20))
        let resumed = try #require(numbers.dropFirst(20).first)
        #expect((81...84).contains(resumed) && Array(numbers.dropFirst(20)) == Array(resumed..<100), "\(numbers)")
        await rig.path.stop()
    }

    /// Attaches two processes: the first gave twenty frames and is late with the next twenty, the second was started
    /// beside it.
    ///
    /// - Returns: Also the time of the next message.
    private func withSpare() async throws -> (rig: Rig, first: FakeProcess, second: FakeProcess, time: Int64) {
        let rig = try await Rig()
        let first = try await begin(rig, frames: 20)
        var time = Self.begin + 20 * Self.frame
        await rig.publisher.audio(20, every: Self.frame, from: &time)
        try await first.reports.wait(for: .late)
        let second = try await rig.process()
        second.input.start()
        return (rig, first, second, time)
    }

    @Test("the process beside a late one continues where it gives audio first")
    func spareContinues() async throws {
        let (rig, first, second, time) = try await withSpare()
        #expect(await rig.publisher.convertersCount == 2)
        // Both get new messages.
        await rig.publisher.audio([40], at: time)
        // Frames that are already in the feed are no reason to prefer it.
        await give(17..<20, from: 0, by: second)
        await give(20..<41, from: 0, by: second)
        try await first.reports.wait(for: .replaced)
        try await eventually("the second one's audio") { rig.audio.last?.number == 40 }
        expectWhole(41, in: rig)
        #expect(await rig.publisher.convertersCount == 1)
        #expect(second.reports.all.filter { $0 != .stalled } == [.delivering])
        #expect(try await first.input.all().count == 41)
        await rig.path.detach(first.attachment)
        expectWhole(41, in: rig)
        await rig.path.stop()
    }

    @Test("a late process that keeps up again continues, and the other one ends")
    func lateOneContinues() async throws {
        let (rig, first, second, _) = try await withSpare()
        // One frame is not enough: the process would be late again.
        await give(20..<21, from: 0, by: first)
        try await eventually("a frame") { rig.audio.last?.number == 20 }
        #expect(await rig.publisher.convertersCount == 2)
        await give(21..<40, from: 0, by: first)
        try await second.reports.wait(for: .unneeded)
        try await eventually("the first one's audio") { rig.audio.last?.number == 39 }
        #expect(await rig.publisher.convertersCount == 1)
        #expect(try await second.input.all().count == 40)
        await rig.path.detach(second.attachment)
        expectWhole(40, in: rig)
        #expect(first.reports.all.starts(with: [.delivering, .late]) && !first.reports.all.contains(.replaced))
        await rig.path.stop()
    }

    @Test(
        "the output of a process is ignored once other audio arrives",
        arguments: [ForeignAudio(name: "Opus", codec: "opus"), nil])
    func outdated(by audio: ForeignAudio?) async throws {
        let rig = try await Rig()
        let process = try await rig.process()
        process.input.start()
        await rig.show(0..<10)
        await rig.publisher.audio([1], at: Self.begin)
        await process.output.write(FakeAudio.frame(1, pts: 0))
        try await eventually("its audio") { rig.audio.count == 1 }
        await rig.publisher.announce(audio)
        #expect(await !rig.publisher.isConverted)
        await process.output.write(FakeAudio.frame(2, pts: 1920))
        await rig.path.detach(process.attachment)
        await rig.show(10..<60)
        try await rig.waitForFrames(60)
        #expect(rig.audio.map(\.number) == [1])
        await rig.path.stop()
    }

    @Test("converted audio decides the channel's format, and another format is reported")
    func format() async throws {
        let rig = try await Rig(keepsAudioFormat: true)
        let process = try await rig.process()
        process.input.start()
        await rig.show(0..<10)
        await rig.publisher.audio([1], at: Self.begin)
        await process.output.write(FakeAudio.frame(1, pts: 0))
        try await eventually("its audio") { rig.audio.count == 1 }
        #expect(await rig.path.audioFormat(of: "main") == .stereo48)
        for number in 2..<6 {
            await process.output.write(FakeAudio.frame(number, pts: Int64(number) * 1920, isOther: true))
        }
        try await process.reports.wait(for: .outdated)
        await rig.path.detach(process.attachment)
        #expect(process.reports.all == [.delivering, .outdated] && rig.audio.map(\.number) == [1])
        await rig.path.stop()
    }

    @Test("the end of a source ends its converter's input")
    func sourceEnds() async throws {
        let rig = try await Rig()
        let process = try await rig.process()
        process.input.start()
        await rig.path.detach(rig.source)
        #expect(try await process.input.all().isEmpty)
        await #expect(throws: DataPath.NothingToConvert.self) { _ = try await rig.process() }
        await rig.path.detach(process.attachment)
        await rig.path.stop()
    }
}
