import BoxConfiguration
import DataPath
import FFmpeg
import Logging
import MPEGTS
import Synchronization
import SystemPackage

/// Waits for an SRT caller, checks it, and reads its stream through two processes: one holds the connection, and the
/// other converts its stream to the MPEG-TS of the feed.
final class SRTSourceDriver: SourceDriver {
    let context: SourceContext
    private let caller: CallerCheck
    private let call: CallRelay
    private let relay: StreamRelay
    /// Whether only the first video and the first audio stream of the next caller are passed on.
    private let firstStreamsOnly = Mutex(false)

    private static let awaited = "a caller is connected and has not sent video yet"

    init(_ source: SRTSource, in context: SourceContext) {
        self.context = context
        caller = CallerCheck(source, clock: context.clock, logger: context.logger)
        let call = CallRelay(clock: context.clock, logger: context.logger)
        self.call = call
        // A caller stays while another process reads what it sends.
        relay = StreamRelay(in: context) { call.replaceReader() }
    }

    var refusals: [String: Int]? { caller.refusals }

    /// Waits for a caller, and passes its stream on until it has left.
    func runOnce(_ child: ChildHandle) async throws {
        let (service, statistics) = (context.service, context.statistics)
        try await caller.readStreamID(service.secretReader)
        let source = try await service.secretReader.filled(context.source)
        // What is known belongs to the last caller, not to the next one.
        relay.forget()
        guard
            let command = try FFmpegCommands.relay(
                source, mezzanine: context.channel.mezzanine, transcoding: FFmpegCommands.Transcoding(),
                firstStreamsOnly: firstStreamsOnly.withLock(\.self), ffmpeg: service.ffmpeg.capabilities,
                environment: service.environment)
        else { return }
        caller.begin()
        defer {
            statistics.hasSender(false)
            if statistics.now.notes[.sender] == Self.awaited { statistics.note(.sender, nil) }
        }
        let started = Timestamp.now
        let exit = try await call.run(
            call: { [self] output, admit in await answer(command, output, child, admit: admit) },
            hangUp: { [process = context.process] in process.report(.replace) },
            read: { [self] reader, input in try await read(input, reader, source) })
        relay.watch.disconnected()
        statistics.ended(exit, started: started, now: context.clock.now)
        // A stream whose parameters are still unknown keeps the others from being passed on.
        if exit.cause == .invalidData { becomeNarrow() }
        if let pause = caller.end() { try? await context.clock.sleep(for: pause) }
    }

    private func becomeNarrow() {
        let isNews = firstStreamsOnly.withLock { firstStreamsOnly in
            defer { firstStreamsOnly = true }
            return !firstStreamsOnly
        }
        guard isNews else { return }
        context.logger.notice(
            """
            not every stream of the caller can be passed on: from its next call on only the first video and the first \
            audio are taken
            """)
    }

    func reloadSecrets() async { await caller.reloadStreamID(context.service.secretReader) }

    func sourceDelivers() {
        caller.delivers()
        context.statistics.note(.sender, nil)
    }

    func sourceHas(_ program: Program) { relay.found(program) }
    func sourceHas(_ audio: AACFormat, channel: AACFormat) { relay.convert(audio, to: channel) }

    // MARK: The process that holds the connection

    /// Runs the process that answers a call and passes the caller's stream on.
    private func answer(
        _ command: FFmpegCommand, _ output: FileDescriptor, _ child: ChildHandle,
        admit: @escaping @Sendable () -> Void
    ) async -> ChildExit {
        await context.monitor.run(
            command, input: nil, output: output, child: child, expected: [.ended, .reset],
            consumesLine: { [self] line in
                handle(line, of: child, admit: admit)
                return caller.hasRefused
            },
            onProgress: { [self] in callProgressed($0) })
    }

    private func handle(_ line: LogLine, of child: ChildHandle, admit: () -> Void) {
        let statistics = context.statistics
        statistics.countDrops(in: line)
        if SRTCaller.isOver(line) {
            Task { [clock = context.clock] in
                // Until libsrt has notified the caller.
                try? await clock.sleep(for: .milliseconds(100))
                child.stop(.now)
            }
        }
        switch caller.handle(line) {
        case .right:
            statistics.hasSender(true)
            statistics.note(.sender, Self.awaited)
            admit()
        case .wrong: context.process.report(.replace)
        case nil:
            guard StreamWatch.isOfNewStream(line) else { return }
            context.logger.notice(
                """
                the caller sends other streams than before; with a passphrase they are read from its next call on
                """)
        }
    }

    private func callProgressed(_ progress: Progress) {
        guard let former = relay.watch.callProgressed(progress) else { return }
        let (before, now) = relay.bitrates(former: former)
        guard before != now else { return }
        context.logger.notice(
            "the rate of the call has changed: its video is encoded at a bitrate that follows",
            metadata: ["before": "\(before)", "now": "\(now)"])
        call.replaceReader()
    }

    // MARK: The process that reads the stream

    /// Converts the caller's stream to the feed's MPEG-TS, until its input ends or another process is to follow.
    private func read(
        _ input: FileDescriptor, _ reader: ChildHandle, _ source: SourceConfiguration
    ) async throws -> ChildExit {
        let ending = try await relay.run(
            input, reader, report: { [self] in handle($0) }, begins: { expectVideo() },
            command: { transcoding, streams in
                try FFmpegCommands.callerRelay(
                    source, mezzanine: context.channel.mezzanine, transcoding: transcoding, streams: streams,
                    ffmpeg: context.service.ffmpeg.capabilities)
            })
        guard let (exit, started) = ending else { throw NotRunnable(what: "\(source.id) has no callers") }
        // The process that holds the connection reports the end of the call.
        if let cause = exit.cause, cause != .ended { context.statistics.encoderEnded(exit, started: started) }
        return exit
    }

    /// Disconnects a caller that sends no video for a long time.
    private func expectVideo() {
        let relay = caller.expectVideo()
        Task {
            guard await caller.isMute(relay) else { return }
            context.statistics.note(
                .sender, "the last caller sent no video and was disconnected; have it send MPEG-TS with video")
            context.process.report(.replace)
        }
    }
}
