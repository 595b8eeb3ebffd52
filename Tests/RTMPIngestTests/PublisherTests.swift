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

/// A publisher at an ingest, and the channel that takes its stream.
@Suite(.serialized) struct PublisherTests {
    private static func limits(_ change: (inout IngestLimits) -> Void = { _ in }) -> IngestLimits {
        var limits = IngestLimits()
        // On a busy machine, much time can pass between two steps of a test.
        (limits.handshake, limits.silence, limits.idle) = (.seconds(600), .seconds(600), .seconds(600))
        change(&limits)
        return limits
    }

    private func ingest(_ change: (inout IngestLimits) -> Void = { _ in }) async throws -> (RTMPServer, port: Int) {
        let ingest = RTMPServer(application: "live", limits: Self.limits(change))
        ingest.setPolicy(.requireKey(StreamKey("key")))
        return (ingest, try await ingest.listen(host: "127.0.0.1", port: 0))
    }

    /// An ingest with a channel. If a test throws before ``end()``, `deinit` ends both: otherwise their threads would
    /// use freed memory.
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
            ahead: Duration = .seconds(600), keepsAudioFormat: Bool = false,
            _ change: (inout IngestLimits) -> Void = { _ in }
        ) async throws {
            let ingest = RTMPServer(application: "live", limits: PublisherTests.limits(change))
            ingest.setPolicy(.requireKey(StreamKey("key")))
            port = try await ingest.listen(host: "127.0.0.1", port: 0)
            self.ingest = ingest
            let path = DataPath(mostAhead: ahead)
            await path.start()
            await path.addChannel(
                "main", patience: .seconds(600), slateDelay: .seconds(600), keepsAudioFormat: keepsAudioFormat)
            self.path = path
        }

        /// The events that the channel received from its source.
        var events: [SourceEvent] { happened.events.withLock { $0 } }
        var frames: Int { get async { await path.figures(ofChannel: "main")?.frames ?? 0 } }

        func publish(_ bytes: [UInt8] = []) throws -> Int32 {
            try RTMPStranger.leave(RTMPStranger.asking(for: "key") + bytes, at: port)
        }

        /// Waits for a publisher, and gives its stream to the channel.
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

    /// The longest wait for an answer and for the end of a connection; both come much sooner.
    private static let patience = Limit.seconds(300)

    private func send(_ bytes: [UInt8], to socket: Int32) {
        _ = bytes.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    private func ask(_ bytes: [UInt8], to port: Int) -> Task<[UInt8], any Error> {
        Task.detached {
            try await onOwnThread { try RTMPStranger.ask(port, bytes, patience: Self.patience) }
        }
    }

    /// Reads the answers on a connection until `word` is in them, or until the end.
    private func receives(_ word: String, _ connection: Int32) async -> Bool {
        await onOwnThread {
            var received: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 8192)
            while !String(decoding: received, as: UTF8.self).contains(word) {
                var descriptor = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
                guard poll(&descriptor, 1, Int32(Self.patience.inSeconds * 1000)) > 0 else { return false }
                let count = recv(connection, &buffer, buffer.count, 0)
                guard count > 0 else { return false }
                received += buffer[..<count]
            }
            return true
        }
    }

    // MARK: Into the channel

    @Test("a publisher's frames reach the feed; its connection ends -> its source ends")
    func frames() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        // The first frame arrives with the request.
        let publisher = try rig.publish(SmallStream.begin + SmallStream.frames(0..<1))
        try await rig.take(after: &events)
        try await rig.waitForFrames(1)
        send(SmallStream.frames(1..<30), to: publisher)
        try await rig.waitForFrames(30)
        #expect(await rig.path.videoFormat(of: .channel("main"))?.width == 64)
        close(publisher)
        #expect(await events.next() == .ended(.left))
        try await eventually("the end") { rig.events.last == .ended }
        await rig.end()
    }

    @Test("a message of thousands of frames -> all of them and the next one are taken")
    func manyAtOnce() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        // Tags as FLV writes them, each followed by its length.
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

    @Test("a publisher ahead of real time is held back, and all of its data is taken")
    func ahead() async throws {
        let rig = try await Rig(ahead: .seconds(1))
        var events = rig.ingest.events.makeAsyncIterator()
        let began = ContinuousClock.now
        let publisher = try rig.publish(SmallStream.begin + SmallStream.frames(0..<75))
        defer { close(publisher) }
        // Only the sending direction is closed: a reset connection would lose unread data.
        shutdown(publisher, Int32(SHUT_WR))
        try await rig.take(after: &events)
        #expect(await events.next() == .ended(.left))
        // It sent three seconds of video.
        #expect(.now - began > .milliseconds(1800))
        #expect(await rig.frames == 75)
        #expect(rig.events.contains(.ahead(true)))
        await rig.end()
    }

    @Test("a publisher that left while it was held back is replaced at once")
    func leftWhileHeld() async throws {
        let rig = try await Rig(ahead: .milliseconds(100))
        var events = rig.ingest.events.makeAsyncIterator()
        let first = try rig.publish(SmallStream.begin + SmallStream.frames(0..<2000))
        defer { close(first) }
        shutdown(first, Int32(SHUT_WR))
        try await rig.take(after: &events)
        try await eventually("it to be held back") { rig.events.contains(.ahead(true)) }
        // The loop notices in its next round that it has left.
        for _ in 0..<2 { #expect(await rig.frames < 2000) }
        let second = try rig.publish()
        #expect(await events.next() == .ended(.replaced))
        guard case .began = await events.next() else { throw Failed("the second one does not publish") }
        #expect(await rig.frames < 2000)
        close(second)
        await rig.end()
    }

    @Test("the port closes -> data that has already arrived is taken")
    func closing() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        let publisher = try rig.publish(SmallStream.begin)
        try await rig.take(after: &events)
        for _ in 0..<20 {
            send(SmallStream.frames(0..<25), to: publisher)
            usleep(2000)
        }
        await rig.ingest.close()
        try await eventually("the end") { rig.events.last == .ended }
        #expect(await rig.frames >= 25)
        close(publisher)
        await rig.end()
    }

    @Test("the channel detaches a stream and takes it again -> it continues")
    func takenAgain() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        let publisher = try rig.publish(SmallStream.begin + SmallStream.frames(0..<10))
        let attachment = try await rig.take(after: &events)
        try await rig.waitForFrames(10)
        await rig.path.detach(attachment)
        send(SmallStream.frames(10..<50), to: publisher)
        _ = try await rig.take()
        // It continues with the next keyframe; the header is not sent again.
        try await rig.waitForFrames(10 + 25)
        close(publisher)
        await rig.end()
    }

    @Test("a publisher that stops can publish again on the same connection")
    func again() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        let publisher = try rig.publish(SmallStream.begin + SmallStream.frames(0..<10))
        try await rig.take(after: &events)
        try await rig.waitForFrames(10)
        send(RTMPStranger.stopping + RTMPStranger.asking(again: "key"), to: publisher)
        #expect(await events.next() == .ended(.left))
        send(SmallStream.begin + SmallStream.frames(0..<5), to: publisher)
        try await rig.take(after: &events)
        try await rig.waitForFrames(15)
        close(publisher)
        await rig.end()
    }

    @Test("new parameter sets with the same size are reported as a change")
    func parameterSets() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        let publisher = try rig.publish(SmallStream.begin + SmallStream.frames(0..<50))
        try await rig.take(after: &events)
        try await rig.waitForFrames(50)
        // The measured frame rate is reported as a change, too.
        func changes() -> Int { rig.events.count { if case .changed = $0 { true } else { false } } }
        let before = changes()
        let same = SmallStream.message(9, 2000, SmallStream.videoHeader())
        send(same + SmallStream.frames(50..<75), to: publisher)
        try await rig.waitForFrames(75)
        #expect(changes() == before)
        let other = SmallStream.message(9, 3000, SmallStream.videoHeader(isOther: true))
        send(other + SmallStream.frames(75..<100), to: publisher)
        try await rig.waitForFrames(100)
        #expect(changes() == before + 1)
        close(publisher)
        await rig.end()
    }

    @Test("a publisher repeats an announcement -> it is reported once, without effect")
    func announcement() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        // `onMetaData`, and an array with a sample rate and the number of a codec that never comes.
        let announcement =
            [2, 0, 10] + Array("onMetaData".utf8) + [8, 0, 0, 0, 2, 0, 15]
            + Array("audiosamplerate".utf8)
        let values: [UInt8] = [0, 0x40, 0xBF, 0x40, 0, 0, 0, 0, 0, 0, 12] + Array("videocodecid".utf8)
        let data = RTMPStranger.message(4, announcement + values + [0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9], kind: 18)
        let publisher = try rig.publish(data + data + SmallStream.begin + data + SmallStream.frames(0..<10))
        try await rig.take(after: &events)
        try await rig.waitForFrames(10)
        close(publisher)
        #expect(await events.next() == .announced("Sorenson H.263, at 8000 Hz"))
        #expect(await events.next() == .ended(.left))
        await rig.end()
    }

    @Test("the audio is not AAC -> its codec is reported, and the video is in the feed")
    func foreignAudio() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        let mp3 = SmallStream.message(8, 0, SmallStream.mp3)
        let publisher = try rig.publish(SmallStream.begin + mp3 + SmallStream.frames(0..<10) + mp3)
        try await rig.take(after: &events)
        try await rig.waitForFrames(10)
        let aac =
            SmallStream.message(8, 400, SmallStream.audioHeader) + SmallStream.message(8, 400, SmallStream.audioFrame)
        send(aac, to: publisher)
        try await eventually("AAC") { rig.events.contains(.foreignAudio(nil)) }
        let reported = rig.events.filter { if case .foreignAudio = $0 { true } else { false } }
        #expect(reported == [.foreignAudio(ForeignAudio(name: "MP3", codec: "mp3")), .foreignAudio(nil)])
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

    /// Reads the next bytes of a pipe, or all bytes up to its end.
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

    @Test("a converter receives FLV from time zero on, with the newest header first")
    func convertedAudio() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        func reports() -> Int { rig.events.count { if case .foreignAudio = $0 { true } else { false } } }
        let first = audio(0, opus(0, 7)) + audio(0, opus(1, 1))
        let publisher = try rig.publish(SmallStream.begin + first + SmallStream.frames(0..<10))
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
        // Another header needs another process, which is started no sooner than a second after the first.
        try await Task.sleep(for: .milliseconds(1100))
        send(audio(440, opus(0, 8)) + audio(440, opus(1, 4)), to: publisher)
        try await eventually("the other header") { reports() == 2 }
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

    @Test("a replacing converter receives the header and the newest messages at once")
    func takenOverAudio() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        let first = audio(0, opus(0, 7)) + audio(0, opus(1, 1))
        let publisher = try rig.publish(SmallStream.begin + first + SmallStream.frames(0..<10))
        let source = try await rig.take(after: &events)
        try await rig.waitForFrames(10)
        let process = try await rig.path.attachAudioConverter(of: source) { _ in }
        #expect(process.firstSample == nil)
        send(audio(400, opus(1, 2)) + audio(420, opus(1, 3)), to: publisher)
        let bytes = FLV.header + tag(opus(0, 7), at: 0) + tag(opus(1, 2), at: 0) + tag(opus(1, 3), at: 20)
        #expect(try await read(bytes.count, from: process.input) == bytes)
        await rig.path.detach(process.attachment)
        for end in [process.input, process.output] { try end.close() }
        // The first one returned nothing, so this one receives all of its messages, and those of the second before
        // them.
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

    @Test("a group copies the audio -> AAC in another format is converted, too")
    func otherFormat() async throws {
        let rig = try await Rig(keepsAudioFormat: true)
        var events = rig.ingest.events.makeAsyncIterator()
        let mono = audio(0, SmallStream.monoHeader)
        let first = SmallStream.frames(0..<5) + audio(20, SmallStream.audioFrame) + SmallStream.frames(5..<10)
        let publisher = try rig.publish(SmallStream.begin + mono + first)
        try await rig.take(after: &events)
        try await rig.waitForFrames(10)
        #expect(await rig.path.audioFormat(of: "main") == .stereo48)
        send(audio(400, SmallStream.audioHeader) + audio(400, SmallStream.audioFrame), to: publisher)
        try await eventually("the channel's format") { rig.events.contains(.foreignAudio(nil)) }
        // No event asks for a restart of a relay, since there is none.
        let reported = rig.events.filter { event in
            switch event {
            case .foreignAudio, .otherAudioFormat: true
            default: false
            }
        }
        #expect(
            reported == [.foreignAudio(ForeignAudio(name: "AAC-LC at 48 kHz mono", codec: "aac")), .foreignAudio(nil)])
        close(publisher)
        await rig.end()
    }

    @Test("unusable messages are counted by fault, and the connection stays open")
    func faults() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        let wrong = SmallStream.message(9, 400, [0x27, 1, 0, 0, 0, 0, 0, 9, 9, 0x41])
        let frames = SmallStream.frames(0..<10) + wrong + SmallStream.frames(10..<20)
        let publisher = try rig.publish(SmallStream.begin + frames)
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
        let publisher = try rig.publish(SmallStream.frames(0..<30))
        try await rig.take(after: &events)
        let counts = [MediaFault.missingHeader.description: 30]
        let advice = "its messages cannot be used (frame before its sequence header); restart the stream in the encoder"
        #expect(await events.next() == .faults(counts, advice: advice))
        close(publisher)
        // There is no advice for a publisher that has left.
        #expect(await events.next() == .faults(counts, advice: nil))
        #expect(await events.next() == .ended(.left))
        await rig.end()
    }

    @Test("video in an old codec is rejected, and the reason names the codec")
    func foreignVideo() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        let bytes = RTMPStranger.publishing(SmallStream.oldVideo, times: 3, key: "key")
        let answer = ask(bytes, to: rig.port)
        try await rig.take(after: &events)
        // The first two such messages count as odd messages.
        #expect(await events.next() == .faults([MediaFault.oddMessage.description: 2], advice: nil))
        guard case .ended(.rejected(let why)) = await events.next() else { throw Failed("it was not rejected") }
        let words = "is Sorenson H.263, which cannot be used; set the encoder to H.264 or HEVC"
        #expect(why == "its video \(words)")
        let text = String(decoding: try await answer.value, as: UTF8.self)
        #expect(text.contains("NetStream.Publish.Rejected") && text.contains("the video \(words)"))
        #expect(rig.ingest.statistics.refusals[.codec] == 1)
        await rig.end()
    }

    // MARK: Takeovers

    @Test("a second publisher is rejected with the next message of the first one")
    func busy() async throws {
        let rig = try await Rig()
        var events = rig.ingest.events.makeAsyncIterator()
        let first = try rig.publish(SmallStream.begin)
        try await rig.take(after: &events)
        let second = ask(RTMPStranger.asking(for: "key"), to: rig.port)
        // It waits until the first one sends a message.
        var number = 0
        try await eventually("it to be refused") {
            send(SmallStream.frames(number..<number + 1), to: first)
            number += 1
            return rig.ingest.statistics.refusals[.busy] != nil
        }
        #expect(String(decoding: try await second.value, as: UTF8.self).contains("another publisher is active"))
        #expect(rig.events.last != .ended)
        close(first)
        await rig.end()
    }

    @Test("a second publisher replaces a silent one, which gets the reason")
    func silent() async throws {
        let rig = try await Rig { $0.silence = .milliseconds(300) }
        var events = rig.ingest.events.makeAsyncIterator()
        let first = ask(RTMPStranger.asking(for: "key") + SmallStream.begin + SmallStream.frames(0..<1), to: rig.port)
        try await rig.take(after: &events)
        // If the frame was read after the second publisher came, it would reject the second one.
        try await rig.waitForFrames(1)
        let second = try rig.publish()
        #expect(await events.next() == .ended(.replaced))
        guard case .began = await events.next() else { throw Failed("the second one does not publish") }
        #expect(String(decoding: try await first.value, as: UTF8.self).contains("another publisher"))
        // The ingest's thread reports the first event, and the data path's thread the second one.
        try await eventually("the end") { rig.events.last == .ended }
        close(second)
        await rig.end()
    }

    @Test("a publisher that sends nothing for a long time is disconnected")
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

    @Test("a publisher that sends no usable video is replaced by another one")
    func noVideo() async throws {
        let (ingest, port) = try await ingest()
        let first = try RTMPStranger.leave(RTMPStranger.asking(for: "key"), at: port)
        defer { close(first) }
        var events = ingest.events.makeAsyncIterator()
        guard case .began = await events.next() else { throw Failed("no publisher came") }
        let second = try RTMPStranger.leave(RTMPStranger.asking(for: "key"), at: port)
        defer { close(second) }
        // It waits until the first one is silent.
        ingest.setSendsNoVideo(true)
        var ending: IngestEvent.Ending?
        while let event = await events.next() {
            if case .ended(let how) = event { ending = how }
            if case .began = event { break }
        }
        #expect(ending == .replaced)
        await ingest.close()
    }

    // MARK: Unauthenticated connections

    @Test("a client that sends too much before it publishes is disconnected")
    func flood() async throws {
        let (ingest, port) = try await ingest()
        let ping = RTMPStranger.message(2, [0, 6, 0, 0, 0, 1], kind: MessageType.userControl, stream: 0)
        let flood = RTMPStranger.asking(for: nil) + Array(repeatElement(ping, count: 5000).joined())
        _ = try await ask(flood, to: port).value
        var events = ingest.events.makeAsyncIterator()
        guard case .refused(.protocol, _, let detail, _) = await events.next() else {
            throw Failed("it was not refused")
        }
        #expect(detail == Violation.tooMuch.description)
        await ingest.close()
    }

    @Test("wrong keys fill the limit of a network -> the right key still gets in")
    func sameAddress() async throws {
        let (ingest, port) = try await ingest {
            $0.unauthenticatedPerNetwork = 4
            $0.earlyCheckInterval = .zero
        }
        let wrong = RTMPStranger.asking(for: "no")
        var held: [Int32] = []
        defer { for one in held { close(one) } }
        // From now on keys wait before they are checked, in the end for a second.
        for count in 1...8 {
            held.append(try RTMPStranger.leave(wrong, at: port))
            try await eventually("the wrong key to be refused") { ingest.statistics.refusals[.key] == count }
        }
        let publisher = try RTMPStranger.leave(RTMPStranger.asking(for: "key"), at: port)
        defer { close(publisher) }
        // A connection that has not asked within a second is evicted, even if it was not read.
        #expect(await receives("NetConnection.Connect.Success", publisher))
        let others = Task {
            var others: [Int32] = []
            while !Task.isCancelled {
                others.append(try RTMPStranger.leave(wrong, at: port))
                // On a busy machine they end late, and the number of descriptors is limited.
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

    @Test("a few rejected connections linger; the others are answered and closed")
    func lingering() async throws {
        let (ingest, port) = try await ingest {
            $0.lingering = 2
            $0.linger = .seconds(600)
        }
        let wrong = RTMPStranger.asking(for: "no", app: "nowhere")
        // The first two close their connections themselves.
        let patient = try (0..<2).map { _ in try RTMPStranger.leave(wrong, at: port) }
        for one in patient {
            #expect(await receives("Rejected", one))
            close(one)
        }
        let held = try (0..<2).map { _ in try RTMPStranger.leave(wrong, at: port) }
        defer { for one in held { close(one) } }
        try await eventually("both to be refused") { ingest.statistics.refusals[.application] == 4 }
        let answer = try await ask(wrong, to: port).value
        #expect(String(decoding: answer, as: UTF8.self).contains("Rejected") || answer.isEmpty)
        await ingest.close()
    }
}
