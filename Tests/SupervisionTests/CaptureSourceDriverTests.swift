import BoxConfiguration
import CapabilityProbe
import DataPath
import FFmpeg
import Foundation
import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import Supervision

/// A source and its card, without processes.
@Suite struct CaptureSourceDriverTests {
    private static let logger = ServiceContext.silent

    private static func card(port: Int = 2, node: Int = 7, sound: String? = nil, problem: String? = nil)
        -> CaptureDevice
    {
        CaptureDevice(
            path: "pci-0000:00:14.0-usb-0:\(port):1.0", serial: "SN1", name: "Cam", node: "/nowhere/video\(node)",
            sound: sound, accessProblem: problem)
    }

    private static let dataPath = DataPath()

    private static func driver(
        _ audio: CaptureAudio = .auto, _ binding: CaptureBinding = .any, captures: CaptureManager? = nil,
        process: any Supervised
    ) -> CaptureSourceDriver {
        let capture = CaptureSource(binding: binding, audio: audio)
        let source = SourceConfiguration(kind: .capture(capture), position: 0)
        return CaptureSourceDriver(
            capture,
            in: SourceContext(
                source, priority: 0, of: ChannelConfiguration(name: "main", sources: [source]), process: process,
                service: .none(captures), dataPath: dataPath,
                observer: SourceObserver(delivers: { _ in }, onAir: { _ in }, changed: { _ in })))
    }

    /// A source whose reader runs until it is ended, or ends at once.
    private struct Rig {
        let driver: CaptureSourceDriver
        let process: ProcessRunner

        var statistics: ProcessStatistics { driver.context.statistics }

        init(
            _ audio: CaptureAudio = .auto, _ binding: CaptureBinding = .any, captures: CaptureManager? = nil,
            endsAtOnce: Bool = false
        ) {
            let queue = ProcessQueue()
            driver = CaptureSourceDriverTests.driver(audio, binding, captures: captures, process: queue)
            // A pause that no test waits for.
            var policy = RestartPolicy(immediateRestarts: 0, forgivenAfter: .seconds(1))
            policy.shortestPause = .seconds(600)
            process = ProcessRunner(
                machine: ProcessMachine(policy: policy, stallPatience: .zero), statistics: driver.context.statistics,
                queue: queue, changed: { _ in },
                live: { child in if !endsAtOnce { await child.untilAsked() } })
        }

        /// Runs the process while `body` does.
        func run<Result>(_ body: () async throws -> Result) async throws -> Result {
            let running = Task { await process.run() }
            let result: Result
            do {
                result = try await body()
            } catch {
                process.finish()
                throw error
            }
            process.finish()
            await running.value
            return result
        }
    }

    // MARK: Events at the same time

    @Test("a card comes just while its source becomes wanted -> it is read")
    func comesWhileWanted() async {
        let process = SlowProcess()
        let driver = Self.driver(process: process)
        async let wanted: Void = BlockingIO.run { driver.want(true) }
        await process.slow.interrupt { driver.follow(Self.card()) }
        await wanted
        #expect(process.slow.all == [.want(false), .want(true)])
    }

    @Test("a source claims its card just while that is found -> it has it")
    func claimsWhileFound() async throws {
        let plugged = Mutex(false)
        let captures = CaptureManager(logger: Self.logger) { plugged.withLock { $0 } ? [Self.card()] : [] }
        let looking = Task { await captures.run() }
        defer { looking.cancel() }
        let isKnown = Mutex(false)
        captures.claim("other", .serial("SN2")) { _ in isKnown.withLock { $0 = true } }
        try await eventually("what is there") { isKnown.withLock { $0 } }
        let slow = Slow<CaptureDevice?> { $0 == nil }
        async let claimed: Void = BlockingIO.run { captures.claim("main/capture-0", .any) { slow.hear($0) } }
        await slow.interrupt {
            plugged.withLock { $0 = true }
            captures.listCards()
            // Longer than it takes, where nothing holds it up.
            usleep(100_000)
        }
        await claimed
        try await eventually("the card") { slow.all.count == 2 }
        #expect(slow.all.last.flatMap { $0 } == Self.card())
        // All reports have been made when this returns.
        captures.release("main/capture-0")
        #expect(slow.all.count == 2)
    }

    @Test("the signal goes just while the card freezes -> the trouble names the signal")
    func signalWhileFrozen() async {
        for _ in 1...200 {
            let (rig, card) = (Rig(), Self.card())
            rig.driver.follow(card)
            async let frozen: Void = BlockingIO.run { _ = rig.driver.sourceStalls() }
            async let gone: Void = BlockingIO.run { rig.driver.signal(false, false, of: card) }
            _ = await (frozen, gone)
            #expect(
                rig.statistics.now.trouble?.contains("no signal") == true, "\(rig.statistics.now.trouble ?? "nothing")")
        }
    }

    // MARK: Events in order

    @Test("a card is pulled while it is read -> the absence lists what is plugged in")
    func absence() {
        let rig = Rig()
        rig.driver.follow(Self.card())
        #expect(rig.statistics.now.absence == nil)
        rig.driver.follow(nil)
        rig.statistics.ended(ChildExit(status: .exited(0), asked: true, cause: nil, log: LogExcerpt()), started: .now)
        #expect(
            rig.statistics.now.absence
                == "no card free is there; none is plugged in: plug it in, or name another in the configuration")
        rig.driver.follow(Self.card())
        #expect(rig.statistics.now.absence == nil)
    }

    @Test("another source has the card -> the absence says so")
    func taken() async throws {
        let captures = CaptureManager(logger: Self.logger) { [Self.card()] }
        let looking = Task { await captures.run() }
        defer { looking.cancel() }
        captures.claim("main/capture-9", .path("pci-0000:00:14.0-usb-0:2")) { _ in }
        let rig = Rig(.auto, .serial("SN1"), captures: captures)
        rig.driver.begin()
        try await eventually("the words") {
            rig.statistics.now.absence?.hasPrefix(
                "the card with the serial SN1 is another source's, and each belongs to one; plugged in: Cam at ")
                == true
        }
        rig.driver.end()
    }

    @Test("another node, or access, during a pause -> a start at once; otherwise none")
    func pause() async throws {
        let rig = Rig(endsAtOnce: true)
        try await rig.run {
            rig.driver.want(true)
            rig.driver.follow(Self.card(problem: "not yours"))
            try await eventually("a pause") { await rig.process.actual == .pausing && rig.statistics.now.starts == 1 }
            for (card, starts) in [
                (Self.card(problem: "not yours, still"), 1), (Self.card(), 2), (Self.card(), 2),
                (Self.card(port: 3), 2), (Self.card(port: 3, node: 8), 3),
            ] {
                rig.driver.follow(card)
                try await eventually("\(starts) starts") {
                    await rig.process.actual == .pausing && rig.statistics.now.starts == starts
                }
            }
        }
    }

    @Test("a card freezes repeatedly -> more patience, until it is pulled and plugged")
    func patience() {
        let rig = Rig()
        rig.driver.follow(Self.card())
        var firsts: [FramePatience] = []
        for _ in 0...6 {
            firsts.append(rig.driver.patience)
            _ = rig.driver.sourceStalls()
        }
        let expected = [4, 4, 8, 16, 32, 32, 32].map { FramePatience(first: .seconds($0), next: .seconds(1)) }
        #expect(firsts == expected)
        #expect(rig.statistics.now.trouble?.contains("delivers no frames") == true)
        rig.driver.follow(nil)
        rig.driver.follow(Self.card())
        #expect(rig.driver.patience == expected[0] && rig.statistics.now.trouble == nil)
        // Pictures alone do not forgive it: one that freezes again soon has got worse.
        _ = rig.driver.sourceStalls()
        _ = rig.driver.sourceStalls()
        rig.driver.sourceDelivers()
        #expect(rig.statistics.now.trouble == nil && rig.driver.patience == expected[2])
    }

    @Test("the signal changes -> the card is opened again; none -> it is not read")
    func signals() async throws {
        let (rig, card) = (Rig(), Self.card())
        try await rig.run {
            rig.driver.want(true)
            rig.driver.follow(card)
            // Of two watches, as when a card was pulled and plugged within a moment.
            rig.driver.signal(true, true, of: card)
            rig.driver.signal(true, true, of: card)
            rig.driver.signal(true, false, of: Self.card(node: 1))
            try await eventually("a reader") { rig.statistics.now.starts == 1 }
            rig.driver.signal(true, false, of: card)
            try await eventually("another reader") { rig.statistics.now.starts == 2 }
            rig.driver.signal(false, false, of: card)
            try await eventually("no reader") { await rig.process.actual == .idle }
            rig.driver.signal(true, true, of: card)
            try await eventually("a reader again") { rig.statistics.now.starts == 3 }
        }
    }

    @Test("the clock is set -> a card is opened again, but only while its audio is read")
    func clockSet() async throws {
        for (audio, sound, isAnew) in [
            (CaptureAudio.auto, "hw:2", true), (.device("hw:9"), nil, true), (.auto, nil, false),
            (.none, "hw:2", false),
        ] {
            var card = Self.card(sound: sound)
            // One that can be opened, and answers nothing.
            card.node = "/dev/null"
            let captures = CaptureManager(logger: Self.logger) { [card] in [card] }
            let looking = Task { await captures.run() }
            defer { looking.cancel() }
            let process = HeardProcess()
            let driver = Self.driver(audio, captures: captures, process: process)
            driver.begin()
            defer { driver.end() }
            try await eventually("the card") { process.all == [.want(false)] }
            let replaced = { process.all.count { $0 == .replace } }
            captures.clockWasSet(by: .seconds(3600))
            #expect(replaced() == 0)
            let reading = try await driver.reading()
            #expect(reading.hasAudio == isAnew && reading.command.arguments.contains("abs") == isAnew)
            captures.clockWasSet(by: .seconds(-3600))
            #expect(replaced() == (isAnew ? 1 : 0))
            driver.ended(ChildExit(status: .signalled(9), asked: true, cause: nil, log: LogExcerpt()))
            captures.clockWasSet(by: .seconds(3600))
            #expect(replaced() == (isAnew ? 1 : 0))
        }
    }

    @Test("the channel's audio has another rate -> the card is opened again, once, with it")
    func soundRate() async throws {
        for (sound, isAnew) in [("hw:2", true), (nil, false)] {
            var card = Self.card(sound: sound)
            card.node = "/dev/null"
            let captures = CaptureManager(logger: Self.logger) { [card] in [card] }
            let looking = Task { await captures.run() }
            defer { looking.cancel() }
            let process = HeardProcess()
            let driver = Self.driver(captures: captures, process: process)
            driver.begin()
            defer { driver.end() }
            try await eventually("the card") { process.all == [.want(false)] }
            let replaced = { process.all.count { $0 == .replace } }
            func rates(_ reading: CardReading) -> [String] {
                reading.command.arguments.filter { $0.hasPrefix("aresample=") }.map { String($0.prefix { $0 != ":" }) }
            }
            let first = try await driver.reading()
            #expect(rates(first) == (isAnew ? ["aresample=48000"] : []))
            driver.giveAudio(at: 48_000)
            #expect(replaced() == 0)
            driver.giveAudio(at: 44_100)
            #expect(replaced() == (isAnew ? 1 : 0))
            let second = try await driver.reading(audioRate: 44_100)
            #expect(rates(second) == (isAnew ? ["aresample=44100"] : []))
            driver.giveAudio(at: 44_100)
            #expect(replaced() == (isAnew ? 1 : 0))
        }
    }

    @Test(
        "audio was lost and its device is plugged in -> it is read again")
    func sound() async throws {
        for (audio, sound) in [(CaptureAudio.device("hw:9"), nil), (.auto, "hw:2")] {
            let rig = Rig(audio)
            try await rig.run {
                rig.driver.want(true)
                rig.driver.follow(Self.card(sound: sound))
                try await eventually("a reader") { rig.statistics.now.starts == 1 }
                // FFmpeg prints the line twice.
                for text in [
                    "[alsa @ 0x1] ALSA read error: No such device", "[alsa @ 0x1] ALSA read error: No such device",
                ] {
                    rig.driver.handle(LogLine(level: .error, text: text))
                }
                #expect(rig.statistics.now.trouble?.contains("continues with silence") == true)
                rig.driver.audioCame()
                if audio == .auto {
                    #expect(rig.statistics.now.trouble != nil)
                    rig.driver.follow(Self.card())
                    rig.driver.follow(Self.card(sound: sound))
                }
                try await eventually("a reader with sound") { rig.statistics.now.starts == 2 }
                #expect(rig.statistics.now.trouble == nil)
                // Nothing is missing any more.
                rig.driver.audioCame()
                rig.driver.want(false)
                try await eventually("no reader") { await rig.process.actual == .idle }
                #expect(rig.statistics.now.starts == 2)
            }
        }
    }
}
