import FFmpeg
import Logging
import Synchronization
import Testing

@testable import Supervision

/// The reactions to the lines of a relay.
@Suite struct StreamWatchTests {
    private final class Calls: Sendable {
        private let calls = Mutex(0)
        var count: Int { calls.withLock { $0 } }
        func add() { calls.withLock { $0 += 1 } }
    }

    private let statistics = ProcessStatistics()

    private func watch(program: Int? = nil) -> StreamWatch {
        StreamWatch(
            program: program, statistics: statistics, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func info(_ text: String) -> LogLine { LogLine(level: .info, text: text) }

    /// - Returns: Whether the relay has to be replaced.
    private func describe(_ watch: StreamWatch, _ streams: [String]) -> Bool {
        for line in ["Input #0, mpegts, from 'pipe:0':"] + streams { #expect(!watch.handle(info(line))) }
        return watch.handle(info("Stream mapping:"))
    }

    private let one = [
        "  Program 1 ", "  Stream #0:0[0x100]: Video: mpeg2video (Main)", "  Stream #0:1[0x101]: Audio: ac3",
    ]
    private let two = [
        "  Program 1 ", "  Stream #0:0[0x100]: Audio: mp2", "  Program 2 ", "  Stream #0:1[0x101]: Video: h264",
        "  Stream #0:2[0x102]: Audio: aac",
    ]
    private let newStream = LogLine(level: .warning, text: "[mpegts @ 0x1] New audio stream 0:2 at pos:1 and DTS:1s")

    @Test("a relay takes another program's audio -> it is replaced once, with a note")
    func replaced() {
        let watch = watch()
        #expect(watch.begin(isCopying: true) == .first)
        #expect(describe(watch, two))
        #expect(watch.begin(isCopying: true) == .program(2))
        #expect(!describe(watch, two))
        #expect(statistics.now.notes[.programs]?.contains("2 is used, 1 is not") == true)
    }

    @Test("a source has one program -> it keeps its relay, without a note")
    func kept() {
        let watch = watch()
        _ = watch.begin(isCopying: true)
        #expect(!describe(watch, one))
        #expect(statistics.now.notes.isEmpty && statistics.now.trouble == nil)
    }

    @Test("the configured program is missing -> a trouble until it comes")
    func missing() {
        let watch = watch(program: 7)
        #expect(watch.begin(isCopying: true) == .program(7))
        #expect(!describe(watch, one))
        #expect(statistics.now.trouble?.contains("program 7 is not in the stream") == true)
        _ = watch.begin(isCopying: true)
        _ = describe(watch, ["  Program 7 ", "  Stream #0:0[0x100]: Video: h264"])
        #expect(statistics.now.trouble == nil)
    }

    @Test("a source disconnects -> no trouble, until the next sender lacks the program, too")
    func missingAndGone() {
        let watch = watch(program: 7)
        for _ in 0..<2 {
            _ = watch.begin(isCopying: true)
            _ = describe(watch, one)
            #expect(statistics.now.trouble?.contains("program 7") == true)
            watch.disconnected()
            #expect(statistics.now.trouble == nil)
            watch.forget()
        }
    }

    @Test("a relay ends -> the trouble stays, until a relay has nothing to read")
    func missingBetweenRelays() {
        let watch = watch(program: 7)
        _ = watch.begin(isCopying: true)
        _ = describe(watch, one)
        watch.ended()
        #expect(statistics.now.trouble?.contains("program 7") == true)
        _ = watch.begin(isCopying: true)
        #expect(!watch.handle(info("connection refused")))
        watch.ended()
        #expect(statistics.now.trouble == nil)
    }

    @Test("streams appear later -> another relay, but not again for the same list")
    func newStreams() {
        let watch = watch()
        _ = watch.begin(isCopying: true)
        _ = describe(watch, one)
        #expect(watch.handle(newStream))
        #expect(!watch.handle(newStream))
        _ = watch.begin(isCopying: true)
        _ = describe(watch, one)
        #expect(!watch.handle(newStream))
        watch.forget()
        _ = watch.begin(isCopying: true)
        _ = describe(watch, one)
        #expect(watch.handle(newStream))
        _ = watch.begin(isCopying: true)
        _ = describe(watch, one + ["  Stream #0:2[0x102]: Audio: aac"])
        #expect(watch.handle(newStream))
    }

    @Test("a second of media came unencoded -> the rate is known")
    func rate() {
        let watch = watch()
        let calls = Calls()
        _ = watch.begin(isCopying: false)
        var progress = Progress()
        (progress.totalSize, progress.outTime) = (750_000, 2_000_000)
        watch.progressed(progress)
        #expect(watch.measured == nil)
        _ = watch.begin(isCopying: true)
        let timer = watch.whenMeasured(within: .seconds(1000)) { calls.add() }
        (progress.totalSize, progress.outTime) = (100_000, 500_000)
        watch.progressed(progress)
        #expect(watch.measured == nil && calls.count == 0)
        (progress.totalSize, progress.outTime) = (750_000, 2_000_000)
        watch.progressed(progress)
        #expect(watch.measured == 3_000_000 && calls.count == 1)
        watch.whenMeasured { calls.add() }
        #expect(calls.count == 2)
        timer?.cancel()
    }

    @Test("the rate of an encoded call changes -> it is measured again")
    func callRate() {
        let watch = watch()
        let begin = ContinuousClock.now
        var (bytes, seconds) = (Int64(0), 0)
        func resume(_ perSecond: Int64, for count: Int) -> [Int] {
            (0..<count).compactMap { _ in
                seconds += 1
                bytes += perSecond
                var progress = Progress()
                progress.totalSize = bytes
                return watch.callProgressed(progress, at: begin + .seconds(seconds))
            }
        }
        _ = watch.begin(isCopying: true)
        let atFirst = resume(125_000, for: 2)
        var progress = Progress()
        (progress.totalSize, progress.outTime) = (112_500, 1_000_000)
        watch.progressed(progress)
        _ = watch.begin(isCopying: false)
        let steady = resume(125_000, for: 20)
        #expect(atFirst.isEmpty && steady.isEmpty && watch.measured == 900_000)
        let faster = resume(1_250_000, for: 20)
        #expect(faster == [900_000] && watch.measured == 9_000_000)
        // Another caller, of whom nothing is measured.
        watch.forget()
        bytes = 0
        let unmeasured = resume(125_000, for: 5) + resume(1_250_000, for: 30)
        #expect(unmeasured.isEmpty && watch.measured == nil)
    }

    @Test("the rate is not known in time -> the wait ends")
    func late() async {
        let watch = watch()
        let calls = Calls()
        _ = watch.begin(isCopying: true)
        await watch.whenMeasured(within: .zero) { calls.add() }?.value
        #expect(calls.count == 1)
    }

    @Test("the timer of an earlier wait fires -> the later wait goes on")
    func staleTimer() async {
        let watch = watch()
        let (former, later) = (Calls(), Calls())
        _ = watch.begin(isCopying: true)
        let stale = watch.whenMeasured(within: .milliseconds(50)) { former.add() }
        watch.forget()
        _ = watch.begin(isCopying: true)
        let timer = watch.whenMeasured(within: .seconds(1000)) { later.add() }
        await stale?.value
        #expect(later.count == 0)
        var progress = Progress()
        (progress.totalSize, progress.outTime) = (750_000, 2_000_000)
        watch.progressed(progress)
        #expect(later.count == 1)
        timer?.cancel()
    }

    @Test("a relay encodes -> a note with the bitrate")
    func encoding() {
        let watch = watch()
        _ = watch.begin(isCopying: true)
        _ = describe(watch, one)
        var transcoding = FFmpegCommands.Transcoding()
        (transcoding.video, transcoding.audio) = (true, true)
        watch.encodes(transcoding, bitrate: 3_650_000)
        #expect(
            statistics.now.notes[.encoding]
                == "encoded on the way in: video mpeg2video to H.264 at 3.6 Mbit/s, audio ac3 to AAC at 192 kbit/s")
        watch.encodes(FFmpegCommands.Transcoding(), bitrate: 0)
        #expect(statistics.now.notes[.encoding] == nil)
    }
}
