import DataPath
import Foundation
import Glibc
import MPEGTS
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import RTMP
@testable import RTMPIngest

/// A publisher at an ingest of its own, and the channel that takes its stream.
@Suite(.serialized) struct PublisherTests {
    private static func limits(_ change: (inout IngestLimits) -> Void = { _ in }) -> IngestLimits {
        var limits = IngestLimits()
        // A machine that is busy may take its time between one step of a test and the next.
        (limits.handshake, limits.silence, limits.idle) = (.seconds(600), .seconds(600), .seconds(600))
        change(&limits)
        return limits
    }

    private func ingest(_ change: (inout IngestLimits) -> Void = { _ in }) async throws -> (RTMPServer, port: Int) {
        let ingest = RTMPServer(application: "live", limits: Self.limits(change))
        ingest.admit(.holders(of: StreamKey("key")))
        return (ingest, try await ingest.listen(host: "127.0.0.1", port: 0))
    }

    /// An ingest with a channel. Both end with it where a test throws before ``end()``: their threads would otherwise
    /// use what is freed.
    private final class Rig: Sendable {
        let path: DataPath
        let ingest: RTMPServer
        let port: Int
        private let happened = Happened()
        private let hasEnded = Atomic(false)

        private final class Happened: Sendable {
            let events = Mutex<[SourceEvent]>([])
        }

        init(
            ahead: Duration = .seconds(600), keepsSound: Bool = false, _ change: (inout IngestLimits) -> Void = { _ in }
        ) async throws {
            let ingest = RTMPServer(application: "live", limits: PublisherTests.limits(change))
            ingest.admit(.holders(of: StreamKey("key")))
            port = try await ingest.listen(host: "127.0.0.1", port: 0)
            self.ingest = ingest
            let path = DataPath(mostAhead: ahead)
            await path.start()
            await path.addChannel(
                "main", patience: .seconds(600), slateDelay: .seconds(600), keepsAudioFormat: keepsSound)
            self.path = path
        }

        /// What the channel was told of its source.
        var events: [SourceEvent] { happened.events.withLock { $0 } }
        var frames: Int { get async { await path.figures(ofChannel: "main")?.frames ?? 0 } }

        func publish(_ bytes: [UInt8] = []) throws -> Int32 {
            try RTMPStranger.leave(RTMPStranger.asking(for: "key") + bytes, at: port)
        }

        /// Has the channel take the stream of the publisher that came.
        @discardableResult
        func take(after events: inout AsyncStream<IngestEvent>.Iterator) async throws -> DataPath.Attachment {
            guard case .began = await events.next() else { throw Failed("no publisher came") }
            return try await take()
        }

        func take() async throws -> DataPath.Attachment {
            let stream = try #require(await ingest.lend())
            return try await path.attachSource(
                to: "main", priority: 0, report: { [happened] event in happened.events.withLock { $0.append(event) } },
                makeReader: { stream.makeReader(for: $0, on: $1) })
        }

        func waitForFrames(_ count: Int) async throws {
            try await eventually("\(count) frames") { await frames >= count }
            #expect(await frames == count)
        }

        func end() async {
            guard !hasEnded.exchange(true, ordering: .relaxed) else { return }
            await ingest.close()
            await path.stop()
        }

        deinit {
            guard !hasEnded.load(ordering: .relaxed) else { return }
            Task { [path, ingest] in
                await ingest.close()
                await path.stop()
            }
        }
    }

    /// How long a stranger waits for its answer and for the end, which both come long before.
    private static let patience = Limit.seconds(300)

    private func send(_ bytes: [UInt8], to socket: Int32) {
        _ = bytes.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    private func say(_ bytes: [UInt8], to port: Int) -> Task<[UInt8], any Error> {
        Task.detached {
            try await onOwnThread { try RTMPStranger.ask(port, bytes, patience: Self.patience) }
        }
    }

    /// Reads what a connection is told until this has come, or the end.
    private func isTold(_ word: String, _ connection: Int32) async -> Bool {
        await onOwnThread {
            var told: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 8192)
            while !String(decoding: told, as: UTF8.self).contains(word) {
                var descriptor = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
                guard poll(&descriptor, 1, Int32(Self.patience.inSeconds * 1000)) > 0 else { return false }
                let count = recv(connection, &buffer, buffer.count, 0)
                guard count > 0 else { return false }
                told += buffer[..<count]
            }
            return true
        }
    }

    // MARK: Into the channel

    @Test("frames are in the channel's feed as they come, and the connection's end is the source's")
    func frames() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        // The first frame comes with the request.
        let publisher = try rig.publish(SmallStream.begin + SmallStream.pictures(0..<1))
        try await rig.take(after: &events)
        try await rig.waitForFrames(1)
        send(SmallStream.pictures(1..<30), to: publisher)
        try await rig.waitForFrames(30)
        #expect(await rig.path.videoFormat(of: .channel("main"))?.width == 64)
        close(publisher)
        #expect(await events.next() == .ended(.left))
        try await eventually("the end") { rig.events.last == .ended }
        await rig.end()
    }

    @Test("a message of thousands of frames is taken bit by bit, and whole, with what comes behind it")
    func manyAtOnce() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        // As FLV writes tags, each with its length behind it.
        let parts = (0..<5000).flatMap { number -> [UInt8] in
            let body = number == 0 ? SmallStream.keyframe : SmallStream.frame
            let time = number * 5
            let stamp = [UInt8(time >> 16), UInt8(time >> 8 & 255), UInt8(time & 255), 0]
            return [9, 0, 0, UInt8(body.count)] + stamp + [0, 0, 0] + body + [0, 0, 0, UInt8(body.count + 11)]
        }
        var client = SmallStream.begin + RTMPStranger.chunkSize(1 << 20)
        client += RTMPStranger.message(6, parts, kind: MessageType.aggregate)
        client += SmallStream.message(SmallStream.video, 25_000, SmallStream.keyframe)
        let publisher = try rig.publish(client)
        try await rig.take(after: &events)
        try await rig.waitForFrames(5001)
        close(publisher)
        await rig.end()
    }

    @Test("a publisher ahead of real time is read no further until it is due, and all of it is taken")
    func ahead() async throws {
        let rig = try await Rig(ahead: .seconds(1))
        var events = rig.ingest.events.makeAsyncIterator()
        let began = ContinuousClock.now
        let publisher = try rig.publish(SmallStream.begin + SmallStream.pictures(0..<75))
        defer { close(publisher) }
        // It says that it has no more; a connection that is cut takes with it what has not been read.
        shutdown(publisher, Int32(SHUT_WR))
        try await rig.take(after: &events)
        #expect(await events.next() == .ended(.left))
        // It sent three seconds.
        #expect(.now - began > .milliseconds(1800))
        #expect(await rig.frames == 75)
        #expect(rig.events.contains(.ahead(true)))
        await rig.end()
    }

    @Test("a publisher that left while it was held back gives way at once to another one")
    func leftWhileHeld() async throws {
        let rig = try await Rig(ahead: .milliseconds(100))
        var events = rig.ingest.events.makeAsyncIterator()
        let first = try rig.publish(SmallStream.begin + SmallStream.pictures(0..<2000))
        defer { close(first) }
        shutdown(first, Int32(SHUT_WR))
        try await rig.take(after: &events)
        try await eventually("it to be held back") { rig.events.contains(.ahead(true)) }
        // That it has left is seen in the loop's next round.
        for _ in 0..<2 { #expect(await rig.frames < 2000) }
        let second = try rig.publish()
        #expect(await events.next() == .ended(.replaced))
        guard case .began = await events.next() else { throw Failed("the second one does not publish") }
        #expect(await rig.frames < 2000)
        close(second)
        await rig.end()
    }

    @Test("what has come is taken when the port is closed")
    func closing() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        let publisher = try rig.publish(SmallStream.begin)
        try await rig.take(after: &events)
        for _ in 0..<20 {
            send(SmallStream.pictures(0..<25), to: publisher)
            usleep(2000)
        }
        await rig.ingest.close()
        try await eventually("the end") { rig.events.last == .ended }
        #expect(await rig.frames >= 25)
        close(publisher)
        await rig.end()
    }

    @Test("a stream that the channel gives up and takes again goes on")
    func takenAgain() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        let publisher = try rig.publish(SmallStream.begin + SmallStream.pictures(0..<10))
        let attachment = try await rig.take(after: &events)
        try await rig.waitForFrames(10)
        await rig.path.detach(attachment)
        send(SmallStream.pictures(10..<50), to: publisher)
        _ = try await rig.take()
        // From the next keyframe on; the header is not sent again.
        try await rig.waitForFrames(10 + 25)
        close(publisher)
        await rig.end()
    }

    @Test("a publisher that stops and asks again on the same connection publishes anew")
    func again() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        let publisher = try rig.publish(SmallStream.begin + SmallStream.pictures(0..<10))
        try await rig.take(after: &events)
        try await rig.waitForFrames(10)
        send(RTMPStranger.stopping + RTMPStranger.asking(again: "key"), to: publisher)
        #expect(await events.next() == .ended(.left))
        send(SmallStream.begin + SmallStream.pictures(0..<5), to: publisher)
        try await rig.take(after: &events)
        try await rig.waitForFrames(15)
        close(publisher)
        await rig.end()
    }

    @Test("other parameter sets of the same size are told as a change")
    func parameterSets() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        let publisher = try rig.publish(SmallStream.begin + SmallStream.pictures(0..<50))
        try await rig.take(after: &events)
        try await rig.waitForFrames(50)
        // That the frame rate was measured is told, too.
        func changes() -> Int { rig.events.count { if case .changed = $0 { true } else { false } } }
        let before = changes()
        let same = SmallStream.message(9, 2000, SmallStream.videoHeader())
        send(same + SmallStream.pictures(50..<75), to: publisher)
        try await rig.waitForFrames(75)
        #expect(changes() == before)
        let other = SmallStream.message(9, 3000, SmallStream.videoHeader(isOther: true))
        send(other + SmallStream.pictures(75..<100), to: publisher)
        try await rig.waitForFrames(100)
        #expect(changes() == before + 1)
        close(publisher)
        await rig.end()
    }

    @Test("what a publisher announces is told once, however often it says so, and changes nothing")
    func announcement() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        // `onMetaData`, and an array with a sample rate and the number of a codec that never comes.
        let said =
            [2, 0, 10] + Array("onMetaData".utf8) + [8, 0, 0, 0, 2, 0, 15]
            + Array("audiosamplerate".utf8)
        let values: [UInt8] = [0, 0x40, 0xBF, 0x40, 0, 0, 0, 0, 0, 0, 12] + Array("videocodecid".utf8)
        let data = RTMPStranger.message(4, said + values + [0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9], kind: 18)
        let publisher = try rig.publish(data + data + SmallStream.begin + data + SmallStream.pictures(0..<10))
        try await rig.take(after: &events)
        try await rig.waitForFrames(10)
        close(publisher)
        #expect(await events.next() == .announced("Sorenson H.263, at 8000 Hz"))
        #expect(await events.next() == .ended(.left))
        await rig.end()
    }

    @Test("audio that is not AAC is named, and the video is in the feed")
    func foreignAudio() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        let mp3 = SmallStream.message(8, 0, SmallStream.mp3)
        let publisher = try rig.publish(SmallStream.begin + mp3 + SmallStream.pictures(0..<10) + mp3)
        try await rig.take(after: &events)
        try await rig.waitForFrames(10)
        let aac = SmallStream.message(8, 400, SmallStream.audioHeader) + SmallStream.message(8, 400, SmallStream.sound)
        send(aac, to: publisher)
        try await eventually("AAC") { rig.events.contains(.foreignAudio(nil)) }
        let told = rig.events.filter { if case .foreignAudio = $0 { true } else { false } }
        #expect(told == [.foreignAudio(ForeignAudio(name: "MP3", codec: "mp3")), .foreignAudio(nil)])
        close(publisher)
        await rig.end()
    }

    /// A message of Opus in Enhanced RTMP: packet type 0 is the header, 1 a frame.
    private func opus(_ packet: UInt8, _ content: UInt8) -> [UInt8] {
        [0x90 | packet] + Array("Opus".utf8) + [content]
    }

    /// - Parameter time: Milliseconds.
    private func audio(_ time: Int, _ body: [UInt8]) -> [UInt8] {
        SmallStream.message(SmallStream.audio, time, body)
    }

    /// A tag of FLV around a message of audio.
    private func tag(_ body: [UInt8], at time: Int) -> [UInt8] {
        [8, 0, 0, UInt8(body.count), 0, UInt8(time >> 8), UInt8(time & 0xFF), 0, 0, 0, 0]
            + body + [0, 0, 0, UInt8(body.count + 11)]
    }

    /// The next bytes of a pipe, or all up to its end.
    private func read(_ most: Int = .max, from pipe: FileDescriptor) async throws -> [UInt8] {
        try await onOwnThread { () throws -> [UInt8] in
            var bytes: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 4096)
            while bytes.count < most {
                let count = min(piece.count, most - bytes.count)
                let got = Glibc.read(pipe.rawValue, &piece, count)
                guard got >= 0 else { throw Failed("the pipe cannot be read: \(errno)") }
                guard got > 0 else { break }
                bytes += piece[..<got]
            }
            return bytes
        }
    }

    @Test("audio reaches what converts it as FLV from zero on, with the newest header first")
    func convertedAudio() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        func told() -> Int { rig.events.count { if case .foreignAudio = $0 { true } else { false } } }
        let first = audio(0, opus(0, 7)) + audio(0, opus(1, 1))
        let publisher = try rig.publish(SmallStream.begin + first + SmallStream.pictures(0..<10))
        let source = try await rig.take(after: &events)
        try await eventually("the codec") {
            rig.events.contains(.foreignAudio(ForeignAudio(name: "Opus", codec: "opus")))
        }
        try await rig.waitForFrames(10)
        let process = try await rig.path.attachAudioConverter(of: source) { _ in }
        // The header comes again with each group of pictures.
        send(audio(400, opus(1, 2)) + audio(420, opus(0, 7)) + audio(420, opus(1, 3)), to: publisher)
        let expected = FLV.header + tag(opus(0, 7), at: 0) + tag(opus(1, 2), at: 0) + tag(opus(1, 3), at: 20)
        #expect(try await read(expected.count, from: process.input) == expected)
        // Another header is for another process, and so soon there is none.
        try await Task.sleep(for: .milliseconds(1100))
        send(audio(440, opus(0, 8)) + audio(440, opus(1, 4)), to: publisher)
        try await eventually("the other header") { told() == 2 }
        await rig.path.detach(process.attachment)
        #expect(try await read(from: process.input).isEmpty)
        for end in [process.input, process.output] { try end.close() }
        let next = try await rig.path.attachAudioConverter(of: source) { _ in }
        send(audio(460, opus(1, 5)), to: publisher)
        let bytes = FLV.header + tag(opus(0, 8), at: 0) + tag(opus(1, 5), at: 0)
        #expect(try await read(bytes.count, from: next.input) == bytes)
        for end in [next.input, next.output] { try end.close() }
        close(publisher)
        await rig.end()
    }

    @Test("a process that takes over is given the header and the last messages at once, from its own zero on")
    func takenOverAudio() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        let first = audio(0, opus(0, 7)) + audio(0, opus(1, 1))
        let publisher = try rig.publish(SmallStream.begin + first + SmallStream.pictures(0..<10))
        let source = try await rig.take(after: &events)
        try await rig.waitForFrames(10)
        let process = try await rig.path.attachAudioConverter(of: source) { _ in }
        #expect(process.firstSample == nil)
        send(audio(400, opus(1, 2)) + audio(420, opus(1, 3)), to: publisher)
        let bytes = FLV.header + tag(opus(0, 7), at: 0) + tag(opus(1, 2), at: 0) + tag(opus(1, 3), at: 20)
        #expect(try await read(bytes.count, from: process.input) == bytes)
        await rig.path.detach(process.attachment)
        for end in [process.input, process.output] { try end.close() }
        // The first one gave nothing, so this one is given all that the first one was, and the second before that.
        let next = try await rig.path.attachAudioConverter(of: source) { _ in }
        let replayed =
            FLV.header + tag(opus(0, 7), at: 0) + tag(opus(1, 1), at: 0) + tag(opus(1, 2), at: 400)
            + tag(opus(1, 3), at: 420)
        #expect(try await read(replayed.count, from: next.input) == replayed)
        send(audio(440, opus(1, 4)), to: publisher)
        let more = tag(opus(1, 4), at: 440)
        #expect(try await read(more.count, from: next.input) == more)
        for end in [next.input, next.output] { try end.close() }
        close(publisher)
        await rig.end()
    }

    @Test("where a group copies the sound, AAC in another format is named like audio that is not AAC")
    func otherSound() async throws {
        let rig = try await Rig(keepsSound: true)
        var events = rig.ingest.events.makeAsyncIterator()
        let mono = audio(0, SmallStream.monoHeader)
        let first = SmallStream.pictures(0..<5) + audio(20, SmallStream.sound) + SmallStream.pictures(5..<10)
        let publisher = try rig.publish(SmallStream.begin + mono + first)
        try await rig.take(after: &events)
        try await rig.waitForFrames(10)
        #expect(await rig.path.audioFormat(of: "main") == .stereo48)
        send(audio(400, SmallStream.audioHeader) + audio(400, SmallStream.sound), to: publisher)
        try await eventually("the channel's format") { rig.events.contains(.foreignAudio(nil)) }
        // Nothing is asked of a process that is not there.
        let told = rig.events.filter { event in
            switch event {
            case .foreignAudio, .otherAudioFormat: true
            default: false
            }
        }
        #expect(told == [.foreignAudio(ForeignAudio(name: "AAC-LC at 48 kHz mono", codec: "aac")), .foreignAudio(nil)])
        close(publisher)
        await rig.end()
    }

    @Test("messages that cannot be used are counted by what is wrong with them, and cost no connection")
    func faults() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        let lie = SmallStream.message(9, 400, [0x27, 1, 0, 0, 0, 0, 0, 9, 9, 0x41])
        let pictures = SmallStream.pictures(0..<10) + lie + SmallStream.pictures(10..<20)
        let publisher = try rig.publish(SmallStream.begin + pictures)
        try await rig.take(after: &events)
        try await rig.waitForFrames(20)
        close(publisher)
        #expect(await events.next() == .faults([MediaFault.wrongLength.description: 1], advice: nil))
        #expect(await events.next() == .ended(.left))
        await rig.end()
    }

    @Test("thirty messages cannot be used -> reported with the main fault and a remedy")
    func advice() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        // Frames without a header.
        let publisher = try rig.publish(SmallStream.pictures(0..<30))
        try await rig.take(after: &events)
        let counts = [MediaFault.missingHeader.description: 30]
        let advice = "its messages cannot be used (frame before its sequence header); restart the stream in the encoder"
        #expect(await events.next() == .faults(counts, advice: advice))
        close(publisher)
        // There is nothing to do about one that has left.
        #expect(await events.next() == .faults(counts, advice: nil))
        #expect(await events.next() == .ended(.left))
        await rig.end()
    }

    @Test("video in an old codec is refused by its name")
    func foreignVideo() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        let bytes = RTMPStranger.publishing(SmallStream.oldVideo, times: 3, key: "key")
        let answer = say(bytes, to: rig.port)
        try await rig.take(after: &events)
        // One or two such messages decide nothing, and count as odd.
        #expect(await events.next() == .faults([MediaFault.oddMessage.description: 2], advice: nil))
        guard case .ended(.rejected(let why)) = await events.next() else { throw Failed("it was not rejected") }
        let words = "is Sorenson H.263, which cannot be used; set the encoder to H.264 or HEVC"
        #expect(why == "its video \(words)")
        let text = String(decoding: try await answer.value, as: UTF8.self)
        #expect(text.contains("NetStream.Publish.Rejected") && text.contains("the video \(words)"))
        #expect(rig.ingest.statistics.refusals[.codec] == 1)
        await rig.end()
    }

    // MARK: The place

    @Test("another one with the right key is refused with the publisher's next message")
    func busy() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        let first = try rig.publish(SmallStream.begin)
        try await rig.take(after: &events)
        let second = say(RTMPStranger.asking(for: "key"), to: rig.port)
        // It waits until the first one sends.
        var number = 0
        try await eventually("it to be refused") {
            send(SmallStream.pictures(number..<number + 1), to: first)
            number += 1
            return rig.ingest.statistics.refusals[.busy] != nil
        }
        #expect(String(decoding: try await second.value, as: UTF8.self).contains("somebody else is publishing"))
        #expect(rig.events.last != .ended)
        close(first)
        await rig.end()
    }

    @Test("a publisher that sends nothing is told why, and gives way")
    func silent() async throws {
        let rig = try await Rig { $0.silence = .milliseconds(300) }
        var events = rig.ingest.events.makeAsyncIterator()
        let first = say(RTMPStranger.asking(for: "key") + SmallStream.begin + SmallStream.pictures(0..<1), to: rig.port)
        try await rig.take(after: &events)
        // Read later than the other one comes, it would turn that one away.
        try await rig.waitForFrames(1)
        let second = try rig.publish()
        #expect(await events.next() == .ended(.replaced))
        guard case .began = await events.next() else { throw Failed("the second one does not publish") }
        #expect(String(decoding: try await first.value, as: UTF8.self).contains("another publisher"))
        // It is told by the ingest's thread, and the channel by the data path's.
        try await eventually("the end") { rig.events.last == .ended }
        close(second)
        await rig.end()
    }

    @Test("a publisher that sends nothing for long is hung up on")
    func idle() async throws {
        let rig = try await Rig { $0.idle = .milliseconds(300) }
        var events = rig.ingest.events.makeAsyncIterator()
        let publisher = try rig.publish(SmallStream.begin)
        try await rig.take(after: &events)
        #expect(await events.next() == .ended(.idle))
        try await eventually("the end") { rig.events.last == .ended }
        close(publisher)
        await rig.end()
    }

    @Test("a publisher that sends, and nothing of it becomes a picture, gives way to another one with the right key")
    func mute() async throws {
        let (ingest, port) = try await ingest()
        let first = try RTMPStranger.leave(RTMPStranger.asking(for: "key"), at: port)
        defer { close(first) }
        var events = ingest.events.makeAsyncIterator()
        guard case .began = await events.next() else { throw Failed("no publisher came") }
        let second = try RTMPStranger.leave(RTMPStranger.asking(for: "key"), at: port)
        defer { close(second) }
        // It waits whether the first one is silent.
        ingest.setMute(true)
        var ending: IngestEvent.Ending?
        while let event = await events.next() {
            if case .ended(let how) = event { ending = how }
            if case .began = event { break }
        }
        #expect(ending == .replaced)
        await ingest.close()
    }

    // MARK: Strangers

    @Test("a stranger that sends more than it takes to ask is hung up on, and has not asked")
    func floods() async throws {
        let (ingest, port) = try await ingest()
        let ping = RTMPStranger.message(2, [0, 6, 0, 0, 0, 1], kind: MessageType.userControl, stream: 0)
        let flood = RTMPStranger.asking(for: nil) + Array(repeatElement(ping, count: 5000).joined())
        _ = try await say(flood, to: port).value
        var events = ingest.events.makeAsyncIterator()
        guard case .refused(.protocol, _, let detail, _) = await events.next() else {
            throw Failed("it was not refused")
        }
        #expect(detail == Violation.tooMuch.description)
        await ingest.close()
    }

    @Test("among wrong keys of its own address, which fill every place, the right one gets in")
    func sameAddress() async throws {
        let (ingest, port) = try await ingest {
            $0.strangersPerAddress = 4
            $0.earlyLook = .zero
        }
        let wrong = RTMPStranger.asking(for: "no")
        var held: [Int32] = []
        defer { for one in held { close(one) } }
        // From now on keys wait before they are looked at, in the end for a second.
        for count in 1...8 {
            held.append(try RTMPStranger.leave(wrong, at: port))
            try await eventually("the wrong key to be refused") { ingest.statistics.refusals[.key] == count }
        }
        let publisher = try RTMPStranger.leave(RTMPStranger.asking(for: "key"), at: port)
        defer { close(publisher) }
        // One that has not asked for a second gives way to others, also where it was not read.
        #expect(await isTold("NetConnection.Connect.Success", publisher))
        let others = Task {
            var others: [Int32] = []
            while !Task.isCancelled {
                others.append(try RTMPStranger.leave(wrong, at: port))
                // They end late on a busy machine, and descriptors do not last for ever.
                if others.count > 50 { close(others.removeFirst()) }
                try? await Task.sleep(for: .milliseconds(20))
            }
            for one in others { close(one) }
        }
        for await event in ingest.events { if case .began = event { break } }
        others.cancel()
        try await others.value
        await ingest.close()
    }

    @Test("of many that are refused a few have time to read why, and the others are told, and cut off")
    func farewells() async throws {
        let (ingest, port) = try await ingest {
            $0.farewells = 2
            $0.farewell = .seconds(600)
        }
        let wrong = RTMPStranger.asking(for: "no", app: "nowhere")
        // The first two are left to hang up themselves.
        let patient = try (0..<2).map { _ in try RTMPStranger.leave(wrong, at: port) }
        for one in patient {
            #expect(await isTold("Rejected", one))
            close(one)
        }
        let held = try (0..<2).map { _ in try RTMPStranger.leave(wrong, at: port) }
        defer { for one in held { close(one) } }
        try await eventually("both to be refused") { ingest.statistics.refusals[.application] == 4 }
        let answer = try await say(wrong, to: port).value
        #expect(String(decoding: answer, as: UTF8.self).contains("Rejected") || answer.isEmpty)
        await ingest.close()
    }
}
