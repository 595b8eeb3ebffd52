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

/// A source and its card, with processes that are none.
@Suite struct CaptureSourceDriverTests {
    private static let logger = ServiceContext.silent

    private static func card(port: Int = 2, node: Int = 7, sound: String? = nil, problem: String? = nil)
        -> CaptureDevice
    {
        CaptureDevice(
            path: "pci-0000:00:14.0-usb-0:\(port):1.0", serial: "SN1", name: "Cam", node: "/nowhere/video\(node)",
            sound: sound, accessProblem: problem)
    }

    /// A source whose reader runs until it is ended, or ends at once.
    private struct Rig {
        let statistics = ProcessStatistics()
        let relay: CaptureSourceDriver
        let process: ProcessRunner

        init(
            _ audio: CaptureAudio = .auto, _ binding: CaptureBinding = .any, captures: CaptureManager? = nil,
            endsAtOnce: Bool = false
        ) {
            relay = CaptureSourceDriver(
                CaptureSource(binding: binding, audio: audio), id: "main/capture-0", context: .none(captures),
                statistics: statistics, logger: logger)
            // A pause that no test waits for.
            var policy = RestartPolicy(burst: 0, forgivenAfter: .seconds(1))
            policy.floor = .seconds(600)
            process = ProcessRunner(
                machine: ProcessMachine(policy: policy, stallPatience: .zero), statistics: statistics,
                changed: { _ in },
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

    // MARK: Who speaks last

    @Test("a card that comes just while its source is wanted is read, though that was told slowly")
    func comesWhileWanted() async {
        let relay = Rig().relay
        let process = SlowProcess()
        async let wanted: Void = BlockingIO.run { relay.want(true, process) }
        await process.slow.interrupt { relay.follow(Self.card(), process) }
        await wanted
        #expect(process.slow.all == [.want(false), .want(true)])
    }

    @Test("a source that asks for its card just while that is found has it, though it hears slowly")
    func claimsWhileFound() async throws {
        let plugged = Mutex(false)
        let keeper = CaptureManager(logger: Self.logger) { plugged.withLock { $0 } ? [Self.card()] : [] }
        let looking = Task { await keeper.run() }
        defer { looking.cancel() }
        let isKnown = Mutex(false)
        keeper.claim("other", .serial("SN2")) { _ in isKnown.withLock { $0 = true } }
        try await eventually("what is there") { isKnown.withLock { $0 } }
        let slow = Slow<CaptureDevice?> { $0 == nil }
        async let claimed: Void = BlockingIO.run { keeper.claim("main/capture-0", .any) { slow.hear($0) } }
        await slow.interrupt {
            plugged.withLock { $0 = true }
            keeper.look()
            // Longer than it takes, where nothing holds it up.
            usleep(100_000)
        }
        await claimed
        try await eventually("the card") { slow.all.count == 2 }
        #expect(slow.all.last.flatMap { $0 } == Self.card())
        // Whoever was still to be told has been when this returns.
        keeper.release("main/capture-0")
        #expect(slow.all.count == 2)
    }

    @Test("a card whose signal goes just while it freezes is told by its signal")
    func signalWhileFrozen() async {
        for _ in 1...200 {
            let (rig, card) = (Rig(), Self.card())
            rig.relay.follow(card, rig.process)
            async let frozen: Void = BlockingIO.run { rig.relay.froze() }
            async let gone: Void = BlockingIO.run { rig.relay.signal(false, false, of: card, rig.process) }
            _ = await (frozen, gone)
            #expect(
                rig.statistics.now.trouble?.contains("no signal") == true, "\(rig.statistics.now.trouble ?? "nothing")")
        }
    }

    // MARK: One after the other

    @Test(
        """
        a card that is pulled while it is read leaves word of what is plugged in instead, also once its reader has \
        ended
        """
    )
    func absence() {
        let rig = Rig()
        rig.relay.follow(Self.card(), rig.process)
        #expect(rig.statistics.now.absence == nil)
        rig.relay.follow(nil, rig.process)
        rig.statistics.ended(ChildExit(status: .exited(0), asked: true, cause: nil, log: LogExcerpt()), started: .now)
        #expect(
            rig.statistics.now.absence
                == "no card free is there; none is plugged in: plug it in, or name another in the configuration")
        rig.relay.follow(Self.card(), rig.process)
        #expect(rig.statistics.now.absence == nil)
    }

    @Test("a card that another source has is told as that, and not as one that is not plugged in")
    func taken() async throws {
        let keeper = CaptureManager(logger: Self.logger) { [Self.card()] }
        let looking = Task { await keeper.run() }
        defer { looking.cancel() }
        keeper.claim("main/capture-9", .path("pci-0000:00:14.0-usb-0:2")) { _ in }
        let rig = Rig(.auto, .serial("SN1"), captures: keeper)
        rig.relay.begin(rig.process)
        try await eventually("the words") {
            rig.statistics.now.absence?.hasPrefix(
                "the card with the serial SN1 is another source's, and each belongs to one; plugged in: Cam at ")
                == true
        }
        rig.relay.end()
    }

    @Test(
        """
        a reader that is in a pause is started at once when its card is in another port, or this user is given it; \
        and for nothing else
        """
    )
    func pause() async throws {
        let rig = Rig(endsAtOnce: true)
        try await rig.run {
            rig.relay.want(true, rig.process)
            rig.relay.follow(Self.card(problem: "not yours"), rig.process)
            try await eventually("a pause") { await rig.process.actual == .pausing && rig.statistics.now.starts == 1 }
            for (card, starts) in [
                (Self.card(problem: "not yours, still"), 1), (Self.card(), 2), (Self.card(), 2),
                (Self.card(port: 3), 2), (Self.card(port: 3, node: 8), 3),
            ] {
                rig.relay.follow(card, rig.process)
                try await eventually("\(starts) starts") {
                    await rig.process.actual == .pausing && rig.statistics.now.starts == starts
                }
            }
        }
    }

    @Test(
        """
        a reader that gives nothing has longer and longer for its first picture, and as long as ever once the card \
        was pulled and plugged
        """
    )
    func patience() {
        let rig = Rig()
        rig.relay.follow(Self.card(), rig.process)
        var firsts: [FramePatience] = []
        for _ in 0...6 {
            firsts.append(rig.relay.patience)
            rig.relay.froze()
        }
        let expected = [4, 4, 8, 16, 32, 32, 32].map { FramePatience(first: .seconds($0), next: .seconds(1)) }
        #expect(firsts == expected)
        #expect(rig.statistics.now.trouble?.contains("gives no pictures") == true)
        rig.relay.follow(nil, rig.process)
        rig.relay.follow(Self.card(), rig.process)
        #expect(rig.relay.patience == expected[0] && rig.statistics.now.trouble == nil)
        // Pictures alone do not forgive it: one that freezes again soon has got worse.
        rig.relay.froze()
        rig.relay.froze()
        rig.relay.delivers()
        #expect(rig.statistics.now.trouble == nil && rig.relay.patience == expected[2])
    }

    @Test(
        """
        what arrives when a card's watch begins opens nothing anew; no signal rests it, and another signal opens \
        it anew
        """
    )
    func signals() async throws {
        let (rig, card) = (Rig(), Self.card())
        try await rig.run {
            rig.relay.want(true, rig.process)
            rig.relay.follow(card, rig.process)
            // Of two watches, as when a card was pulled and plugged within a moment.
            rig.relay.signal(true, true, of: card, rig.process)
            rig.relay.signal(true, true, of: card, rig.process)
            rig.relay.signal(true, false, of: Self.card(node: 1), rig.process)
            try await eventually("a reader") { rig.statistics.now.starts == 1 }
            rig.relay.signal(true, false, of: card, rig.process)
            try await eventually("another reader") { rig.statistics.now.starts == 2 }
            rig.relay.signal(false, false, of: card, rig.process)
            try await eventually("no reader") { await rig.process.actual == .idle }
            rig.relay.signal(true, true, of: card, rig.process)
            try await eventually("a reader again") { rig.statistics.now.starts == 3 }
        }
    }

    @Test(
        """
        a card whose sound is read is opened anew when the clock is set; one without sound, or that nobody reads, \
        is not
        """
    )
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
            let (relay, process) = (Rig(audio, captures: captures).relay, HeardProcess())
            relay.begin(process)
            defer { relay.end() }
            try await eventually("the card") { process.all == [.want(false)] }
            let replaced = { process.all.count { $0 == .replace } }
            captures.clockWasSet(by: .seconds(3600))
            #expect(replaced() == 0)
            let reading = try await relay.reading()
            #expect(reading.hasSound == isAnew && reading.command.arguments.contains("abs") == isAnew)
            captures.clockWasSet(by: .seconds(-3600))
            #expect(replaced() == (isAnew ? 1 : 0))
            relay.ended(ChildExit(status: .signalled(9), asked: true, cause: nil, log: LogExcerpt()), process)
            captures.clockWasSet(by: .seconds(3600))
            #expect(replaced() == (isAnew ? 1 : 0))
        }
    }

    @Test("a card whose sound was begun at another rate than the channel's is opened anew, once, and gives that rate")
    func soundRate() async throws {
        for (sound, isAnew) in [("hw:2", true), (nil, false)] {
            var card = Self.card(sound: sound)
            card.node = "/dev/null"
            let captures = CaptureManager(logger: Self.logger) { [card] in [card] }
            let looking = Task { await captures.run() }
            defer { looking.cancel() }
            let (relay, process) = (Rig(.auto, captures: captures).relay, HeardProcess())
            relay.begin(process)
            defer { relay.end() }
            try await eventually("the card") { process.all == [.want(false)] }
            let replaced = { process.all.count { $0 == .replace } }
            func rates(_ reading: CaptureSourceDriver.Reading) -> [String] {
                reading.command.arguments.filter { $0.hasPrefix("aresample=") }.map { String($0.prefix { $0 != ":" }) }
            }
            let first = try await relay.reading()
            #expect(rates(first) == (isAnew ? ["aresample=48000"] : []))
            relay.giveSound(at: 48_000, process)
            #expect(replaced() == 0)
            relay.giveSound(at: 44_100, process)
            #expect(replaced() == (isAnew ? 1 : 0))
            let second = try await relay.reading(soundRate: 44_100)
            #expect(rates(second) == (isAnew ? ["aresample=44100"] : []))
            relay.giveSound(at: 44_100, process)
            #expect(replaced() == (isAnew ? 1 : 0))
        }
    }

    @Test(
        "named sound that is lost is joined again when any sound is plugged in, and a card's own when it is the card's")
    func sound() async throws {
        for (audio, sound) in [(CaptureAudio.device("hw:9"), nil), (.auto, "hw:2")] {
            let rig = Rig(audio)
            try await rig.run {
                rig.relay.want(true, rig.process)
                rig.relay.follow(Self.card(sound: sound), rig.process)
                try await eventually("a reader") { rig.statistics.now.starts == 1 }
                // Both of its last words.
                for text in [
                    "[alsa @ 0x1] ALSA read error: No such device", "[alsa @ 0x1] ALSA read error: No such device",
                ] {
                    rig.relay.hears(LogLine(level: .error, text: text), rig.process)
                }
                #expect(rig.statistics.now.trouble?.contains("goes on with silence") == true)
                rig.relay.soundCame(rig.process)
                if audio == .auto {
                    #expect(rig.statistics.now.trouble != nil)
                    rig.relay.follow(Self.card(), rig.process)
                    rig.relay.follow(Self.card(sound: sound), rig.process)
                }
                try await eventually("a reader with sound") { rig.statistics.now.starts == 2 }
                #expect(rig.statistics.now.trouble == nil)
                // Nothing is missing any more.
                rig.relay.soundCame(rig.process)
                rig.relay.want(false, rig.process)
                try await eventually("no reader") { await rig.process.actual == .idle }
                #expect(rig.statistics.now.starts == 2)
            }
        }
    }
}
