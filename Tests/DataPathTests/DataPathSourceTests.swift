import MPEGTS
import TestSupport
import Testing

@testable import DataPath

/// Tests the sources of a channel with real pipes.
@Suite(.tags(.ffmpeg)) struct DataPathSourceTests {
    // MARK: One source

    @Test("a source on air whose size changes reports the new format once")
    func changingFormat() async throws {
        let rig = await DataPathRig()
        let (_, writer, events) = try await rig.source()
        let other = try await NumberedSource.with {
            $0.width = 160
            $0.height = 320
            $0.duration = .seconds(1)
            $0.gop = 10
            $0.start = .seconds(1)
        }.bytes()
        try await rig.write(try await numberedStream(seconds: 1), to: writer)
        try await rig.write(other, to: writer)
        writer.end()
        try await events.wait(for: .ended)
        let changes = events.all.compactMap { event in if case .changed(let format?) = event { format } else { nil } }
        #expect(changes.map { [$0.width, $0.height] } == [[160, 320]])
        await rig.path.stop()
    }

    @Test(
        "a stream that goes in at one end comes out complete at the other",
        arguments: [RecordedStream.plain, .bFrames, .otherPIDs, .noRandomAccess, .busy, .hevc])
    func whole(recorded: RecordedStream) async throws {
        let rig = await DataPathRig()
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

    @Test("a source without audio comes out with silence")
    func silence() async throws {
        let rig = await DataPathRig()
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

    @Test("another size or another rate than announced reports the format again")
    func changedFormats() async throws {
        let rig = await DataPathRig()
        let (_, writer, events) = try await rig.source()
        try await rig.write(try await numberedStream(), to: writer)
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
            case .program, .onAir, .offAir, .stalled, .ahead, .foreignAudio, .otherAudioFormat, .lateAudio: nil
            case .lost, .unreadable, .ended: nil
            }
        }
        // A measured rate is valid until another one has been measured.
        #expect(formats == ["delivering h264 320x180@30", "changed h264 640x360@30", "changed h264 640x360@15"])
        await rig.path.stop()
    }

    @Test("a source reports its program, on air, its silence and its end in order")
    func sourceEvents() async throws {
        let rig = await DataPathRig(patience: Limit.scaled(.milliseconds(200)))
        let (_, writer, events) = try await rig.source()
        let bytes = try await numberedStream()
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
            case .otherAudioFormat: "other audio format"
            case .lateAudio: "late audio"
            case .lost(let count): "lost \(count)"
            case .unreadable(let problem): "unreadable: \(problem)"
            case .ended: "ended"
            }
        }
        #expect(Array(words.prefix(5)) == ["program", "delivering 320x180", "on air", "stalled", "delivering 320x180"])
        #expect(words.last == "ended")
        await rig.path.stop()
    }

    @Test("garbage before, between and behind the packets does not break a stream")
    func garbage() async throws {
        try await withSeededRandom { random in
            let rig = await DataPathRig()
            let (publisher, reader, _) = try await rig.publisher()
            reader.start()
            let (attachment, writer, _) = try await rig.source()
            try await rig.write((0..<300_000).map { _ in UInt8.random(in: 0...255, using: &random) }, to: writer)
            writer.end()
            await rig.path.detach(attachment)
            let (_, second, events) = try await rig.source()
            try await rig.write((0..<5000).map { _ in UInt8.random(in: 0...255, using: &random) }, to: second)
            let bytes = try await numberedStream()
            try await rig.write(TransportBytes.insertGarbage(bytes, chance: 0.02, using: &random), to: second)
            second.end()
            try await events.wait(for: .ended)
            try await rig.finish(publisher)
            let reading = try await reader.frames()
            // A unit that contains garbage may be lost. None is broken.
            #expect(reading.numbers.count > 20, "\(random.hint)")
            #expect(Verdict(reading).backwards.isEmpty, "\(random.hint)")
            await rig.path.stop()
        }
    }

    @Test("a writer that is killed within a frame leaves nothing of it in the feed")
    func partialUnit() async throws {
        let rig = await DataPathRig()
        let (publisher, reader, _) = try await rig.publisher()
        reader.start()
        let bytes = try await numberedStream(busy: true)
        // In the middle of a packet, in a frame of many packets.
        let frame = try #require(TransportBytes.timestamps(bytes).filter { $0.pid == 256 }.dropFirst(30).first)
        let cut = (frame.packet + 8) * TransportBytes.packetSize + 77
        let (first, writer, events) = try await rig.source()
        try await rig.write(bytes[..<cut], to: writer)
        writer.end()
        try await events.wait(for: .ended)
        await rig.path.detach(first)
        // The next stream begins as much later as it arrives later, so the feed may discard what was before.
        try await rig.catchUp(publisher)
        let (_, second, secondEvents) = try await rig.source()
        try await rig.write(await numberedStream(from: 1000), to: second)
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
        "a source that gives a file at once is held back and loses no frame", arguments: [true, false])
    func ahead(isOnAir: Bool) async throws {
        // Less than a group of pictures: a reader that waits for the first one would begin with the newest.
        let rig = await DataPathRig(mostAhead: .milliseconds(200))
        let (publisher, reader, _) = try await rig.publisher()
        reader.start()
        let bytes = try await numberedStream(seconds: 3)
        // In reserve, another source is on air.
        let other = try await isOnAir ? nil : rig.source()
        if let other { try await rig.write(await numberedStream(from: 1000, seconds: 0.2), to: other.1) }
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

    @Test("a source held back longer than the patience is not stalled and stays on air")
    func heldBackIsNotSilent() async throws {
        let rig = await DataPathRig(patience: .seconds(1), mostAhead: .seconds(2))
        let (attachment, writer, events) = try await rig.source()
        let rest = try await NumberedSource.with {
            $0.width = 320
            $0.height = 180
            $0.firstNumber = 30
            $0.duration = .seconds(1)
            // The timeline jumps ahead by four seconds, so the source is five ahead.
            $0.start = .seconds(5)
        }.bytes()
        let start = ContinuousClock.now
        // The source ends at once. So there is no silence behind the held-back frames, however late this test
        // continues.
        await writer.write(try await numberedStream(seconds: 1) + rest)
        writer.end()
        try await events.wait(for: .ahead(true))
        while await rig.path.drain(attachment) { try await Task.sleep(for: .milliseconds(10)) }
        try await events.wait(for: .ended)
        // The source is five seconds ahead, and two are allowed: it waits longer than the patience.
        #expect(.now - start >= .milliseconds(2500))
        #expect(!events.all.contains(.stalled) && !events.all.contains(.offAir), "\(events.all)")
        await rig.path.stop()
    }

    @Test("a source that is detached while it is held back leaves nothing behind")
    func detachedAhead() async throws {
        let rig = await DataPathRig(mostAhead: .milliseconds(300))
        let (first, writer, events) = try await rig.source()
        // Two minutes that fit into the pipe: the source is still ahead when a late test looks.
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
        await second.write(try await numberedStream(seconds: 0.2))
        second.end()
        try await secondEvents.wait(for: .ended)
        await rig.path.stop()
    }

    // MARK: Two sources

    @Test("a preferred source goes on air at its keyframe until it ends")
    func priorities() async throws {
        let rig = await DataPathRig()
        let (publisher, reader, _) = try await rig.publisher()
        reader.start()
        let (_, low, lowEvents) = try await rig.source(1)
        let (_, high, highEvents) = try await rig.source(0)
        let first = try await numberedStream(seconds: 3)
        let second = try await numberedStream(from: 1000, seconds: 2)
        let third = first.count / 3 / TransportBytes.packetSize * TransportBytes.packetSize
        try await rig.write(first[..<third], to: low)
        try await lowEvents.wait(for: "on air") { if case .onAir = $0 { true } else { false } }
        // From the middle of a GOP on: no frame is accepted before the keyframe.
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
        "a source that goes on air waits for the B-frames of the one before")
    func lastBFrames() async throws {
        let rig = await DataPathRig()
        let (publisher, reader, _) = try await rig.publisher()
        reader.start()
        let (_, low, lowEvents) = try await rig.source(1)
        let (_, high, highEvents) = try await rig.source(0)
        let before = try await numberedStream(gop: 30, bFrames: 2)
        let after = try await numberedStream(from: 1000, bFrames: 2)
        let frames = TransportBytes.timestamps(before).filter { $0.pid == 256 }
        // The frame before this one is shown after it, and after the next.
        let index = try #require(
            frames.indices.dropFirst(20).dropLast(2).first {
                frames[$0].pts < frames[$0 - 1].pts && frames[$0 + 1].pts < frames[$0 - 1].pts
            })
        let cut = frames[index].packet * TransportBytes.packetSize
        try await rig.write(before[..<cut], to: low)
        try await lowEvents.wait(for: "on air") { if case .onAir = $0 { true } else { false } }
        let second =
            try #require(TransportBytes.timestamps(after).filter { $0.pid == 256 }.dropFirst().first).packet
            * TransportBytes.packetSize
        // Together: the frames behind the keyframe wait with it.
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
        // A keyframe that the data path's thread reads more than a tenth of a second late is shown as much later.
        let change = steps.remove(at: index + 1)
        #expect(steps.allSatisfy { $0 == 3000 } && (change == 3000 || change > 12_000), "\(shown)")
        await rig.path.stop()
    }

    /// Returns the first PAT and PMT of a stream.
    private func tables(_ bytes: [UInt8]) -> [UInt8] {
        Array(TransportBytes.packets(bytes).filter { [0, 4096].contains(TransportBytes.pid($0)) }.prefix(2).joined())
    }

    @Test("a source that falls silent goes off air for one that delivers")
    func silentSource() async throws {
        let rig = await DataPathRig(patience: Limit.scaled(.milliseconds(300)))
        let (publisher, reader, _) = try await rig.publisher()
        reader.start()
        let (_, high, highEvents) = try await rig.source(0)
        let (_, low, lowEvents) = try await rig.source(1)
        let other = try await numberedStream(seconds: 1)
        try await rig.write(await numberedStream(from: 1000, seconds: 1), to: high)
        // A late test may have left a pause before the last frame, too.
        await rig.path.ping()
        try await eventually("silence behind the last frame") { highEvents.all.last == .stalled }
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
}
