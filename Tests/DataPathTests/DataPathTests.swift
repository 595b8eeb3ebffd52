import EventLoop
import Foundation
import MPEGTS
import SystemPackage
import TestSupport
import Testing

@testable import DataPath

/// The data path with real pipes, and without any FFmpeg at their other ends.
@Suite(.tags(.ffmpeg)) struct DataPathTests {
    private struct Rig {
        let path: DataPath
        /// A machine that is busy may take its time between one step of a test and the next.
        ///
        /// - Parameter mostAhead: How far a source may be ahead of real time: what tests write comes at once.
        init(
            limits: Feed.Limits = Feed.Limits(), patience: Duration = .seconds(600),
            tapPatience: Duration = .seconds(600), mostAhead: Duration = .seconds(3600)
        ) async {
            path = DataPath(limits: limits, tapPatience: tapPatience, mostAhead: mostAhead)
            await path.addChannel("main", patience: patience, changePatience: .seconds(600))
            await path.start()
        }

        func source(_ priority: Int = 0) async throws -> (DataPath.Attachment, Writer, Reports<SourceEvent>) {
            let reports = Reports<SourceEvent>()
            let (attachment, end) = try await path.attachSource(to: "main", priority: priority) { reports.add($0) }
            return (attachment, Writer(end), reports)
        }

        func publisher(
            _ feed: DataPath.FeedName = .channel("main"), isPaced: Bool = true
        ) async throws -> (DataPath.Attachment, Reader, Reports<PublisherEvent>) {
            let reports = Reports<PublisherEvent>()
            let (attachment, end) = try await path.attachPublisher(to: feed, isPaced: isPaced) { reports.add($0) }
            return (attachment, Reader(end), reports)
        }

        /// Waits until a reader has everything.
        func catchUp(_ attachment: DataPath.Attachment) async throws {
            try await eventually("a reader to have everything", within: .seconds(20), every: .milliseconds(5)) {
                await path.figures(of: attachment)?.lag == 0
            }
        }

        /// The same, and ends its input.
        func finish(_ attachment: DataPath.Attachment) async throws {
            try await catchUp(attachment)
            await path.endInput(of: attachment)
        }

        /// Writes in pieces, each when the one before has been taken in and, by the reader, out; as a live source does,
        /// so that the reader begins at the first keyframe.
        func write(_ bytes: some Collection<UInt8>, to writer: Writer, paceOf attachment: DataPath.Attachment? = nil)
            async throws
        {
            let bytes = Array(bytes)
            let piece = 7 * TransportBytes.packetSize
            for start in stride(from: 0, to: bytes.count, by: piece) {
                await writer.write(bytes[start..<min(bytes.count, start + piece)])
                try await eventually("the data path to follow", within: .seconds(20), every: .milliseconds(1)) {
                    guard writer.waiting == 0 else { return false }
                    guard let attachment else { return true }
                    return await path.figures(of: attachment)?.lag == 0
                }
            }
        }
    }

    private func stream(
        from number: UInt32 = 0, seconds: Double = 2, gop: Int = 10, busy: Bool = false, bFrames: Int = 0
    ) async throws -> [UInt8] {
        try await NumberedSource.with {
            $0.width = 320
            $0.height = 180
            $0.firstNumber = number
            $0.duration = .seconds(seconds)
            $0.gop = gop
            $0.picture = busy ? .busy : .plain
            $0.bitrate = busy ? 2500 : 400
            $0.bFrames = bFrames
        }.bytes()
    }

    /// Timestamps on the wire that do not rise, per stream.
    private func backwards(_ bytes: [UInt8]) -> [TransportBytes.Timestamp] {
        var newest: [Int: UInt64] = [:]
        return TransportBytes.timestamps(bytes).filter { time in
            defer { newest[time.pid] = time.dts }
            return newest[time.pid].map { time.dts <= $0 } ?? false
        }
    }

    // MARK: One source

    @Test("a source on air whose size changes reports the new format once")
    func changingFormat() async throws {
        let rig = await Rig()
        let (_, writer, events) = try await rig.source()
        let other = try await NumberedSource.with {
            $0.width = 160
            $0.height = 320
            $0.duration = .seconds(1)
            $0.gop = 10
            $0.start = .seconds(1)
        }.bytes()
        try await rig.write(try await stream(seconds: 1), to: writer)
        try await rig.write(other, to: writer)
        writer.end()
        try await events.wait(for: .ended)
        let changes = events.all.compactMap { event in if case .changed(let format?) = event { format } else { nil } }
        #expect(changes.map { [$0.width, $0.height] } == [[160, 320]])
        await rig.path.stop()
    }

    @Test(
        "what goes in at one end comes out whole at the other",
        arguments: [RecordedStream.plain, .bFrames, .otherPIDs, .noRandomAccess, .busy, .hevc])
    func whole(recorded: RecordedStream) async throws {
        let rig = await Rig()
        let (publisher, reader, _) = try await rig.publisher()
        reader.start()
        let (_, writer, events) = try await rig.source()
        try await rig.write(await recorded.bytes(), to: writer)
        writer.end()
        try await events.wait(for: .ended)
        try await rig.finish(publisher)
        let bytes = try await reader.all()
        let verdict = Verdict(try await FrameReader.read(.bytes(bytes), options: ["-f", "mpegts"]))
        #expect(verdict.isWhole && verdict.received == 150, "\(verdict)")
        #expect((verdict.worstAudioOffset ?? 1) < 0.03, "\(verdict)")
        #expect(bytes.count % TransportBytes.packetSize == 0)
        #expect(Set(TransportBytes.packets(bytes).map(TransportBytes.pid)).count == 4)
        await rig.path.stop()
    }

    @Test("a source without sound comes out with silence")
    func silence() async throws {
        let rig = await Rig()
        let (publisher, reader, _) = try await rig.publisher()
        reader.start()
        let (_, writer, events) = try await rig.source()
        try await rig.write(await RecordedStream.noAudio.bytes(), to: writer)
        writer.end()
        try await events.wait(for: .ended)
        try await rig.finish(publisher)
        let all = try await reader.all()
        let probe = try await MediaProbe.read(.bytes(all), options: ["-f", "mpegts"])
        #expect(probe.audio?.codec == "aac")
        #expect(probe.packets(of: probe.audio).count > 5 * 48_000 / 1024 - 5)
        #expect(probe.backwards.isEmpty)
        await rig.path.stop()
    }

    @Test("a source whose size changes or whose rate is another one than it announces reports its format again")
    func changedFormats() async throws {
        let rig = await Rig()
        let (_, writer, events) = try await rig.source()
        try await rig.write(try await stream(), to: writer)
        let liar = NumberedSource.with {
            $0.width = 640
            $0.rate = 15
            $0.gop = 15
            $0.announcedRate = 1000
            $0.duration = .seconds(5)
        }
        try await rig.write(try await liar.bytes(), to: writer)
        writer.end()
        try await events.wait(for: .ended)
        let formats = events.all.compactMap { event -> String? in
            switch event {
            case .delivering(let format): "delivering \(format.map { "\($0)" } ?? "nothing")"
            case .changed(let format): "changed \(format.map { "\($0)" } ?? "nothing")"
            case .program, .onAir, .offAir, .stalled, .ahead, .foreignAudio, .otherSound, .lateSound: nil
            case .lost, .unreadable, .ended: nil
            }
        }
        // The rate that was measured holds until another one has been.
        #expect(formats == ["delivering h264 320x180@30", "changed h264 640x360@30", "changed h264 640x360@15"])
        await rig.path.stop()
    }

    @Test("a source says what it has, takes the air, falls silent and ends")
    func sourceEvents() async throws {
        let rig = await Rig(patience: Limit.scaled(.milliseconds(200)))
        let (_, writer, events) = try await rig.source()
        let bytes = try await stream()
        try await rig.write(bytes, to: writer)
        try await events.wait(for: .stalled)
        try await rig.write(bytes, to: writer)
        try await events.wait(for: "delivering again", times: 2) { if case .delivering = $0 { true } else { false } }
        writer.end()
        try await events.wait(for: .ended)
        let words = events.all.map { event in
            switch event {
            case .program: "program"
            case .delivering(let format): "delivering \(format?.width ?? 0)x\(format?.height ?? 0)"
            case .changed(let format): "changed \(format?.width ?? 0)x\(format?.height ?? 0)"
            case .onAir: "on air"
            case .offAir: "off air"
            case .stalled: "stalled"
            case .ahead: "ahead"
            case .foreignAudio: "foreign audio"
            case .otherSound: "other sound"
            case .lateSound: "late sound"
            case .lost(let count): "lost \(count)"
            case .unreadable(let problem): "unreadable: \(problem)"
            case .ended: "ended"
            }
        }
        #expect(Array(words.prefix(5)) == ["program", "delivering 320x180", "on air", "stalled", "delivering 320x180"])
        #expect(words.last == "ended")
        await rig.path.stop()
    }

    @Test("garbage before, between and behind a stream does no harm")
    func garbage() async throws {
        try await withSeededRandom { random in
            let rig = await Rig()
            let (publisher, reader, _) = try await rig.publisher()
            reader.start()
            let (attachment, writer, _) = try await rig.source()
            try await rig.write((0..<300_000).map { _ in UInt8.random(in: 0...255, using: &random) }, to: writer)
            writer.end()
            await rig.path.detach(attachment)
            let (_, second, events) = try await rig.source()
            try await rig.write((0..<5000).map { _ in UInt8.random(in: 0...255, using: &random) }, to: second)
            let bytes = try await stream()
            try await rig.write(TransportBytes.insertGarbage(bytes, chance: 0.02, using: &random), to: second)
            second.end()
            try await events.wait(for: .ended)
            try await rig.finish(publisher)
            let reading = try await reader.frames()
            // A unit that garbage fell into may be gone; none is broken.
            #expect(reading.numbers.count > 20, "\(random.hint)")
            #expect(Verdict(reading).backwards.isEmpty, "\(random.hint)")
            await rig.path.stop()
        }
    }

    @Test("a writer that is killed in the middle of a picture leaves nothing of it in the feed")
    func partialUnit() async throws {
        let rig = await Rig()
        let (publisher, reader, _) = try await rig.publisher()
        reader.start()
        let bytes = try await stream(busy: true)
        // In the middle of a picture of many packets, and of a packet.
        let picture = try #require(TransportBytes.timestamps(bytes).filter { $0.pid == 256 }.dropFirst(30).first)
        let cut = (picture.packet + 8) * TransportBytes.packetSize + 77
        let (first, writer, events) = try await rig.source()
        try await rig.write(bytes[..<cut], to: writer)
        writer.end()
        try await events.wait(for: .ended)
        await rig.path.detach(first)
        // What follows begins as much later as it comes later: the feed may let go of what was before.
        try await rig.catchUp(publisher)
        let (_, second, secondEvents) = try await rig.source()
        try await rig.write(await stream(from: 1000), to: second)
        second.end()
        try await secondEvents.wait(for: .ended)
        try await rig.finish(publisher)
        let all = try await reader.all()
        let reading = try await FrameReader.read(.bytes(all), options: ["-f", "mpegts"])
        #expect(reading.complaints.isEmpty, "\(reading.complaints)")
        #expect(reading.numbers == Array(0..<30) + Array(1000..<1060))
        #expect(backwards(all).isEmpty)
        await rig.path.stop()
    }

    // MARK: A source ahead of real time

    @Test(
        "a source that gives a file at once is held back to real time, and nothing is lost", arguments: [true, false])
    func ahead(isOnAir: Bool) async throws {
        // Less than a group of pictures, of which a reader that waits for the first one would take the newest.
        let rig = await Rig(mostAhead: .milliseconds(200))
        let (publisher, reader, _) = try await rig.publisher()
        reader.start()
        let bytes = try await stream(seconds: 3)
        // Off air it is behind another one.
        let other = try await isOnAir ? nil : rig.source()
        if let other { try await rig.write(await stream(from: 1000, seconds: 0.2), to: other.1) }
        let (attachment, writer, events) = try await rig.source(1)
        let start = ContinuousClock.now
        await writer.write(bytes)
        writer.end()
        while await rig.path.drain(attachment) { try await Task.sleep(for: .milliseconds(10)) }
        try await events.wait(for: .ended)
        await rig.path.detach(attachment)
        #expect(.now - start >= .milliseconds(2500))
        #expect(events.all.filter { $0 == .ahead(true) }.count == 1)
        #expect(!events.all.contains(.ahead(false)) && !events.all.contains(.stalled))
        if isOnAir {
            try await rig.finish(publisher)
            let verdict = Verdict(try await reader.frames())
            #expect(verdict.isWhole && verdict.received == 90, "\(verdict)")
        } else {
            #expect(!events.all.contains { if case .onAir = $0 { true } else { false } })
        }
        other?.1.end()
        await rig.path.stop()
    }

    @Test("a source that is held back for longer than the channel's patience is neither stalled nor off air")
    func heldBackIsNotSilent() async throws {
        let rig = await Rig(patience: .seconds(1), mostAhead: .seconds(2))
        let (attachment, writer, events) = try await rig.source()
        let rest = try await NumberedSource.with {
            $0.width = 320
            $0.height = 180
            $0.firstNumber = 30
            $0.duration = .seconds(1)
            // Its timeline leaps ahead by four seconds, so that it is five ahead.
            $0.start = .seconds(5)
        }.bytes()
        let start = ContinuousClock.now
        // It ends at once: however late this test runs on, there is no silence behind what is held back.
        await writer.write(try await stream(seconds: 1) + rest)
        writer.end()
        try await events.wait(for: .ahead(true))
        while await rig.path.drain(attachment) { try await Task.sleep(for: .milliseconds(10)) }
        try await events.wait(for: .ended)
        // Five seconds ahead of which two are allowed: longer than the patience.
        #expect(.now - start >= .milliseconds(2500))
        #expect(!events.all.contains(.stalled) && !events.all.contains(.offAir), "\(events.all)")
        await rig.path.stop()
    }

    @Test("a source that is held back and detached leaves nothing behind")
    func detachedAhead() async throws {
        let rig = await Rig(mostAhead: .milliseconds(300))
        let (first, writer, events) = try await rig.source()
        // Two minutes that fit into the pipe: it is still ahead when a late test comes to look.
        let long = NumberedSource.with {
            $0.width = 320
            $0.height = 180
            $0.rate = 1
            $0.gop = 10
            $0.audio = .none
            $0.duration = .seconds(120)
        }
        await writer.write(try await long.bytes())
        try await events.wait(for: .ahead(true))
        #expect(await rig.path.drain(first))
        await rig.path.detach(first)
        #expect(await !rig.path.drain(first))
        try await events.wait(for: .ended)
        writer.end()
        let (_, second, secondEvents) = try await rig.source()
        await second.write(try await stream(seconds: 0.2))
        second.end()
        try await secondEvents.wait(for: .ended)
        await rig.path.stop()
    }

    // MARK: Several readers

    @Test("a reader that stops reading blocks nobody, is told, and jumps when it reads again")
    func stalledReader() async throws {
        // The window is smaller than the stream, and so is a pipe.
        let rig = await Rig(limits: Feed.Limits(duration: Ticks.perSecond, bytes: 300_000))
        let (healthy, reader, _) = try await rig.publisher()
        reader.start()
        let (hung, hungReader, hungEvents) = try await rig.publisher()
        let (_, writer, events) = try await rig.source()
        let bytes = try await RecordedStream.busy.bytes()
        try await rig.write(bytes, to: writer, paceOf: healthy)
        writer.end()
        try await events.wait(for: .ended)
        try await rig.finish(healthy)
        let verdict = Verdict(try await reader.frames())
        #expect(verdict.isWhole && verdict.received == 150, "\(verdict)")
        #expect(hungReader.bytes.isEmpty)

        try await hungEvents.wait(for: .stalled)
        hungReader.start()
        try await hungEvents.wait(for: .recovered)
        try await rig.catchUp(hung)
        let (_, last, lastEvents) = try await rig.source()
        try await rig.write(await stream(from: 1000), to: last)
        last.end()
        try await lastEvents.wait(for: .ended)
        try await eventually("the reader to catch up") { await rig.path.figures(of: hung)?.lag == 0 }
        #expect(await rig.path.figures(of: hung)?.skips == 1)
        try await rig.finish(hung)
        let reading = try await hungReader.frames()
        let jumped = Verdict(reading)
        #expect(
            jumped.lost.count == 2 && jumped.duplicated.isEmpty && jumped.late.isEmpty && jumped.backwards.isEmpty,
            "\(jumped)")
        #expect(jumped.last == 1059, "\(jumped)")
        #expect(reading.complaints.isEmpty, "\(reading.complaints)")
        // How much of the stream it got is told beside them.
        let both: [PublisherEvent] = [.stalled, .recovered]
        #expect(hungEvents.all.filter { both.contains($0) } == both && !hungEvents.all.contains(.ended))
        await rig.path.stop()
    }

    @Test("a reader that comes late begins at a keyframe, and one that goes disturbs nobody")
    func comingAndGoing() async throws {
        let rig = await Rig()
        let (steady, reader, _) = try await rig.publisher()
        reader.start()
        var leaving: (DataPath.Attachment, Reader, Reports<PublisherEvent>)? = try await rig.publisher()
        let leaver = leaving!.2
        let (_, writer, events) = try await rig.source()
        let bytes = try await stream(seconds: 3)
        let half = bytes.count / 2 / TransportBytes.packetSize * TransportBytes.packetSize
        try await rig.write(Array(bytes[..<half]), to: writer, paceOf: steady)
        // Its process dies: the pipe has no other end any more.
        leaving = nil
        let (late, lateReader, _) = try await rig.publisher()
        lateReader.start()
        try await rig.write(Array(bytes[half...]), to: writer, paceOf: steady)
        try await leaver.wait(for: .ended)
        writer.end()
        try await events.wait(for: .ended)
        try await rig.finish(steady)
        try await rig.finish(late)
        #expect(Verdict(try await reader.frames()).received == 90)
        let reading = try await lateReader.frames()
        #expect(reading.frames.first?.isKey == true && reading.complaints.isEmpty)
        let verdict = Verdict(reading)
        #expect(verdict.isWhole && verdict.last == 89, "\(verdict)")
        await rig.path.stop()
    }

    // MARK: Taps

    @Test(
        """
        what waits in a pipe stays as it was, however far the feed has gone on, also when its reader was let go \
        meanwhile
        """
    )
    func lent() async throws {
        let rig = await Rig(limits: Feed.Limits(duration: 1, bytes: 1))
        let (_, writer, _) = try await rig.source()
        let (slow, slowReader, _) = try await rig.publisher()
        let (quick, reader, _) = try await rig.publisher()
        reader.start()
        let bytes = try await stream(seconds: 8, busy: true)
        let half = bytes.count / 2 / TransportBytes.packetSize * TransportBytes.packetSize
        try await rig.write(bytes[..<half], to: writer, paceOf: quick)
        await rig.path.endInput(of: slow)
        try await rig.write(bytes[half...], to: writer, paceOf: quick)
        try await rig.finish(quick)
        let all = try await reader.all()
        let waited = try await slowReader.start().all()
        #expect(
            all.count > 1 << 20 && waited.count > 100_000 && all.starts(with: waited),
            "\(all.count) and \(waited.count) bytes")
        await rig.path.stop()
    }

    @Test("a target that makes a datagram of each read finds whole packets, also behind a pipe that was full")
    func wholePackets() async throws {
        let rig = await Rig()
        let (_, writer, events) = try await rig.source()
        let bytes = try await stream(seconds: 4, gop: 300, busy: true)
        #expect(bytes.count > 1 << 20)
        try await rig.write(bytes, to: writer)
        let (publisher, end) = try await rig.path.attachPublisher(to: .channel("main"), isPaced: false) { _ in }
        async let datagrams = readDatagrams(of: 7 * TransportBytes.packetSize, from: end, pause: .milliseconds(20))
        writer.end()
        try await events.wait(for: .ended)
        try await rig.finish(publisher)
        let given = await datagrams
        #expect(given.reduce(0) { $0 + $1.count } > 1 << 20)
        let odd = given.indices.filter {
            given[$0].first != 0x47 || !given[$0].count.isMultiple(of: TransportBytes.packetSize)
        }
        #expect(odd.isEmpty, "\(odd.count) of \(given.count), the first is \(odd.first ?? 0)")
        await rig.path.stop()
    }

    @Test("taps serve several clients, and one that never reads holds up none")
    func taps() async throws {
        let rig = await Rig()
        let port = try await rig.path.openTap(on: .channel("main"), port: try FreePort.tcp())
        let clients = try (0..<3).map { _ in try Reader(port: port).start() }
        let hung = try Reader(port: port)
        let (_, writer, events) = try await rig.source()
        try await rig.write(await RecordedStream.busy.bytes(), to: writer)
        writer.end()
        try await events.wait(for: .ended)
        try await eventually("the last picture at every client") {
            Set(clients.map(\.bytes.count)).count == 1 && clients[0].bytes.count > 1_400_000
        }
        await rig.path.stop()
        for client in clients {
            let verdict = Verdict(try await client.frames())
            #expect(verdict.isWhole && verdict.received == 150, "\(verdict)")
        }
        #expect(hung.bytes.isEmpty)
        try await eventually("the port to be free") { !FreePort.isListening(tcp: port) }
    }

    @Test("a tap whose port is taken has the next free one")
    func tapCollision() async throws {
        let rig = await Rig()
        await rig.path.addGroup("hd")
        let first = try await rig.path.openTap(on: .channel("main"), port: try FreePort.tcp())
        let second = try await rig.path.openTap(on: .group("hd"), port: first)
        #expect((first + 1...first + 100).contains(second))
        #expect(FreePort.isListening(tcp: first) && FreePort.isListening(tcp: second))
        await rig.path.stop()
    }

    @Test("a tap takes sixteen clients; another one is turned away, and finds a place when one has gone")
    func tapLimit() async throws {
        let rig = await Rig()
        let port = try await rig.path.openTap(on: .channel("main"), port: try FreePort.tcp())
        var clients = try (0..<16).map { _ in try Reader(port: port).start() }
        let surplus = try Reader(port: port).start()
        try await eventually("the seventeenth to be turned away") { surplus.hasEnded }
        #expect(clients.allSatisfy { !$0.hasEnded })
        clients.removeLast().hangUp()
        let (_, writer, _) = try await rig.source()
        try await eventually("a place") {
            // That a client has gone is noticed when there is something for it.
            try await rig.write(await RecordedStream.plain.bytes(), to: writer)
            // One that is let in is given the newest keyframe, and nobody else anything.
            let client = try Reader(port: port).start()
            try await eventually("bytes, or the end") { !client.bytes.isEmpty || client.hasEnded }
            return !client.bytes.isEmpty
        }
        await rig.path.stop()
    }

    @Test("a client of a tap that takes nothing loses its place after a while; one that reads keeps it")
    func tapPatience() async throws {
        // Longer than the thread of the one that reads may be late.
        let rig = await Rig(tapPatience: .seconds(4))
        let port = try await rig.path.openTap(on: .channel("main"), port: try FreePort.tcp())
        let hung = try Reader(port: port)
        let reading = try Reader(port: port).start()
        let (_, writer, _) = try await rig.source()
        // More than the kernel holds for a connection.
        for _ in 0..<4 { try await rig.write(await RecordedStream.busy.bytes(), to: writer) }
        try await eventually("the client that takes nothing to be dropped") {
            try await rig.write(await RecordedStream.busy.bytes(), to: writer)
            return hung.isDropped
        }
        #expect(!reading.hasEnded)
        await rig.path.stop()
    }

    // MARK: Two sources

    @Test("the source most wanted takes the air at its keyframe, and the other one has it back when it ends")
    func priorities() async throws {
        let rig = await Rig()
        let (publisher, reader, _) = try await rig.publisher()
        reader.start()
        let (_, low, lowEvents) = try await rig.source(1)
        let (_, high, highEvents) = try await rig.source(0)
        let first = try await stream(seconds: 3)
        let second = try await stream(from: 1000, seconds: 2)
        let third = first.count / 3 / TransportBytes.packetSize * TransportBytes.packetSize
        try await rig.write(first[..<third], to: low)
        try await lowEvents.wait(for: "on air") { if case .onAir = $0 { true } else { false } }
        // From the middle of a GOP on: nothing is taken before the keyframe.
        let entry = try #require(TransportBytes.timestamps(second).filter { $0.pid == 256 }.dropFirst(5).first)
        try await rig.write(tables(second) + second[(entry.packet * TransportBytes.packetSize)...], to: high)
        try await highEvents.wait(for: "on air") { if case .onAir = $0 { true } else { false } }
        try await rig.write(first[third..<2 * third], to: low)
        high.end()
        try await highEvents.wait(for: .ended)
        try await rig.write(first[(2 * third)...], to: low)
        low.end()
        try await lowEvents.wait(for: .ended)
        try await rig.finish(publisher)

        let bytes = try await reader.all()
        #expect(backwards(bytes).isEmpty)
        let reading = try await FrameReader.read(.bytes(bytes), options: ["-f", "mpegts"])
        #expect(reading.complaints.isEmpty, "\(reading.complaints)")
        let numbers = reading.numbers
        let up = try #require(numbers.firstIndex { $0 >= 1000 })
        let down = try #require(numbers.lastIndex { $0 >= 1000 }) + 1
        #expect(numbers[..<up] == Array(0..<UInt32(up))[...])
        #expect(numbers[up..<down] == Array(1010..<1060)[...])
        #expect(numbers[down] % 10 == 0 && numbers[down] > numbers[up - 1])
        #expect(Array(numbers[down...]) == Array(numbers[down]..<90))
        let isKey = reading.frames.map(\.isKey)
        #expect(isKey[up] && isKey[down])
        #expect(lowEvents.all.filter { $0 == .offAir }.count == 1)
        await rig.path.stop()
    }

    @Test(
        "a source that takes the air between a picture and its B-frames lets those go first: what is shown has no gap")
    func lastBFrames() async throws {
        let rig = await Rig()
        let (publisher, reader, _) = try await rig.publisher()
        reader.start()
        let (_, low, lowEvents) = try await rig.source(1)
        let (_, high, highEvents) = try await rig.source(0)
        let before = try await stream(gop: 30, bFrames: 2)
        let after = try await stream(from: 1000, bFrames: 2)
        let pictures = TransportBytes.timestamps(before).filter { $0.pid == 256 }
        // The picture before this one is shown behind it, and behind the next.
        let index = try #require(
            pictures.indices.dropFirst(20).dropLast(2).first {
                pictures[$0].pts < pictures[$0 - 1].pts && pictures[$0 + 1].pts < pictures[$0 - 1].pts
            })
        let cut = pictures[index].packet * TransportBytes.packetSize
        try await rig.write(before[..<cut], to: low)
        try await lowEvents.wait(for: "on air") { if case .onAir = $0 { true } else { false } }
        let second =
            try #require(TransportBytes.timestamps(after).filter { $0.pid == 256 }.dropFirst().first).packet
            * TransportBytes.packetSize
        // At once: what comes behind the keyframe waits with it.
        await high.write(after[..<second])
        try await eventually("the keyframe to be read", within: .seconds(20), every: .milliseconds(1)) {
            high.waiting == 0
        }
        await low.write(before[cut...])
        try await highEvents.wait(for: "on air") { if case .onAir = $0 { true } else { false } }
        try await rig.write(after[second...], to: high)
        high.end()
        try await highEvents.wait(for: .ended)
        try await rig.finish(publisher)

        let bytes = try await reader.all()
        #expect(backwards(bytes).isEmpty)
        let shown = TransportBytes.timestamps(bytes).filter { $0.pid == 256 }.map(\.pts).sorted()
        try #require(shown.count == index + 2 + 60)
        var steps = zip(shown, shown.dropFirst()).map { $1 - $0 }
        // A keyframe that the data path's thread takes more than a tenth of a second late is shown as much later.
        let change = steps.remove(at: index + 1)
        #expect(steps.allSatisfy { $0 == 3000 } && (change == 3000 || change > 12_000), "\(shown)")
        await rig.path.stop()
    }

    /// The first PAT and PMT of a stream.
    private func tables(_ bytes: [UInt8]) -> [UInt8] {
        Array(TransportBytes.packets(bytes).filter { [0, 4096].contains(TransportBytes.pid($0)) }.prefix(2).joined())
    }

    @Test("a source that falls silent loses the air to one that delivers")
    func silentSource() async throws {
        let rig = await Rig(patience: Limit.scaled(.milliseconds(300)))
        let (publisher, reader, _) = try await rig.publisher()
        reader.start()
        let (_, high, highEvents) = try await rig.source(0)
        let (_, low, lowEvents) = try await rig.source(1)
        let other = try await stream(seconds: 1)
        try await rig.write(await stream(from: 1000, seconds: 1), to: high)
        // A late test may have left a pause before the last picture, too.
        await rig.path.ping()
        try await eventually("silence behind the last picture") { highEvents.all.last == .stalled }
        try await rig.write(other, to: low)
        try await highEvents.wait(for: .offAir)
        low.end()
        try await lowEvents.wait(for: .ended)
        try await rig.finish(publisher)
        let bytes = try await reader.all()
        let reading = try await FrameReader.read(.bytes(bytes), options: ["-f", "mpegts"])
        #expect(reading.numbers == Array(1000..<1030) + Array(0..<30))
        #expect(reading.complaints.isEmpty, "\(reading.complaints)")
        #expect(backwards(bytes).isEmpty)
        await rig.path.stop()
    }

    // MARK: Encoders

    @Test(
        """
        the next encoder begins at the keyframe before the place where the group feed ends, and nothing is missing \
        or twice
        """
    )
    func resumption() async throws {
        let rig = await Rig()
        await rig.path.addGroup("hd")
        let (publisher, reader, _) = try await rig.publisher(.group("hd"))
        reader.start()
        let fresh = await rig.path.resumption(of: "hd", in: "main")
        #expect(fresh.video == nil && fresh.audio == nil)

        let (channel, channelReader, _) = try await rig.publisher()
        channelReader.start()
        let (_, writer, events) = try await rig.source()
        try await rig.write(await stream(seconds: 4), to: writer)
        writer.end()
        try await events.wait(for: .ended)
        try await rig.finish(channel)
        let whole = try await channelReader.all()
        let firstEvents = Reports<EncoderEvent>()
        let (first, input, output) = try await rig.path.attachEncoder(to: "hd", in: "main", needsKeyframe: false) {
            firstEvents.add($0)
        }
        let fed = Reader(input).start()
        let encoder = Writer(output)
        await rig.path.endInput(of: first)
        let offered = try await fed.all()
        // The channel's feed has all of it, but a reader without a past begins at the newest keyframe.
        #expect(TransportBytes.timestamps(offered).filter { $0.pid == 256 }.count == 10)
        encoder.end()
        try await firstEvents.wait(for: .ended)
        await rig.path.detach(first)

        // The next one gives 47 pictures back and dies in the middle of another.
        let pictures = TransportBytes.timestamps(whole).filter { $0.pid == 256 }
        let dying = pictures[47]
        let secondEvents = Reports<EncoderEvent>()
        let (second, secondInput, secondOutput) = try await rig.path.attachEncoder(
            to: "hd", in: "main", needsKeyframe: true
        ) { secondEvents.add($0) }
        let secondEncoder = Writer(secondOutput)
        _ = Reader(secondInput).start()
        try await rig.write(whole[..<((dying.packet + 1) * TransportBytes.packetSize - 60)], to: secondEncoder)
        secondEncoder.end()
        try await secondEvents.wait(for: .ended)
        await rig.path.detach(second)
        let place = await rig.path.resumption(of: "hd", in: "main")
        #expect(place.video == Int64(pictures[46].pts) + 1)
        #expect(place.videoFormat?.width == nil || place.videoFormat?.width == 320)

        let thirdEvents = Reports<EncoderEvent>()
        let (third, thirdInput, thirdOutput) = try await rig.path.attachEncoder(
            to: "hd", in: "main", needsKeyframe: false
        ) { thirdEvents.add($0) }
        let thirdReader = Reader(thirdInput).start()
        await rig.path.endInput(of: third)
        let resumed = try await thirdReader.all()
        let begin = try #require(TransportBytes.timestamps(resumed).first { $0.pid == 256 })
        #expect(begin.pts == pictures[40].pts)
        let thirdEncoder = Writer(thirdOutput)
        await thirdEncoder.write(resumed)
        thirdEncoder.end()
        try await thirdEvents.wait(for: .ended)
        try await rig.finish(publisher)
        let bytes = try await reader.all()
        let reading = try await FrameReader.read(.bytes(bytes), options: ["-f", "mpegts"])
        let verdict = Verdict(reading)
        #expect(verdict.isWhole && verdict.received == 120, "\(verdict)")
        #expect(reading.complaints.isEmpty, "\(reading.complaints)")
        #expect(backwards(bytes).isEmpty)
        await rig.path.stop()
    }

    /// A group whose encoder has given the first 33 of 90 pictures, from where another one can take over.
    private struct EncoderInUse {
        let rig: Rig
        let publisher: DataPath.Attachment
        let reader: Reader
        let events: Reports<EncoderEvent>
        let first: DataPath.Attachment
        /// What the encoder is given.
        let fed: Reader
        let fedSoFar: [UInt8]
        let encoder: Writer
        /// Of the source.
        let writer: Writer
        let rest: ArraySlice<UInt8>
        /// The last picture of the channel, in ticks.
        let place: Int64
    }

    private func encoderInUse() async throws -> EncoderInUse {
        let rig = await Rig()
        await rig.path.addGroup("hd")
        let (publisher, reader, _) = try await rig.publisher(.group("hd"))
        reader.start()
        let events = Reports<EncoderEvent>()
        let (first, input, output) = try await rig.path.attachEncoder(to: "hd", in: "main", needsKeyframe: true) {
            events.add($0)
        }
        let fed = Reader(input).start()
        let (_, writer, _) = try await rig.source()
        let given = try await stream(seconds: 3)
        let half = TransportBytes.timestamps(given).filter { $0.pid == 256 }[33].packet * TransportBytes.packetSize
        try await rig.write(given[..<half], to: writer, paceOf: first)
        let place = try #require(await rig.path.figures(ofChannel: "main")?.end)
        let encoder = Writer(output)
        // Otherwise the encoder owes what is still on its way.
        try await eventually("the pictures to be read") {
            TransportBytes.timestamps(fed.bytes).filter { $0.pid == 256 }.count == 33
        }
        let fedSoFar = fed.bytes
        try await rig.write(fedSoFar, to: encoder, paceOf: publisher)
        try await events.wait(for: "a picture") { if case .delivering = $0 { true } else { false } }
        return EncoderInUse(
            rig: rig, publisher: publisher, reader: reader, events: events, first: first, fed: fed, fedSoFar: fedSoFar,
            encoder: encoder,
            writer: writer, rest: given[half...], place: place)
    }

    @Test(
        """
        an encoder whose successor ends behind the place of its taking over gives nothing more, and the next one \
        begins there
        """
    )
    func torn() async throws {
        let use = try await encoderInUse()
        let (rig, publisher, reader, events, first) = (use.rig, use.publisher, use.reader, use.events, use.first)
        let (fed, encoder, fedSoFar, place) = (use.fed, use.encoder, use.fedSoFar, use.place)
        let takeOver = { (ticks: Int64) in
            try await rig.path.attachEncoder(
                to: "hd", in: "main", needsKeyframe: true,
                takingOverAt: Splicer.Cut(video: place + ticks, audio: place + ticks)
            ) { _ in }
        }
        await #expect(throws: DataPath.PassedBy.self) { _ = try await takeOver(-3000) }
        let (second, secondInput, secondOutput) = try await takeOver(7500)
        try await rig.write(use.rest, to: use.writer, paceOf: first)
        let offered = try await eventually("pictures for the encoder", within: .seconds(20)) {
            TransportBytes.timestamps(fed.bytes).filter { $0.pid == 256 }.count == 90 ? fed.bytes : nil
        }
        let pictures = TransportBytes.timestamps(offered).filter { $0.pid == 256 }
        let upTo = { (number: Int) in pictures[number].packet * TransportBytes.packetSize }
        let last = try #require(pictures.firstIndex { Int64($0.dts) >= place + 7500 }) - 1

        try await rig.write(offered[fedSoFar.count..<upTo(last + 3)], to: encoder)
        // It finds no session, say.
        Writer(secondOutput).end()
        _ = Reader(secondInput)
        await rig.path.detach(second)
        try await events.wait(for: .torn)
        await #expect(throws: DataPath.NothingToTakeOver.self) { _ = try await takeOver(10 * Ticks.perSecond) }
        try await rig.write(offered[upTo(last + 3)..<upTo(last + 11)], to: encoder)
        encoder.end()
        try await events.wait(for: .ended)
        await rig.path.detach(first)
        #expect(await rig.path.resumption(of: "hd", in: "main").video == Int64(pictures[last].pts) + 1)

        let (third, thirdInput, thirdOutput) = try await rig.path.attachEncoder(
            to: "hd", in: "main", needsKeyframe: false
        ) { _ in }
        let rest = Reader(thirdInput).start()
        await rig.path.endInput(of: third)
        let thirdEncoder = Writer(thirdOutput)
        await thirdEncoder.write(try await rest.all())
        thirdEncoder.end()
        await rig.path.detach(third)
        try await rig.finish(publisher)
        let verdict = Verdict(try await FrameReader.read(.bytes(try await reader.all()), options: ["-f", "mpegts"]))
        #expect(verdict.isWhole && verdict.received == 90, "\(verdict)")
        #expect(await rig.path.figures(ofGroup: "hd")?.lostFrames == 0)
        await rig.path.stop()
    }

    @Test(
        "a group that ends in the middle of a handover ends with its last picture; a crash there hands nothing over",
        arguments: [true, false])
    func endInHandover(isAsked: Bool) async throws {
        let use = try await encoderInUse()
        let (rig, publisher, reader, events, first) = (use.rig, use.publisher, use.reader, use.events, use.first)
        let (fed, encoder, fedSoFar, place) = (use.fed, use.encoder, use.fedSoFar, use.place)
        let (second, secondInput, secondOutput) = try await rig.path.attachEncoder(
            to: "hd", in: "main", needsKeyframe: false, takingOverAt: Splicer.Cut(video: place + 7500, audio: .max)
        ) { _ in }
        _ = Reader(secondInput)
        try await rig.write(use.rest, to: use.writer, paceOf: first)
        let offered = try await eventually("pictures for the encoder", within: .seconds(20)) {
            TransportBytes.timestamps(fed.bytes).filter { $0.pid == 256 }.count == 90 ? fed.bytes : nil
        }
        if isAsked {
            await rig.path.endInput(of: first)
            await rig.path.endInput(of: second)
        }
        let secondEncoder = Writer(secondOutput)
        async let everything: Void = secondEncoder.write(offered)
        if isAsked {
            // To the first picture that is the other one's, and not to the sound that is.
            let pictures = TransportBytes.timestamps(offered).filter { $0.pid == 256 }
            let passed = try #require(pictures.firstIndex { Int64($0.dts) >= place + 7500 })
            let end = pictures[passed + 1].packet * TransportBytes.packetSize
            let last = Array(offered[fedSoFar.count..<end])
            // With nothing between, or the other one takes over as it does where sound is waited for in vain.
            await meanwhile(rig.path) {
                encoder.writeNow(last)
                encoder.end()
            }
        } else {
            encoder.end()
        }
        try await events.wait(for: .ended)
        await rig.path.detach(first)
        if !isAsked { await rig.path.detach(second) }
        await everything
        secondEncoder.end()
        try await eventually("the pictures in the group's feed", within: .seconds(20)) {
            await rig.path.figures(ofGroup: "hd")?.frames == (isAsked ? 90 : 33)
        }
        await rig.path.detach(second)
        #expect(await rig.path.figures(ofGroup: "hd")?.lostFrames == 0)
        try await rig.finish(publisher)
        let verdict = Verdict(try await FrameReader.read(.bytes(try await reader.all()), options: ["-f", "mpegts"]))
        #expect(verdict.isWhole && verdict.received == (isAsked ? 90 : 33), "\(verdict)")
        await rig.path.stop()
    }

    /// Does something while the data path's thread looks at nothing else.
    private func meanwhile(_ path: isolated DataPath, _ body: @Sendable () -> Void) { body() }

    @Test("a picture that an encoder leaves out is counted as lost, and one that the channel did not have is not")
    func leftOut() async throws {
        let rig = await Rig()
        await rig.path.addGroup("hd")
        let (attachment, input, output) = try await rig.path.attachEncoder(to: "hd", in: "main", needsKeyframe: true) {
            _ in
        }
        let fed = Reader(input).start()
        let (_, writer, _) = try await rig.source()
        let given = try await stream(seconds: 3)
        let numbers = TransportBytes.timestamps(given).filter { $0.pid == 256 }
        // The source itself has no picture 12.
        let short = without(numbers[12], in: given)
        try await rig.write(short, to: writer, paceOf: attachment)
        let offered = try await eventually("pictures for the encoder", within: .seconds(20)) {
            TransportBytes.timestamps(fed.bytes).filter { $0.pid == 256 }.count == 89 ? fed.bytes : nil
        }
        let pictures = TransportBytes.timestamps(offered).filter { $0.pid == 256 }
        let encoder = Writer(output)
        try await rig.write(
            without(pictures[50], in: without(pictures[44], in: without(pictures[43], in: offered))), to: encoder)
        try await eventually("the pictures in the group's feed", within: .seconds(20)) {
            await rig.path.figures(ofGroup: "hd")?.frames == 86
        }
        #expect(await rig.path.figures(ofGroup: "hd")?.lostFrames == 3)
        await rig.path.stop()
    }

    /// A stream without the packets of one picture.
    private func without(_ picture: TransportBytes.Timestamp, in bytes: [UInt8]) -> [UInt8] {
        let size = TransportBytes.packetSize
        let pid = { (packet: Int) in Int(bytes[packet * size + 1] & 0x1F) << 8 | Int(bytes[packet * size + 2]) }
        guard
            let start = TransportBytes.timestamps(bytes).first(where: { $0.pid == picture.pid && $0.dts == picture.dts }
            )?.packet
        else { return bytes }
        var end = start + 1
        let count = bytes.count / size
        while end < count, pid(end) != picture.pid || bytes[end * size + 1] & 0x40 == 0 { end += 1 }
        let kept = (0..<count).filter { !(start..<end).contains($0) || pid($0) != picture.pid }
        return kept.flatMap { bytes[($0 * size)..<(($0 + 1) * size)] }
    }

    @Test("an encoder is fed from the keyframe before the missing sound, where that ends earlier than the picture")
    func resumptionOfSound() async throws {
        let rig = await Rig()
        await rig.path.addGroup("hd")
        let (channel, channelReader, _) = try await rig.publisher()
        channelReader.start()
        let (_, writer, events) = try await rig.source()
        try await rig.write(await stream(), to: writer)
        writer.end()
        try await events.wait(for: .ended)
        try await rig.finish(channel)
        let whole = try await channelReader.all()
        let pictures = TransportBytes.timestamps(whole).filter { $0.pid == 256 }
        // The first encoder dies behind the keyframe 40, with its sound at picture 37.
        let packets = TransportBytes.packets(whole).enumerated().filter { index, packet in
            index < pictures[41].packet && (TransportBytes.pid(packet) != 257 || index < pictures[37].packet)
        }
        let (first, firstInput, firstOutput) = try await rig.path.attachEncoder(
            to: "hd", in: "main", needsKeyframe: true
        ) { _ in }
        let ends = (Reader(firstInput).start(), Writer(firstOutput))
        try await rig.write(Array(packets.map(\.element).joined()), to: ends.1)
        ends.1.end()
        await rig.path.detach(first)
        let place = await rig.path.resumption(of: "hd", in: "main")
        #expect(place.video.map { $0 > Int64(pictures[40].pts) } == true)
        #expect(place.audio.map { $0 < Int64(pictures[39].pts) } == true)
        let (second, secondInput, secondOutput) = try await rig.path.attachEncoder(
            to: "hd", in: "main", needsKeyframe: true
        ) { _ in }
        let reader = Reader(secondInput).start()
        await rig.path.endInput(of: second)
        let begin = try #require(TransportBytes.timestamps(try await reader.all()).first { $0.pid == 256 })
        #expect(begin.pts == pictures[30].pts)
        try secondOutput.close()
        await rig.path.stop()
    }

    @Test("an encoder that takes and gives nothing is told as stalled, one without input is not")
    func stalledEncoder() async throws {
        let rig = await Rig()
        await rig.path.addGroup("hd")
        await rig.path.addGroup("idle")
        let bytes = try await stream(seconds: 20)
        let idle = Reports<EncoderEvent>()
        let hung = Reports<EncoderEvent>()
        await rig.path.addChannel("empty", patience: .seconds(1))
        let (_, idleInput, idleOutput) = try await rig.path.attachEncoder(to: "idle", in: "empty", needsKeyframe: true)
        { idle.add($0) }
        let (_, hungInput, hungOutput) = try await rig.path.attachEncoder(to: "hd", in: "main", needsKeyframe: true) {
            hung.add($0)
        }
        let ends = (Reader(idleInput).start(), Writer(idleOutput), Reader(hungInput).start(), Writer(hungOutput))
        let (_, writer, _) = try await rig.source()
        let flow = Task {
            for start in stride(from: 0, to: bytes.count, by: 7 * TransportBytes.packetSize) where !Task.isCancelled {
                await writer.write(bytes[start..<min(bytes.count, start + 7 * TransportBytes.packetSize)])
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
        try await hung.wait(for: .stalled)
        flow.cancel()
        await flow.value
        #expect(idle.all.isEmpty)
        withExtendedLifetime(ends) {}
        await rig.path.stop()
    }

    @Test("an encoder may take longer to its first picture than between two")
    func slowStart() async throws {
        let rig = await Rig()
        await rig.path.addGroup("hd")
        let bytes = try await stream(seconds: 20)
        let hasty = Reports<EncoderEvent>()
        let patient = Reports<EncoderEvent>()
        await rig.path.addGroup("slow")
        let (_, hastyInput, hastyOutput) = try await rig.path.attachEncoder(to: "hd", in: "main", needsKeyframe: true) {
            hasty.add($0)
        }
        let (_, patientInput, patientOutput) = try await rig.path.attachEncoder(
            to: "slow", in: "main", needsKeyframe: true, startPatience: .seconds(3600)
        ) { patient.add($0) }
        let ends = (
            Reader(hastyInput).start(), Writer(hastyOutput), Reader(patientInput).start(), Writer(patientOutput)
        )
        let (_, writer, _) = try await rig.source()
        let flow = Task {
            for start in stride(from: 0, to: bytes.count, by: 7 * TransportBytes.packetSize) where !Task.isCancelled {
                await writer.write(bytes[start..<min(bytes.count, start + 7 * TransportBytes.packetSize)])
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
        try await hasty.wait(for: .stalled)
        flow.cancel()
        await flow.value
        #expect(patient.all.isEmpty)
        withExtendedLifetime(ends) {}
        await rig.path.stop()
    }

    @Test("an encoder whose source is silent behind the replay is left alone")
    func silentReplay() async throws {
        let rig = await Rig()
        await rig.path.addGroup("hd")
        let (_, writer, _) = try await rig.source()
        try await rig.write(await stream(), to: writer)
        let events = Reports<EncoderEvent>()
        let (_, input, output) = try await rig.path.attachEncoder(to: "hd", in: "main", needsKeyframe: true) {
            events.add($0)
        }
        let ends = (Reader(input).start(), Writer(output))
        try await eventually("the replay") { !ends.0.bytes.isEmpty }
        // Half as long again as it may take and not give.
        try await Task.sleep(for: DataPath.encoderPatience * 3 / 2)
        #expect(events.all.isEmpty)
        withExtendedLifetime(ends) {}
        await rig.path.stop()
    }

    @Test("an encoder whose source pauses its picture while sound goes on is neither stalled nor slow")
    func pausedPicture() async throws {
        let use = try await encoderInUse()
        // A late test may have let it owe pictures until now.
        await use.rig.path.ping()
        let before = use.events.all.count
        let sound = TransportBytes.packets(Array(use.rest)).filter { TransportBytes.pid($0) != 256 }
        // For twice as long as an encoder may take pictures and give none.
        let piece = max(1, sound.count / 20)
        for start in stride(from: 0, to: sound.count, by: piece) {
            await use.writer.write(sound[start..<min(sound.count, start + piece)].flatMap { $0 })
            try await Task.sleep(for: DataPath.encoderPatience / 10)
        }
        try await eventually("sound for the encoder") { use.fed.bytes.count > use.fedSoFar.count }
        let told = use.events.all.dropFirst(before)
        #expect(!told.contains(.stalled) && !told.contains(.slow), "\(use.events.all)")
        await use.rig.path.stop()
    }

    // MARK: Descriptors

    @Test("attaching and detaching leaves no descriptor behind")
    func descriptors() async throws {
        let rig = await Rig()
        await rig.path.addGroup("hd")
        var pipes: [String] = []
        for round in 0..<50 {
            let (source, sourceEnd) = try await rig.path.attachSource(to: "main", priority: round) { _ in }
            let (publisher, publisherEnd) = try await rig.path.attachPublisher(to: .channel("main")) { _ in }
            let (encoder, input, output) = try await rig.path.attachEncoder(to: "hd", in: "main", needsKeyframe: true) {
                _ in
            }
            let ends = [sourceEnd, publisherEnd, input, output]
            pipes += ends.map { target(of: $0.rawValue) }
            // The processes die before they are detached, or after.
            if round.isMultiple(of: 2) { for end in ends { try end.close() } }
            for attachment in [source, publisher, encoder] { await rig.path.detach(attachment) }
            if !round.isMultiple(of: 2) { for end in ends { try end.close() } }
        }
        #expect(Set(pipes).count == 200 && pipes.allSatisfy { $0.hasPrefix("pipe:[") })
        let open = Set(
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { CInt($0) }.map(target))
        #expect(open.isDisjoint(with: pipes))
        await rig.path.stop()
    }

    @Test("stopping ends every pipe and every tap")
    func stopping() async throws {
        let rig = await Rig()
        let port = try await rig.path.openTap(on: .channel("main"), port: try FreePort.tcp())
        let client = try Reader(port: port).start()
        let (_, reader, _) = try await rig.publisher()
        reader.start()
        let (_, writer, _) = try await rig.source()
        try await rig.write(await stream(), to: writer)
        try await eventually("a stream") { !client.bytes.isEmpty && !reader.bytes.isEmpty }
        await rig.path.stop()
        _ = try await reader.all()
        _ = try await client.all()
    }

    private func target(of descriptor: CInt) -> String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")) ?? "closed"
    }
}
