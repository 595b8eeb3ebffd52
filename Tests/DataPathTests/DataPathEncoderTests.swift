import EventLoop
import MPEGTS
import SystemPackage
import TestSupport
import Testing

@testable import DataPath

/// Tests the encoders of a group with real pipes.
@Suite(.tags(.ffmpeg)) struct DataPathEncoderTests {
    @Test(
        "the next encoder begins at the keyframe before the end of the group feed"
    )
    func resumption() async throws {
        let rig = await DataPathRig()
        await rig.path.addGroup("hd")
        let (publisher, reader, _) = try await rig.publisher(.group("hd"))
        reader.start()
        let fresh = try #require(await rig.path.resumption(of: "hd", in: "main"))
        #expect(fresh.video == nil && fresh.audio == nil)

        let (channel, channelReader, _) = try await rig.publisher()
        channelReader.start()
        let (_, writer, events) = try await rig.source()
        try await rig.write(await numberedStream(seconds: 4), to: writer)
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
        // The channel's feed has the whole stream, but a first reader begins at the newest keyframe.
        #expect(TransportBytes.timestamps(offered).filter { $0.pid == 256 }.count == 10)
        encoder.end()
        try await firstEvents.wait(for: .ended)
        await rig.path.detach(first)

        // The next encoder gives 47 frames and dies in the middle of another.
        let frames = TransportBytes.timestamps(whole).filter { $0.pid == 256 }
        let dying = frames[47]
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
        let place = try #require(await rig.path.resumption(of: "hd", in: "main"))
        #expect(place.video == Int64(frames[46].pts) + 1)
        #expect(place.videoFormat?.width == nil || place.videoFormat?.width == 320)

        let thirdEvents = Reports<EncoderEvent>()
        let (third, thirdInput, thirdOutput) = try await rig.path.attachEncoder(
            to: "hd", in: "main", needsKeyframe: false
        ) { thirdEvents.add($0) }
        let thirdReader = Reader(thirdInput).start()
        await rig.path.endInput(of: third)
        let resumed = try await thirdReader.all()
        let begin = try #require(TransportBytes.timestamps(resumed).first { $0.pid == 256 })
        #expect(begin.pts == frames[40].pts)
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

    /// A group whose encoder has given the first 33 of 90 frames. Another encoder can take over there.
    private struct EncoderInUse {
        let rig: DataPathRig
        let publisher: DataPath.Attachment
        let reader: Reader
        let events: Reports<EncoderEvent>
        let first: DataPath.Attachment
        /// Reads the encoder's input.
        let fed: Reader
        let fedSoFar: [UInt8]
        let encoder: Writer
        /// Writes the source's stream.
        let writer: Writer
        let rest: ArraySlice<UInt8>
        /// The last frame of the channel, in ticks.
        let place: Int64
    }

    private func encoderInUse() async throws -> EncoderInUse {
        let rig = await DataPathRig()
        await rig.path.addGroup("hd")
        let (publisher, reader, _) = try await rig.publisher(.group("hd"))
        reader.start()
        let events = Reports<EncoderEvent>()
        let (first, input, output) = try await rig.path.attachEncoder(to: "hd", in: "main", needsKeyframe: true) {
            events.add($0)
        }
        let fed = Reader(input).start()
        let (_, writer, _) = try await rig.source()
        let given = try await numberedStream(seconds: 3)
        let half = TransportBytes.timestamps(given).filter { $0.pid == 256 }[33].packet * TransportBytes.packetSize
        try await rig.write(given[..<half], to: writer, paceOf: first)
        let place = try #require(await rig.path.figures(ofChannel: "main")?.end)
        let encoder = Writer(output)
        // Otherwise the encoder owes the frames that it has not read yet.
        try await eventually("the frames to be read") {
            TransportBytes.timestamps(fed.bytes).filter { $0.pid == 256 }.count == 33
        }
        let fedSoFar = fed.bytes
        try await rig.write(fedSoFar, to: encoder, paceOf: publisher)
        try await events.wait(for: "a frame") { if case .delivering = $0 { true } else { false } }
        return EncoderInUse(
            rig: rig, publisher: publisher, reader: reader, events: events, first: first, fed: fed, fedSoFar: fedSoFar,
            encoder: encoder,
            writer: writer, rest: given[half...], place: place)
    }

    @Test(
        "an encoder whose successor ends behind the cut gives no more frames"
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
        let offered = try await eventually("frames for the encoder", within: .seconds(20)) {
            TransportBytes.timestamps(fed.bytes).filter { $0.pid == 256 }.count == 90 ? fed.bytes : nil
        }
        let frames = TransportBytes.timestamps(offered).filter { $0.pid == 256 }
        let upTo = { (number: Int) in frames[number].packet * TransportBytes.packetSize }
        let last = try #require(frames.firstIndex { Int64($0.dts) >= place + 7500 }) - 1

        try await rig.write(offered[fedSoFar.count..<upTo(last + 3)], to: encoder)
        // For example, the GPU has no free session.
        Writer(secondOutput).end()
        _ = Reader(secondInput)
        await rig.path.detach(second)
        try await events.wait(for: .torn)
        await #expect(throws: DataPath.NothingToTakeOver.self) { _ = try await takeOver(10 * Ticks.perSecond) }
        try await rig.write(offered[upTo(last + 3)..<upTo(last + 11)], to: encoder)
        encoder.end()
        try await events.wait(for: .ended)
        await rig.path.detach(first)
        #expect(await rig.path.resumption(of: "hd", in: "main")?.video == Int64(frames[last].pts) + 1)

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
        "a group that is stopped during a handover ends with its last frame",
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
        let offered = try await eventually("frames for the encoder", within: .seconds(20)) {
            TransportBytes.timestamps(fed.bytes).filter { $0.pid == 256 }.count == 90 ? fed.bytes : nil
        }
        if isAsked {
            await rig.path.endInput(of: first)
            await rig.path.endInput(of: second)
        }
        let secondEncoder = Writer(secondOutput)
        async let everything: Void = secondEncoder.write(offered)
        if isAsked {
            // Up to the successor's first frame, but not up to its audio.
            let frames = TransportBytes.timestamps(offered).filter { $0.pid == 256 }
            let passed = try #require(frames.firstIndex { Int64($0.dts) >= place + 7500 })
            let end = frames[passed + 1].packet * TransportBytes.packetSize
            let last = Array(offered[fedSoFar.count..<end])
            // Without a pause. Otherwise the successor takes over as it does where the audio does not arrive.
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
        try await eventually("the frames in the group's feed", within: .seconds(20)) {
            await rig.path.figures(ofGroup: "hd")?.frames == (isAsked ? 90 : 33)
        }
        await rig.path.detach(second)
        #expect(await rig.path.figures(ofGroup: "hd")?.lostFrames == 0)
        try await rig.finish(publisher)
        let verdict = Verdict(try await FrameReader.read(.bytes(try await reader.all()), options: ["-f", "mpegts"]))
        #expect(verdict.isWhole && verdict.received == (isAsked ? 90 : 33), "\(verdict)")
        await rig.path.stop()
    }

    /// Runs a closure on the data path's thread, which does nothing else meanwhile.
    private func meanwhile(_ path: isolated DataPath, _ body: @Sendable () -> Void) { body() }

    @Test("a frame that an encoder leaves out counts as lost if the channel had it")
    func leftOut() async throws {
        let rig = await DataPathRig()
        await rig.path.addGroup("hd")
        let (attachment, input, output) = try await rig.path.attachEncoder(to: "hd", in: "main", needsKeyframe: true) {
            _ in
        }
        let fed = Reader(input).start()
        let (_, writer, _) = try await rig.source()
        let given = try await numberedStream(seconds: 3)
        let numbers = TransportBytes.timestamps(given).filter { $0.pid == 256 }
        // The source itself has no frame 12.
        let short = without(numbers[12], in: given)
        try await rig.write(short, to: writer, paceOf: attachment)
        let offered = try await eventually("frames for the encoder", within: .seconds(20)) {
            TransportBytes.timestamps(fed.bytes).filter { $0.pid == 256 }.count == 89 ? fed.bytes : nil
        }
        let frames = TransportBytes.timestamps(offered).filter { $0.pid == 256 }
        let encoder = Writer(output)
        try await rig.write(
            without(frames[50], in: without(frames[44], in: without(frames[43], in: offered))), to: encoder)
        try await eventually("the frames in the group's feed", within: .seconds(20)) {
            await rig.path.figures(ofGroup: "hd")?.frames == 86
        }
        #expect(await rig.path.figures(ofGroup: "hd")?.lostFrames == 3)
        await rig.path.stop()
    }

    /// Returns a stream without the packets of one frame.
    private func without(_ frame: TransportBytes.Timestamp, in bytes: [UInt8]) -> [UInt8] {
        let size = TransportBytes.packetSize
        let pid = { (packet: Int) in Int(bytes[packet * size + 1] & 0x1F) << 8 | Int(bytes[packet * size + 2]) }
        guard
            let start = TransportBytes.timestamps(bytes).first(where: { $0.pid == frame.pid && $0.dts == frame.dts }
            )?.packet
        else { return bytes }
        var end = start + 1
        let count = bytes.count / size
        while end < count, pid(end) != frame.pid || bytes[end * size + 1] & 0x40 == 0 { end += 1 }
        let kept = (0..<count).filter { !(start..<end).contains($0) || pid($0) != frame.pid }
        return kept.flatMap { bytes[($0 * size)..<(($0 + 1) * size)] }
    }

    @Test("an encoder reads from the keyframe before the missing audio")
    func resumptionOfAudio() async throws {
        let rig = await DataPathRig()
        await rig.path.addGroup("hd")
        let (channel, channelReader, _) = try await rig.publisher()
        channelReader.start()
        let (_, writer, events) = try await rig.source()
        try await rig.write(await numberedStream(), to: writer)
        writer.end()
        try await events.wait(for: .ended)
        try await rig.finish(channel)
        let whole = try await channelReader.all()
        let frames = TransportBytes.timestamps(whole).filter { $0.pid == 256 }
        // The first encoder dies behind the keyframe 40, with its audio at frame 37.
        let packets = TransportBytes.packets(whole).enumerated().filter { index, packet in
            index < frames[41].packet && (TransportBytes.pid(packet) != 257 || index < frames[37].packet)
        }
        let (first, firstInput, firstOutput) = try await rig.path.attachEncoder(
            to: "hd", in: "main", needsKeyframe: true
        ) { _ in }
        let ends = (Reader(firstInput).start(), Writer(firstOutput))
        try await rig.write(Array(packets.map(\.element).joined()), to: ends.1)
        ends.1.end()
        await rig.path.detach(first)
        let place = try #require(await rig.path.resumption(of: "hd", in: "main"))
        #expect(place.video.map { $0 > Int64(frames[40].pts) } == true)
        #expect(place.audio.map { $0 < Int64(frames[39].pts) } == true)
        let (second, secondInput, secondOutput) = try await rig.path.attachEncoder(
            to: "hd", in: "main", needsKeyframe: true
        ) { _ in }
        let reader = Reader(secondInput).start()
        await rig.path.endInput(of: second)
        let begin = try #require(TransportBytes.timestamps(try await reader.all()).first { $0.pid == 256 })
        #expect(begin.pts == frames[30].pts)
        try secondOutput.close()
        await rig.path.stop()
    }

    @Test("an encoder that reads and gives nothing is reported, one without input is not")
    func stalledEncoder() async throws {
        let rig = await DataPathRig()
        await rig.path.addGroup("hd")
        await rig.path.addGroup("idle")
        let bytes = try await numberedStream(seconds: 20)
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

    @Test("an encoder may take longer for its first frame than for later ones")
    func slowStart() async throws {
        let rig = await DataPathRig()
        await rig.path.addGroup("hd")
        let bytes = try await numberedStream(seconds: 20)
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

    @Test("an encoder whose source is silent behind the replay is not reported")
    func silentReplay() async throws {
        let rig = await DataPathRig()
        await rig.path.addGroup("hd")
        let (_, writer, _) = try await rig.source()
        try await rig.write(await numberedStream(), to: writer)
        let events = Reports<EncoderEvent>()
        let (_, input, output) = try await rig.path.attachEncoder(to: "hd", in: "main", needsKeyframe: true) {
            events.add($0)
        }
        let ends = (Reader(input).start(), Writer(output))
        try await eventually("the replay") { !ends.0.bytes.isEmpty }
        // One and a half times its patience.
        try await Task.sleep(for: DataPath.encoderPatience * 3 / 2)
        #expect(events.all.isEmpty)
        withExtendedLifetime(ends) {}
        await rig.path.stop()
    }

    @Test("an encoder whose source pauses only its video is neither stalled nor slow")
    func pausedVideo() async throws {
        let use = try await encoderInUse()
        // On a busy machine the encoder may have owed frames until now.
        await use.rig.path.ping()
        let before = use.events.all.count
        let audio = TransportBytes.packets(Array(use.rest)).filter { TransportBytes.pid($0) != 256 }
        // Twice the patience of an encoder.
        let piece = max(1, audio.count / 20)
        for start in stride(from: 0, to: audio.count, by: piece) {
            await use.writer.write(audio[start..<min(audio.count, start + piece)].flatMap { $0 })
            try await Task.sleep(for: DataPath.encoderPatience / 10)
        }
        try await eventually("audio for the encoder") { use.fed.bytes.count > use.fedSoFar.count }
        let reported = use.events.all.dropFirst(before)
        #expect(!reported.contains(.stalled) && !reported.contains(.slow), "\(use.events.all)")
        await use.rig.path.stop()
    }
}
