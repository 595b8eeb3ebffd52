import Foundation
import Synchronization
import TestSupport
import Testing

/// Streams as phones and careless encoders send them: late, missing and jumping media, and more.
@Suite(.serialized, .tags(.ffmpeg)) struct PublisherInputTests {
    /// Frames per second, and frames from one keyframe to the next.
    private static let rate = 30
    private static let gop = 15

    private struct Rig {
        var stage: Stage
        var sink: NginxRTMP
        var daemon: Daemon
        var port: Int

        /// Judges the streams of the targets: of the group that copies, and of the group that encodes.
        func verdicts() async throws -> [(name: String, verdict: Verdict)] {
            var found: [(String, Verdict)] = []
            for name in ["raw", "hd"] { found.append((name, Verdict(try await sink.reading(of: name)))) }
            return found
        }
    }

    /// Starts a channel with a group that copies and a group that encodes.
    ///
    /// - Parameter patience: When the slate goes on air: later than a publisher on a busy machine.
    private func rig(_ stage: Stage, patience: String = "20s") async throws -> Rig {
        let sink = try await stage.nginx(record: true)
        let port = try FreePort.tcp()
        let daemon = try await stage.streambox(
            """
              - name: main
                sources: [ { rtmp: { listen: "127.0.0.1:\(port)", app: live } } ]
                slate: { after: \(patience) }
                groups:
                  - { name: raw, video: copy, audio: copy, targets: [ { name: a, url: "\(sink.url("raw"))" } ] }
                  - name: hd
                    # Frames of another shape are stretched, so that their numbers can be read.
                    video: { encoder: libx264, bitrate: 800k, size: 320x180, rate: \(Self.rate), fit: stretch }
                    targets: [ { name: b, url: "\(sink.url("hd"))" } ]
            """)
        // The slate has arrived: the targets are connected before the source delivers.
        for name in ["raw", "hd"] { try await sink.waitForFrames(1, of: name) }
        return Rig(stage: stage, sink: sink, daemon: daemon, port: port)
    }

    /// Makes the FLV tags of a stream, of ten seconds by default.
    private func tags(
        _ stage: Stage, seconds: Double = 10, _ change: (inout NumberedSource) -> Void = { _ in }
    ) async throws -> [FLVFile.Tag] {
        let source = NumberedSource.small(seconds: seconds) {
            $0.gop = Self.gop
            change(&$0)
        }
        let name = "input-\(UUID().uuidString).flv"
        try await source.write(to: stage.folder.path(name))
        return FLVFile(Array(try stage.folder.read(name))).tags
    }

    /// The time in a stream, in milliseconds, at which its publisher disconnects.
    private final class Leave: Sendable {
        private let time = Atomic(Int.max)
        func from(_ time: Int) { self.time.store(time, ordering: .relaxed) }
        func isDue(_ time: Int) -> Bool { time >= self.time.load(ordering: .relaxed) }
    }

    /// Publishes, and judges the streams of the targets.
    ///
    /// - Parameter during: Called when the first frame is on air.
    private func publish(
        _ messages: [HandMadePublisher.Message], _ rig: Rig, during: (Rig) async throws -> Void = { _ in }
    ) async throws -> [(name: String, verdict: Verdict)] {
        try await publish(messages, rig, leavesFrom: .max, during: during).verdicts
    }

    /// Publishes, and judges the streams of the targets.
    ///
    /// - Parameter time: The time in milliseconds from which on the publisher disconnects once `during` has returned,
    ///   which may take long on a busy machine.
    /// - Returns: The verdicts, and when each frame was sent.
    private func publish(
        _ messages: [HandMadePublisher.Message], _ rig: Rig, leavesFrom time: Int, during: (Rig) async throws -> Void
    ) async throws -> (verdicts: [(name: String, verdict: Verdict)], sent: [ContinuousClock.Instant]) {
        let leave = Leave()
        async let sending = HandMadePublisher.publish(messages, to: rig.port, key: "x") { leave.isDue($0.due) }
        do {
            try await rig.daemon.logged("msg=\"on air\"", "source=rtmp-0")
            try await during(rig)
            leave.from(time)
        } catch {
            leave.from(0)
            throw error
        }
        let report = try await sending
        #expect(!report.wasCut)
        try await rig.daemon.logged("the publisher left")
        // No process is between the publisher and the channel. One may convert the audio beside them.
        #expect(rig.daemon.lines("msg=started", "source=rtmp-0").allSatisfy { $0.contains("process=sound") })
        let status = try await rig.stage.status(of: rig.daemon)
        #expect(status.group("hd")?.handovers["stall"] ?? 0 == 0)
        try await rig.daemon.terminate()
        let verdicts = try await rig.verdicts()
        for (name, verdict) in verdicts { print("\(name): \(verdict)") }
        return (verdicts, report.frames)
    }

    /// Expects every frame from the first one on, once and in order, and the audio in sync.
    private func expectWhole(
        _ verdicts: [(name: String, verdict: Verdict)], first: UInt32 = 0, last: UInt32 = 299, beeps: Int
    ) {
        for (name, verdict) in verdicts {
            #expect(verdict.isWhole && verdict.first == first && verdict.last == last, "\(name): \(verdict)")
            #expect(verdict.audioOffsets.count >= beeps, "\(name): \(verdict.audioOffsets)")
            #expect(verdict.worstAudioOffset ?? 0 < 0.06, "\(name): \(verdict.audioOffsets)")
        }
    }

    // MARK: Late and missing audio

    @Test("audio that is announced and never arrives costs no frame", arguments: [true, false])
    func audioNever(isAnnounced: Bool) async throws {
        try await withStage { stage in
            let messages = try await tags(stage).filter { $0.kind == .video || ($0.isHeader && isAnnounced) }
            let verdicts = try await publish(messages.map { .init($0) }, try await rig(stage))
            expectWhole(verdicts, beeps: 0)
        }
    }

    @Test("audio that begins late is heard when it arrives", arguments: [true, false])
    func audioLate(hasHeader: Bool) async throws {
        try await withStage { stage in
            let messages = try await tags(stage).compactMap { tag -> HandMadePublisher.Message? in
                guard tag.kind == .audio else { return .init(tag) }
                if tag.isHeader { return .init(tag, due: hasHeader ? 0 : 4000) }
                return tag.time >= 4000 ? .init(tag) : nil
            }
            expectWhole(try await publish(messages.inOrder, try await rig(stage)), beeps: 4)
        }
    }

    @Test("audio two seconds late is dropped, and heard once it has caught up")
    func audioBehind() async throws {
        try await withStage { stage in
            let messages = try await tags(stage).map { tag -> HandMadePublisher.Message in
                guard tag.kind == .audio, !tag.isHeader else { return .init(tag) }
                return .init(tag, due: max(tag.time, min(tag.time + 2000, 6000)))
            }
            expectWhole(try await publish(messages.inOrder, try await rig(stage)), beeps: 2)
        }
    }

    @Test("audio that stays late is left out, and a note and one log line say so")
    func audioStaysBehind() async throws {
        try await withStage { stage in
            // Long enough to read the status meanwhile, on a busy machine too.
            let messages = try await tags(stage, seconds: 90).map { tag -> HandMadePublisher.Message in
                guard tag.kind == .audio, !tag.isHeader else { return .init(tag) }
                return .init(tag, due: tag.time + 1500)
            }
            let words = "its audio arrives 1.5 s behind its video and is left out"
            let rig = try await rig(stage)
            let (verdicts, sent) = try await publish(messages.inOrder, rig, leavesFrom: 20_000) { rig in
                try await rig.daemon.logged(words, "level=warning", "source=rtmp-0")
                try await stage.expect("the note", of: rig.daemon) { status in
                    status.source("rtmp-0")?.notes?.contains { $0.hasPrefix(words) } == true
                }
            }
            #expect(rig.daemon.lines("its audio arrives").count == 1)
            expectWhole(verdicts, last: UInt32(sent.count - 1), beeps: 0)
            for (name, verdict) in verdicts { #expect(verdict.audioOffsets.isEmpty, "\(name): \(verdict)") }
        }
    }

    // MARK: Late and missing video

    @Test("video that begins long after the audio is on air with its first keyframe")
    func videoLate() async throws {
        try await withStage { stage in
            let messages = try await tags(stage).compactMap { tag -> HandMadePublisher.Message? in
                guard tag.kind == .video else { return .init(tag) }
                if tag.isHeader { return .init(tag, due: 4000) }
                return tag.time >= 4000 ? .init(tag) : nil
            }
            expectWhole(try await publish(messages.inOrder, try await rig(stage)), first: 120, beeps: 4)
        }
    }

    @Test("video that pauses while the audio continues returns without a repeat")
    func videoPauses() async throws {
        try await withStage { stage in
            // The publisher may be late by four seconds, and the last frame before the pause by five.
            let messages = try await tags(stage, seconds: 15).filter { tag in
                tag.kind == .audio || tag.isHeader || !(3000..<12_000).contains(tag.time)
            }
            let rig = try await rig(stage, patience: "4s")
            let verdicts = try await publish(messages.map { .init($0) }, rig) { rig in
                let silent = try await rig.daemon.logged("silent: no frame arrives", "source=rtmp-0")
                try await rig.daemon.logged("msg=delivers", "source=rtmp-0", from: silent.index)
            }
            // The pause of an app in the background is no fault of an encoder.
            #expect(rig.daemon.lines("too slow").isEmpty && rig.daemon.lines("publisher connected").count == 1)
            for (name, verdict) in verdicts {
                let isInOrder = verdict.duplicated.isEmpty && verdict.late.isEmpty && verdict.backwards.isEmpty
                #expect(isInOrder, "\(name): \(verdict)")
                #expect(verdict.lost == [90...359] && verdict.last == 449, "\(name): \(verdict)")
                #expect(verdict.worstAudioOffset ?? 1 < 0.06, "\(name): \(verdict.audioOffsets)")
            }
        }
    }

    // MARK: Other audio

    /// The processes that convert the audio.
    private func converters(_ rig: Rig) -> [Int32] { rig.daemon.children("-f flv -i pipe:0").map(\.pid) }

    /// Counts the interruptions of converted audio: a process started, a process that started slowly was replaced, or a
    /// process read nothing for so long that audio was lost.
    private func interruptions(_ rig: Rig) -> Int {
        rig.daemon.lines("msg=started", "process=sound").count + rig.daemon.lines("audio is lost").count
    }

    /// Expects every frame once and in order, and beeps in sync except those that the start of a process cut.
    private func expectInSync(
        _ verdicts: [(name: String, verdict: Verdict)], beeps: Int, starts: Int
    ) {
        for (name, verdict) in verdicts {
            #expect(verdict.isWhole, "\(name): \(verdict)")
            let cut = verdict.audioOffsets.filter { abs($0.offset) >= 0.04 }
            #expect(verdict.audioOffsets.count - cut.count >= beeps, "\(name): \(verdict.audioOffsets)")
            // A beep lasts a tenth of a second.
            #expect(cut.count <= starts && cut.allSatisfy { (0...0.14).contains($0.offset) }, "\(name): \(cut)")
        }
    }

    /// Starts an endless publisher whose audio is not AAC.
    private func publish(_ audio: NumberedSource.Audio, to rig: Rig) async throws -> TestProcess {
        let source = NumberedSource.small {
            $0.gop = Self.gop
            $0.audio = audio
        }
        return try await rig.stage.publish(source, to: "rtmp://127.0.0.1:\(rig.port)/live/x")
    }

    /// Ends the publisher and the service, and judges the streams of the targets.
    private func end(_ publisher: TestProcess, _ rig: Rig) async throws -> [(name: String, verdict: Verdict)] {
        await rig.stage.end(publisher)
        try await rig.daemon.logged("the publisher left")
        try await eventually("the end of the converters") { converters(rig).isEmpty }
        try await rig.daemon.terminate()
        let verdicts = try await rig.verdicts()
        for (name, verdict) in verdicts { print("\(name): \(verdict)") }
        return verdicts
    }

    private static let foreignFormats: [NumberedSource.Audio] = [
        .mp3, .muLaw, .aLaw, .pcm, .adpcm, .nellymoser, .speex,
    ]

    @Test("audio that is not AAC is heard in sync with its video", arguments: foreignFormats)
    func foreignAudio(format: NumberedSource.Audio) async throws {
        try await withStage { stage in
            let rig = try await rig(stage)
            let publisher = try await publish(format, to: rig)
            try await rig.daemon.logged("the source's audio is converted", "source=rtmp-0")
            try await stage.expect("the note", of: rig.daemon) { status in
                status.source("rtmp-0")?.notes?.contains { $0.hasSuffix("it is converted to AAC") } == true
            }
            for name in ["raw", "hd"] { try await rig.sink.waitForBeeps(5, of: name) }
            // A process that starts slowly is replaced, and may report that it has not read its input.
            let lines = rig.daemon.program.errors.lines.filter { $0.text.contains("process=sound") }
            let start = try #require(lines.lastIndex { $0.text.contains("msg=started") })
            let words = lines[start...].map(\.text).filter { $0.contains("msg=\"FFmpeg output\"") }
            #expect(words.isEmpty, "\(words)")
            let verdicts = try await end(publisher, rig)
            expectInSync(verdicts, beeps: 4, starts: interruptions(rig))
        }
    }

    /// Finds the missing beeps between the first and the last one that are heard.
    ///
    /// - Returns: When each one was due, in seconds.
    private func missingBeeps(of name: String, _ rig: Rig) async throws -> [Double] {
        let reading = try await rig.sink.reading(of: name)
        let (first, last) = (try #require(reading.beeps.first), try #require(reading.beeps.last))
        let flashes = reading.frames.filter { $0.number.map { $0 % 30 == 0 } ?? false }.map(\.time)
        return flashes.filter { flash in
            (first...last).contains(flash) && !reading.beeps.contains { abs($0 - flash) < 0.04 }
        }
    }

    /// Measures how many seconds after a converter's failure the next one converts.
    private func pause(behind failure: Date, _ rig: Rig) throws -> Double {
        let times = try rig.daemon.lines("msg=converting", "process=sound").map(Daemon.time)
        return try #require(times.first { $0 > failure }, "\(times)").timeIntervalSince(failure)
    }

    /// Whether the audio was interrupted for another reason than the test's, on a busy machine.
    private func wasSlow(_ rig: Rig) -> Bool {
        !rig.daemon.lines("gives nothing: it is replaced").isEmpty || !rig.daemon.lines("audio is lost").isEmpty
    }

    @Test("a converter that is killed or frozen costs no frame and no audio", arguments: [SIGKILL, SIGSTOP])
    func converterFails(signal: Int32) async throws {
        try await withStage { stage in
            let rig = try await rig(stage)
            let publisher = try await publish(.mp3, to: rig)
            try await rig.sink.waitForBeeps(3, of: "raw")
            let first = try await eventually("the converter") { () -> [Int32]? in
                let found = converters(rig)
                return found.isEmpty ? nil : found
            }
            let failure = Date.now
            for process in first { kill(process, signal) }
            try await eventually("another process alone") {
                let found = converters(rig)
                return !found.isEmpty && !found.contains { first.contains($0) }
            }
            let heard = try await rig.sink.reading(of: "raw").beeps.count
            for name in ["raw", "hd"] { try await rig.sink.waitForBeeps(heard + 3, of: name) }
            #expect(rig.daemon.lines("publisher connected").count == 1)
            try await stage.expect("the note", of: rig.daemon) { status in
                status.source("rtmp-0")?.notes?.contains { $0.hasSuffix("it is converted to AAC") } == true
            }
            let verdicts = try await end(publisher, rig)
            expectInSync(verdicts, beeps: 4, starts: interruptions(rig) + 1)
            // Silence begins after a second without audio, which is slightly behind the video anyway. On a busy machine
            // the next process may take longer.
            let pause = try pause(behind: failure, rig)
            for name in ["raw", "hd"] {
                let missing = try await missingBeeps(of: name, rig)
                #expect(missing.isEmpty || pause > 0.7 || wasSlow(rig), "\(name): \(missing), after \(pause) s")
            }
        }
    }

    /// Waits until a target has so many beeps after a frame.
    private func waitForBeeps(_ count: Int, behind number: UInt32, of name: String, _ rig: Rig) async throws {
        let what = "\(count) beeps of \(name) after frame \(number)"
        try await eventually(what, within: .seconds(60), every: .milliseconds(300)) {
            guard let reading = try? await rig.sink.reading(of: name),
                let frame = reading.frames.first(where: { $0.number ?? 0 >= number })
            else { return false }
            return reading.beeps.count { $0 > frame.time } >= count
        }
    }

    @Test("audio that turns to AAC and back is heard in all three parts")
    func audioChanges() async throws {
        try await withStage { stage in
            // Long enough for a process that starts slowly.
            let mp3 = try await tags(stage, seconds: 90) { $0.audio = .mp3 }
            let aac = try await tags(stage)
            // FFmpeg delays the video by the audio encoder's priming samples, and MP3 has more of them.
            let first = { (tags: [FLVFile.Tag]) in tags.first { $0.isKeyframe }?.time }
            let shift = try #require(first(mp3)) - #require(first(aac))
            var messages = mp3.filter { $0.kind == .video || !(4000..<8000).contains($0.time) }
            messages += aac.compactMap { tag in
                guard tag.kind == .audio, tag.isHeader || (4000..<8000).contains(tag.time + shift) else { return nil }
                var tag = tag
                tag.time = tag.isHeader ? 4000 : tag.time + shift
                return tag
            }
            let rig = try await rig(stage)
            let ordered = messages.map { HandMadePublisher.Message($0) }.inOrder
            let (verdicts, sent) = try await publish(ordered, rig, leavesFrom: 16_000) { rig in
                let converted = try await rig.daemon.logged("the source's audio is converted", "MP3")
                try await rig.daemon.logged("the source's audio is converted", "MP3", from: converted.index + 1)
                for name in ["raw", "hd"] { try await waitForBeeps(2, behind: 270, of: name, rig) }
            }
            // At least three beeps in AAC, and one after it.
            expectInSync(verdicts, beeps: 4, starts: interruptions(rig) + 2)
            let last = UInt32(sent.count - 1)
            for (name, verdict) in verdicts { #expect(verdict.last == last, "\(name): \(verdict)") }
        }
    }

    @Test("audio that FFmpeg cannot convert is silence, and a note names the fix")
    func unknownAudio() async throws {
        try await withStage { stage in
            var messages: [HandMadePublisher.Message] = []
            // Long enough to read the status meanwhile, on a busy machine too.
            for tag in try await tags(stage, seconds: 90) {
                guard tag.kind == .audio else {
                    messages.append(.init(tag))
                    continue
                }
                var tag = tag
                tag.body = [0x91] + Array("abcd".utf8) + [1, 2, 3]
                messages.append(.init(tag))
            }
            let rig = try await rig(stage)
            let (verdicts, sent) = try await publish(messages, rig, leavesFrom: 10_000) { rig in
                try await rig.daemon.logged("the source's audio cannot be used", "audio codec abcd")
                try await stage.expect("the note", of: rig.daemon) { status in
                    let words = "its audio has the codec abcd, which cannot be used"
                    return status.source("rtmp-0")?.notes?.contains { $0.hasPrefix(words) } == true
                }
                #expect(converters(rig).isEmpty)
            }
            expectWhole(verdicts, last: UInt32(sent.count - 1), beeps: 0)
        }
    }

    // MARK: Other formats

    @Test("a new header starts a new format, of another size or the same")
    func headers() async throws {
        try await withStage { stage in
            // The last format has other parameter sets of the same size.
            let formats = [(320, 180, 0), (180, 320, 0), (640, 360, 0), (640, 360, 2)]
            var pieces: [[FLVFile.Tag]] = []
            for (index, format) in formats.enumerated() {
                let piece = try await tags(stage, seconds: 3) {
                    $0.firstNumber = UInt32(90 * index)
                    ($0.width, $0.height, $0.bFrames) = format
                }
                pieces.append(piece)
            }
            var messages: [HandMadePublisher.Message] = []
            for (index, piece) in pieces.enumerated() {
                for tag in piece where tag.time < 3000 {
                    var tag = tag
                    tag.time += 3000 * index
                    messages.append(.init(tag))
                }
            }
            let verdicts = try await publish(messages, try await rig(stage))
            for (name, verdict) in verdicts {
                let isComplete = verdict.duplicated.isEmpty && verdict.lost.isEmpty && verdict.first == 0
                #expect(isComplete, "\(name): \(verdict)")
                #expect(verdict.last ?? 0 >= 355, "\(name): \(verdict)")
                #expect(verdict.worstAudioOffset ?? 1 < 0.06, "\(name): \(verdict.audioOffsets)")
            }
        }
    }

    // MARK: Jumps

    @Test(
        "timestamps that jump cost no frame and no memory",
        arguments: [30_000, -30_000, 600_000, 95_000_000, 1 << 31, -(1 << 31), 200, -200])
    func jump(by jump: Int) async throws {
        try await withStage { stage in
            let all = try await tags(stage)
            // The jump is between two beeps.
            let place = try #require(all.first { $0.isKeyframe && $0.time >= 5200 }?.time)
            let messages = all.map { tag -> HandMadePublisher.Message in
                var later = tag
                later.time += max(0, -jump) + (tag.time >= place ? jump : 0)
                return .init(later, due: tag.time)
            }
            let rig = try await rig(stage)
            let (verdicts, sent) = try await publish(messages, rig, leavesFrom: .max) { rig in
                try await Task.sleep(for: .seconds(4))
                rig.daemon.resetPeakMemory()
                let before = try rig.daemon.peakMemory()
                try await rig.daemon.logged("the publisher left")
                let peak = try rig.daemon.peakMemory()
                print("peak memory: before \(before >> 10) KB, with the jump \(peak >> 10) KB")
                #expect(Limit.isInstrumented || peak - before <= 10_000_000)
            }
            // A step of less than a second is a gap of the stream itself.
            expectWhole(verdicts, beeps: 8)
            // If the publisher itself paused, the gap includes the pause. Frames of the slate before it have no
            // numbers.
            let pause = zip(sent, sent.dropFirst()).map { ($1 - $0).inSeconds }.max() ?? 0
            for (name, verdict) in verdicts {
                let times = try await rig.sink.reading(of: name).frames.filter { $0.number != nil }.map(\.time)
                let gap = zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? .infinity
                #expect(gap < 0.5 + max(0, pause - 0.1), "\(name): \(gap) s, \(verdict)")
            }
        }
    }

    @Test("timestamps that wrap at 24 or 32 bits continue", arguments: [(1 << 24) - 3000, (1 << 32) - 3000])
    func wrap(start: Int) async throws {
        try await withStage { stage in
            let span = start > 1 << 24 ? 1 << 32 : 1 << 24
            let messages = try await tags(stage).map { tag -> HandMadePublisher.Message in
                var later = tag
                later.time = (tag.time + start) % span
                return .init(later, due: tag.time)
            }
            expectWhole(try await publish(messages, try await rig(stage)), beeps: 8)
        }
    }
}

extension [HandMadePublisher.Message] {
    /// Sorted by their due times. Messages with the same due time keep their order.
    fileprivate var inOrder: Self {
        enumerated().sorted { ($0.element.due, $0.offset) < ($1.element.due, $1.offset) }.map(\.element)
    }
}
