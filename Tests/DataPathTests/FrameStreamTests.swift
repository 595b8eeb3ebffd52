import Foundation
import StreamboxFrames
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import DataPath

/// Tests the frames of a card and of another program with fake encoders and real pipes.
@Suite(.tags(.ffmpeg)) struct FrameStreamTests {
    /// A channel with a source of frames, and the output of the channel.
    private final class Rig: Sendable {
        let path: DataPath
        let format: FrameFormat
        let fifo: String
        let frames: DataPath.Attachment
        /// The end that a card reader writes to.
        let video: FileDescriptor?
        let events = Reports<SourceEvent>()
        let writers = Reports<FIFOEvent>()
        private let reader: Reader
        private let folder: TemporaryFolder
        private let encoders = Mutex<[FakeEncoder]>([])

        /// - Parameters:
        ///   - byteCount: Bytes of a frame; `nil` for the size of the format, as a card has it.
        ///   - room: Most bytes of kept frames.
        init(byteCount: Int? = nil, room: Int = 64 << 20, isCard: Bool = false) async throws {
            folder = try TemporaryFolder()
            fifo = folder.path("frames")
            format = FrameFormat(width: 34, height: 18, fourCC: 0x3231_564E, byteCount: byteCount ?? 34 * 18 * 3 / 2)
            // Allow for a busy machine that pauses between two steps of a test.
            path = DataPath(frameBytes: room, frameSpan: .seconds(600))
            let never = Duration.seconds(600)
            await path.addChannel("main", patience: never, slateDelay: never, changePatience: never)
            await path.start()
            guard mkfifo(fifo, 0o600) == 0 else { throw Failed("no FIFO") }
            let origin: DataPath.FrameOrigin =
                isCard ? .card(hasAudio: false) : .fifo(path: fifo) { [writers] in writers.add($0) }
            let attached = try await path.attachFrames(format, from: origin, to: "main", priority: 0) { [events] in
                events.add($0)
            }
            (frames, video) = (attached.attachment, attached.video)
            reader = Reader(try await path.attachPublisher(to: .channel("main")) { _ in }.1)
            reader.start()
        }

        func encoder(
            _ name: Int, takesOver: Bool = false, startPatience: Duration = .seconds(20),
            frameDuration: Duration? = nil, gives: Int = .max, reads: Bool = true
        ) async throws -> FakeEncoder {
            let encoder = try await FakeEncoder(
                name, of: frames, in: path, format: format, takesOver: takesOver, startPatience: startPatience,
                frameDuration: frameDuration, gives: gives, reads: reads)
            encoders.withLock { $0.append(encoder) }
            return encoder
        }

        /// Starts the first encoder, and waits until it has given ten frames.
        func encoderInUse() async throws -> FakeEncoder {
            let encoder = try await encoder(1)
            try await write(0..<10)
            try await expect(0..<10)
            return encoder
        }

        /// Writes frames with these numbers, on a thread of its own, because a writer waits when there is no room.
        ///
        /// - Parameter pause: Milliseconds behind each.
        func write(_ numbers: Range<Int>, every pause: UInt32 = 2) async throws {
            // When a test fails, nothing reads the FIFO any more.
            let isOver = Mutex(false)
            try await withTaskCancellationHandler {
                try await onOwnThread { [fifo, format] in
                    var writer = FrameWriter(path: fifo, bytesPerFrame: format.byteCount)
                    for number in numbers {
                        let bytes = FakeFrames.bytes(number, format.byteCount)
                        while try !bytes.withUnsafeBytes({ try writer.write($0) }) {
                            if isOver.withLock({ $0 }) { return }
                            usleep(1000)
                        }
                        usleep(pause * 1000)
                    }
                }
            } onCancel: {
                isOver.withLock { $0 = true }
                Task { await path.detach(frames) }
            }
        }

        /// The transport stream of the channel so far.
        var bytes: [UInt8] { reader.bytes }

        /// The encoded frames of the channel so far.
        var encoded: [(encoder: Int, number: Int)] { FakeFrames.encoded(in: reader.bytes) }

        /// Waits until frames of these numbers have come out, and no others.
        @discardableResult
        func expect(_ numbers: some Collection<Int>, file: String = #fileID, line: Int = #line) async throws -> [(
            encoder: Int, number: Int
        )] {
            do {
                try await eventually("\(numbers.count) frames", file: file, line: line) {
                    encoded.count >= numbers.count
                }
            } catch {
                throw Failed("\(error); there are \(encoded.map { "\($0.encoder):\($0.number)" }), and \(events.all)")
            }
            let found = encoded
            #expect(found.map(\.number).elementsEqual(numbers), "\(found)")
            return found
        }

        func stop() async {
            for encoder in encoders.withLock({ $0 }) { encoder.end() }
            await path.stop()
        }
    }

    private func withRig(
        byteCount: Int? = nil, room: Int = 64 << 20, isCard: Bool = false, _ body: (Rig) async throws -> Void
    ) async throws {
        let rig = try await Rig(byteCount: byteCount, room: room, isCard: isCard)
        do {
            try await body(rig)
        } catch {
            await rig.stop()
            throw error
        }
        await rig.stop()
    }

    @Test("raw frames that go on air wait for the B-frames of the source before")
    func lastBFrames() async throws {
        try await withRig { rig in
            let events = Reports<SourceEvent>()
            let (_, end) = try await rig.path.attachSource(to: "main", priority: 1) { events.add($0) }
            let other = Writer(end)
            let stream = try await NumberedSource.with {
                ($0.width, $0.height, $0.duration) = (320, 180, .seconds(2))
                ($0.gop, $0.bFrames, $0.audio) = (30, 2, .none)
            }.bytes()
            let timestamps = TransportBytes.timestamps(stream).filter { $0.pid == 256 }
            // The frame before this one is shown after it, and after the next.
            let index = try #require(
                timestamps.indices.dropFirst(20).dropLast(2).first {
                    timestamps[$0].pts < timestamps[$0 - 1].pts && timestamps[$0 + 1].pts < timestamps[$0 - 1].pts
                })
            let cut = timestamps[index].packet * TransportBytes.packetSize
            await other.write(stream[..<cut])
            try await events.wait(for: "on air") { if case .onAir = $0 { true } else { false } }
            try await eventually("its frames to be read", every: .milliseconds(1)) { other.waiting == 0 }
            let encoder = try await rig.encoder(1, gives: 0)
            try await rig.write(0..<3)
            encoder.allow(3)
            try await rig.events.wait(for: "the keyframe") { if case .delivering = $0 { true } else { false } }
            await other.write(stream[cut...])
            try await rig.events.wait(for: "on air") { if case .onAir = $0 { true } else { false } }
            try await eventually("the frames", every: .milliseconds(5)) {
                rig.encoded.map(\.number).suffix(3) == [0, 1, 2]
            }
            let times = TransportBytes.timestamps(rig.bytes).filter { $0.pid == 256 }
            let shown = times.map(\.pts).sorted().prefix(index + 2)
            #expect(times.count == index + 2 + 3)
            #expect(zip(shown, shown.dropFirst()).allSatisfy { $1 - $0 == 3000 }, "\(shown)")
            #expect(zip(times, times.dropFirst()).allSatisfy { $0.dts < $1.dts })
        }
    }

    // MARK: Input

    @Test(
        "frames of any size reach the encoder unchanged and keep their times",
        arguments: [5, 188, 4095, 65_537, 1_234_567])
    func sizes(byteCount: Int) async throws {
        try await withRig(byteCount: byteCount) { rig in
            let encoder = try await rig.encoder(1)
            try await rig.write(0..<12)
            try await rig.expect(0..<12)
            let frames = encoder.frames
            #expect(frames.map(\.number) == Array(0..<12) && frames.allSatisfy(\.isWhole))
            #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.time < $1.time })
        }
    }

    @Test(
        "a frame that its writer left incomplete is filled with zeros"
    )
    func torn() async throws {
        try await withRig(byteCount: 4099) { rig in
            let encoder = try await rig.encoder(1)
            try await rig.write(0..<3)
            try await rig.writers.wait(for: .gone(missing: 0))
            for bytes in [1, 2000, 4098] {
                let torn = try #require(FileHandle(forWritingAtPath: rig.fifo))
                torn.write(Data(FakeFrames.bytes(77, bytes)))
                try torn.close()
                try await rig.writers.wait(for: .gone(missing: 4099 - bytes))
            }
            try await rig.write(3..<6)
            try await rig.expect([0, 1, 2, 77, 77, 77, 3, 4, 5])
            #expect(encoder.frames.map(\.isWhole) == [true, true, true, false, false, false, true, true, true])
            #expect(rig.writers.all.filter { $0 == .writer }.count == 5)
        }
    }

    @Test("a FIFO that a program replaces or removes is opened again at its path")
    func removed() async throws {
        try await withRig { rig in
            _ = try await rig.encoder(1)
            try await rig.write(0..<2)
            try await rig.writers.wait(for: .gone(missing: 0))
            // In one step: where the FIFO is missing for long, the reader makes one.
            try #require(mkfifo(rig.fifo + ".new", 0o600) == 0 && rename(rig.fifo + ".new", rig.fifo) == 0)
            try await rig.write(2..<4)
            try await rig.writers.wait(for: .gone(missing: 0), times: 2)
            unlink(rig.fifo)
            try await rig.write(4..<6)
            try await rig.expect(0..<6)
        }
    }

    @Test(
        "all complete frames of a card reader that dies within a frame come out"
    )
    func card() async throws {
        try await withRig(isCard: true) { rig in
            let encoder = try await rig.encoder(1)
            let bytes = try await TestProcess.run(
                "ffmpeg",
                [
                    "-v", "error", "-nostdin", "-copyts", "-f", "lavfi", "-i",
                    "testsrc2=s=34x18:r=30:d=1,format=nv12,settb=1/1000000,setpts=N*33333+1764172800000000",
                    "-fps_mode", "passthrough", "-enc_time_base", "1:1000000", "-c:v", "rawvideo", "-f", "nut",
                    "-flush_packets", "1", "pipe:1",
                ]
            ).success("frames").output
            let writer = Writer(try #require(rig.video))
            var random = SeededRandom(seed: 3)
            for piece in TransportBytes.split(Array(bytes.dropLast(400)), sizes: 1...900, using: &random) {
                await writer.write(piece)
            }
            writer.end()
            try await rig.events.wait(for: .ended)
            #expect(
                encoder.frames.count == 29
                    && encoder.frames.map(\.time) == (0..<29).map { (1_764_172_800_000_000 + $0 * 33_333) * 9 / 100 })
            #expect(encoder.given == 29 && rig.events.all.allSatisfy { $0 != .lost(1) })
        }
    }

    @Test(
        "card reader output that is no frame of the expected size ends the source",
        arguments: ["not NUT at all, whatever it may be", "34x20"])
    func noFrames(input: String) async throws {
        try await withRig(isCard: true) { rig in
            let writer = Writer(try #require(rig.video))
            if input == "34x20" {
                let other = try await TestProcess.run(
                    "ffmpeg",
                    [
                        "-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=s=34x20:d=0.1,format=nv12", "-c:v",
                        "rawvideo", "-f", "nut", "pipe:1",
                    ]
                ).success("frames").output
                await writer.write(other)
            } else {
                await writer.write(Array(input.utf8))
            }
            try await rig.events.wait(for: "the problem") { event in
                if case .unreadable(let problem) = event {
                    problem.contains(input == "34x20" ? "34x20" : "not NUT")
                } else {
                    false
                }
            }
            try await rig.events.wait(for: .ended)
        }
    }

    // MARK: Encoders that end

    @Test(
        "every frame comes out once and in order, wherever encoders end"
    )
    func ends() async throws {
        try await withRig(byteCount: 40_001) { rig in
            // A reader of the feed begins with the newest keyframe. On a busy machine that would be a later encoder's.
            let beforeAll = try await rig.encoder(0)
            try await rig.write(0..<1)
            try await rig.expect(0..<1)
            await beforeAll.kill()
            async let written: Void = rig.write(1..<120)
            var random = SeededRandom(seed: 11)
            for name in 1...6 {
                let encoder = try await rig.encoder(name, gives: Int.random(in: 1...15, using: &random))
                let (read, most) = (Int.random(in: 0...10, using: &random), name * 20)
                try await eventually("encoder \(name) at its end") {
                    encoder.given > 0 && encoder.frames.count >= min(encoder.given + read, most - rig.encoded.count)
                }
                await encoder.kill()
            }
            _ = try await rig.encoder(7)
            try await written
            let found = try await rig.expect(0..<120)
            #expect(Set(found.map(\.encoder)).count > 2)
            #expect(!rig.events.all.contains { if case .lost = $0 { true } else { false } })
        }
    }

    @Test(
        "an encoder that hangs is reported, however many frames arrive",
        arguments: [20, 600, 0])
    func hangs(milliseconds: UInt32) async throws {
        try await withRig { rig in
            let encoder = try await rig.encoder(1, gives: 1)
            // Milliseconds of 0: no more frames arrive behind the first ones.
            async let written: Void = rig.write(0..<(milliseconds == 0 ? 5 : 8), every: milliseconds)
            try await encoder.reports.wait(for: .stalled)
            await encoder.kill()
            _ = try await rig.encoder(2)
            try await written
            try await rig.expect(0..<(milliseconds == 0 ? 5 : 8))
        }
    }

    @Test("an encoder that keeps a few frames back while none arrive is not reported")
    func heldBack() async throws {
        try await withRig { rig in
            let encoder = try await rig.encoder(1, gives: 10)
            try await rig.write(0..<12)
            try await rig.expect(0..<10)
            // Before this, its threads may have been late between two frames.
            let before = encoder.reports.all.count
            try await Task.sleep(for: .milliseconds(2500))
            #expect(!encoder.reports.all.dropFirst(before).contains(.stalled))
            encoder.allow()
            try await rig.expect(0..<12)
        }
    }

    // MARK: More frames than there is room for

    @Test("a program that writes more than there is room for waits and loses no frame")
    func full() async throws {
        try await withRig(byteCount: 100_003, room: 4_000_000) { rig in
            let encoder = try await rig.encoder(1, gives: 3)
            let isDone = Reports<Bool>()
            async let written: Void = {
                try await rig.write(0..<100, every: 0)
                isDone.add(true)
            }()
            try await rig.expect(0..<3)
            try await eventually("as many frames as there is room for") { encoder.frames.count >= 40 }
            // The encoder gives a frame now and then, while more wait. A task may be too late for a steady pace, so use
            // a thread.
            await onOwnThread {
                for _ in 4...24 {
                    encoder.allow(1)
                    usleep(300_000)
                }
            }
            try await eventually("its frames") { rig.encoded.count == encoder.given }
            #expect(encoder.given > 3 && isDone.all.isEmpty)
            try await encoder.reports.wait(for: .slow)
            encoder.allow()
            try await written
            try await rig.expect(0..<100)
            #expect(encoder.reports.all.filter { $0 == .slow }.count == 1 && encoder.frames.allSatisfy(\.isWhole))
        }
    }

    @Test("a fast encoder is not reported as slow when many frames arrive at once")
    func burst() async throws {
        try await withRig(byteCount: 100_003, room: 1_000_000) { rig in
            let encoder = try await rig.encoder(1, frameDuration: .seconds(4), gives: 3)
            async let written: Void = rig.write(0..<60, every: 0)
            try await rig.expect(0..<3)
            // Faster than real time, with more frames waiting than there is room for.
            for count in 4...44 {
                encoder.allow(1)
                try await eventually("a frame") { rig.encoded.count == count }
                try await Task.sleep(for: .milliseconds(50))
            }
            encoder.allow()
            try await written
            try await rig.expect(0..<60)
            #expect(!encoder.reports.all.contains(.slow))
        }
    }

    @Test("the oldest frames of a card are dropped and counted when there is no room")
    func cardFull() async throws {
        try await withRig(room: 918 * 20, isCard: true) { rig in
            let bytes = try await TestProcess.run(
                "ffmpeg",
                [
                    "-v", "error", "-nostdin", "-copyts", "-f", "lavfi", "-i",
                    "testsrc2=s=34x18:r=30:d=4,format=nv12,settb=1/1000000,setpts=N*33333+1764172800000000",
                    "-fps_mode", "passthrough", "-enc_time_base", "1:1000000", "-c:v", "rawvideo", "-f", "nut",
                    "-flush_packets", "1", "pipe:1",
                ]
            ).success("frames").output
            let first = try await rig.encoder(1, gives: 1, reads: false)
            let writer = Writer(try #require(rig.video))
            let middle = bytes.count / 40
            await writer.write(bytes[..<middle])
            first.startReading()
            try await eventually("the first frame") { rig.encoded.count == 1 }
            await first.kill()
            await writer.write(bytes[middle...])
            try await eventually("all frames read") { writer.waiting == 0 }
            let second = try await rig.encoder(2)
            writer.end()
            try await rig.events.wait(for: .ended)
            let lost = rig.events.all.compactMap { event in if case .lost(let count) = event { count } else { nil } }
            let times = second.frames.map(\.time)
            #expect(
                times.count >= 19 && times.count <= 21 && times.last == (1_764_172_800_000_000 + 119 * 33_333) * 9 / 100
            )
            #expect(lost == [120 - 1 - times.count])
        }
    }

    @Test("frames that have not come out when their source ends are counted as lost")
    func leftOver() async throws {
        try await withRig { rig in
            let encoder = try await rig.encoder(1, gives: 4)
            try await rig.write(0..<10)
            try await rig.expect(0..<4)
            try await eventually("all frames read") { encoder.frames.count == 10 }
            await encoder.kill()
            await rig.path.detach(rig.frames)
            try await rig.events.wait(for: .lost(6))
            try await rig.events.wait(for: .ended)
        }
    }

    @Test("when the input of frames ends, frames that have arrived are still encoded")
    func ending() async throws {
        try await withRig { rig in
            let encoder = try await rig.encoder(1, gives: 4)
            try await rig.write(0..<10)
            try await rig.expect(0..<4)
            try await eventually("all frames read") { encoder.frames.count == 10 }
            await rig.path.endFrames(of: rig.frames)
            try await eventually("the end of its input") { encoder.hasEnded }
            encoder.allow()
            try await rig.events.wait(for: .ended)
            try await rig.expect(0..<10)
        }
    }

    // MARK: Handover

    @Test("an encoder takes over between two frames while the one before owes frames")
    func takesOver() async throws {
        try await withRig(byteCount: 30_011) { rig in
            let first = try await rig.encoder(1, gives: 10)
            try await rig.write(0..<20)
            try await rig.expect(0..<10)
            try await eventually("all frames read") { first.frames.count == 20 }
            let second = try await rig.encoder(2, takesOver: true)
            try await eventually("the second ready") { second.isReady }
            try await rig.write(20..<40)
            try await eventually("frames of the second") { second.given > 3 }
            // The second one's frames wait until the first has given all of its own.
            #expect(rig.encoded.count == 10 && second.reports.all.isEmpty)
            first.allow()
            #expect(try await rig.expect(0..<40).allSatisfy { $0.encoder == ($0.number < 20 ? 1 : 2) })
            try await first.reports.wait(for: .superseded)
        }
    }

    @Test("a successor that is never ready is reported, and the encoder continues")
    func notReady() async throws {
        try await withRig { rig in
            _ = try await rig.encoderInUse()
            let second = try await rig.encoder(2, takesOver: true, startPatience: .milliseconds(300), reads: false)
            try await rig.write(10..<20)
            try await second.reports.wait(for: .stalled)
            await second.kill()
            try await rig.write(20..<30)
            #expect(try await rig.expect(0..<30).allSatisfy { $0.encoder == 1 })
        }
    }

    @Test("another handover may begin while the first successor ends")
    func anotherHandover() async throws {
        try await withRig { rig in
            _ = try await rig.encoderInUse()
            let second = try await rig.encoder(2, takesOver: true, reads: false)
            let third = try await rig.encoder(3, takesOver: true)
            try await eventually("the third ready") { third.isReady }
            // No encoder takes over as long as the second is there.
            try await rig.write(10..<20)
            try await rig.expect(0..<20)
            await second.kill()
            try await rig.write(20..<30)
            #expect(try await rig.expect(0..<30).allSatisfy { $0.encoder == ($0.number < 20 ? 1 : 3) })
        }
    }

    @Test("when a successor dies before its first frame, the next has rejected frames")
    func tornHandover() async throws {
        try await withRig { rig in
            let first = try await rig.encoderInUse()
            let second = try await rig.encoder(2, takesOver: true, gives: 0)
            try await eventually("the second ready") { second.isReady }
            try await rig.write(10..<20)
            try await eventually("frames of the first that belong to the second") { first.given == 20 }
            // They have been rejected, and no other encoder can take over any more.
            await rig.path.ping()
            await #expect(throws: DataPath.NothingToTakeOver.self) { _ = try await rig.encoder(3, takesOver: true) }
            await second.kill()
            try await first.reports.wait(for: .torn)
            // Frames that come before it ends would come behind a gap.
            try await rig.write(20..<25)
            try await eventually("frames of the first") { first.given == 25 }
            await first.kill()
            _ = try await rig.encoder(4)
            try await rig.write(25..<30)
            try await rig.expect(0..<30)
            #expect(!rig.events.all.contains { if case .lost = $0 { true } else { false } })
        }
    }

    @Test(
        "an encoder that dies in a handover is followed from the first missing frame on"
    )
    func diesDuringHandover() async throws {
        try await withRig { rig in
            let first = try await rig.encoderInUse()
            let second = try await rig.encoder(2, takesOver: true, gives: 0)
            try await eventually("the second ready") { second.isReady }
            try await rig.write(10..<20)
            try await eventually("frames for the second") { second.frames.count == 10 }
            await first.kill()
            let third = try await rig.encoder(3, gives: 0)
            // Frames that the second gives before it ends arrive too late.
            second.allow(2)
            try await eventually("its frames") { second.given == 2 }
            third.allow(3)
            try await eventually("three frames of the third") { rig.encoded.filter { $0.encoder == 3 }.count == 3 }
            await second.kill()
            third.allow()
            try await rig.write(20..<30)
            #expect(try await rig.expect(0..<30).allSatisfy { $0.encoder != 2 })
        }
    }
}
