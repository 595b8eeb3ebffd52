import BoxConfiguration
import EncoderSelection
import FFmpeg
import Foundation
import Synchronization
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@testable import Supervision

/// The tests do not set the clock. They pass in the values of a clock that was set.
@Suite(.tags(.ffmpeg)) struct ClockWatchTests {
    @Test(
        "a step of a tenth of a second or more is reported, and smaller steps never"
    )
    func steps() {
        var lead = ClockLead()
        #expect(lead.step(to: .seconds(1_000_000)) == nil, "the first is no step")
        #expect(lead.step(to: .seconds(1_000_000)) == nil)
        for number in 1...20 { #expect(lead.step(to: .seconds(1_000_000) + .milliseconds(99) * number) == nil) }
        var now = Duration.seconds(1_000_000) + .milliseconds(99) * 20
        for step in [Duration.milliseconds(100), .milliseconds(-100), .seconds(50 * 365 * 86400), .seconds(-3600)] {
            now += step
            #expect(lead.step(to: now) == step)
            #expect(lead.step(to: now) == nil)
        }
    }

    @Test("a watch of an unchanged clock reports nothing, and ends with its reader")
    func ends() async {
        let steps = ClockWatch.steps()
        let told = Mutex<[Duration]>([])
        let reading = Task {
            for await step in steps { told.withLock { $0.append(step) } }
        }
        // Long enough for a watch that reports at once, or repeatedly.
        try? await Task.sleep(for: .milliseconds(100))
        #expect(!reading.isCancelled && told.withLock { $0.isEmpty })
        reading.cancel()
        await reading.value
    }

    @Test("while the service runs, each user of a card gets every step in order")
    func heard() async throws {
        var context = ServiceContext.none(CaptureManager(logger: ServiceContext.silent) { [] })
        let (steps, clock) = AsyncStream.makeStream(of: Duration.self)
        context.clockSteps = { steps }
        let heard = Mutex<[Duration]>([])
        let clockWasSet = { @Sendable (step: Duration) in heard.withLock { $0.append(step) } }
        context.captures.claim("main/capture-0", .any, clockWasSet: clockWasSet, changed: { _ in })
        let supervisor = Supervisor(BoxConfiguration(channels: []), context: context)
        let running = Task { await supervisor.run() }
        clock.yield(.seconds(3600))
        clock.yield(.seconds(-7200))
        try await eventually("both steps") { heard.withLock { $0 } == [.seconds(3600), .seconds(-7200)] }
        supervisor.stop()
        await running.value
    }

    @Test(
        "a recording gets other file names if the clock is set back, and else continues"
    )
    func recording() async throws {
        let folder = try TemporaryFolder()
        let environment = ProcessInfo.processInfo.environment
        let ffmpeg = try await FFmpegBinary.locate(nil, environment: environment, limit: .seconds(60)).binary
        let keeper = EncoderManager(
            EncoderCatalogue(listed: ffmpeg.capabilities.encoders),
            trial: EncoderTrial(ffmpeg: ffmpeg, environment: environment), logger: ServiceContext.silent)
        var context = ServiceContext(
            ffmpeg: ffmpeg, encoders: keeper, runtime: FilePath(folder.path), environment: environment,
            logger: ServiceContext.silent)
        context.program = BuiltProgram.streambox
        let clocks = Mutex<[AsyncStream<Duration>.Continuation]>([])
        context.clockSteps = {
            let (steps, clock) = AsyncStream.makeStream(of: Duration.self)
            clocks.withLock { $0.append(clock) }
            return steps
        }
        let recordings = try folder.makeFolder("recordings")
        let configuration = try ConfigurationFile.parse(
            """
            channels:
              - name: main
                sources: [ test: {} ]
                groups: [ { name: hd, video: copy, audio: copy,
                  targets: [ { name: show, record: { folder: "\(recordings)", segment: 10m } } ] } ]
            """, name: "test", ownerOnly: true
        ).configuration
        let supervisor = Supervisor(configuration, context: context)
        _ = try await supervisor.prepare()
        let running = Task { await supervisor.run() }
        let takes = { folder.names(in: "recordings").map { $0.split(separator: "-").dropFirst(3).joined() } }
        try await eventually("a recording", within: .seconds(60)) { takes() == [""] && clocks.withLock(\.count) == 2 }
        for clock in clocks.withLock({ $0 }) {
            for step in [Duration.seconds(3600), .seconds(-200), .seconds(-600)] { clock.yield(step) }
        }
        // One more file, because one of the three steps counts.
        try await eventually("another one", within: .seconds(60)) {
            takes() == ["1.ts", ""] || takes() == ["", "1.ts"]
        }
        supervisor.stop()
        await running.value
        #expect(takes().count == 2)
    }

    @Test("a watch sleeps until it is ended")
    func sleeps() async throws {
        let watch = try #require(ClockWatch())
        let hasEnded = Mutex(false)
        async let watching: Void = BlockingIO.run {
            watch.run { _ in }
            hasEnded.withLock { $0 = true }
        }
        try await Task.sleep(for: .milliseconds(100))
        #expect(!hasEnded.withLock { $0 })
        watch.end()
        await watching
    }
}
