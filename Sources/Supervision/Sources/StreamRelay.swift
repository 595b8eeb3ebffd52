import BoxConfiguration
import DataPath
import FFmpeg
import Logging
import MPEGTS
import Synchronization
import SystemPackage

/// Runs the process that converts a source's streams to the MPEG-TS of the feed, and decides which of them it encodes.
final class StreamRelay: Sendable {
    let watch: StreamWatch
    private let context: SourceContext
    /// Replaces the process that runs by another one.
    private let replace: @Sendable () -> Void
    private let certificate: CertificateQuestion?
    private let transcoding: Mutex<FFmpegCommands.Transcoding>

    /// How often a pipe is checked if its relay has ended and its source is ahead of real time.
    private static let restInterval = Duration.milliseconds(50)

    /// - Parameter replace: Replaces the process that runs by another one.
    init(in context: SourceContext, replace: @escaping @Sendable () -> Void) {
        self.context = context
        self.replace = replace
        certificate = CertificateQuestion(context.source.kind)
        transcoding = Mutex(FFmpegCommands.Transcoding(for: context.channel))
        let source = context.source
        watch = StreamWatch(
            program: source.program, isFlattened: source.hidesPrograms, measures: source.relayListsPrograms,
            clock: context.clock,
            statistics: context.statistics, logger: context.logger)
    }

    /// Forgets what is known of the sender, because another one follows.
    func forget() {
        transcoding.withLock { $0 = FFmpegCommands.Transcoding(for: context.channel) }
        watch.forget()
    }

    /// Runs the process until its input ends or another process is to follow.
    ///
    /// - Parameters:
    ///   - input: Its standard input, which this call closes on every path. `nil` if there is none.
    ///   - report: Called with the events of the data path.
    ///   - begins: Called when the feed is about to take the output.
    ///   - command: Makes the command for these conversions and these streams.
    /// - Returns: How the process ended, and when it was started. `nil` if there is no command.
    func run(
        _ input: FileDescriptor?, _ child: ChildHandle, report: @escaping @Sendable (SourceEvent) -> Void,
        begins: () -> Void = {}, command: (FFmpegCommands.Transcoding, StreamMap) throws -> FFmpegCommand?
    ) async throws -> (ChildExit, Timestamp)? {
        var input = input
        defer { try? input?.close() }
        let (dataPath, channel) = (context.dataPath, context.channel)
        let transcoding = begin(audio: await dataPath.audioFormat(of: channel.name))
        let streams = watch.begin(isCopying: !transcoding.video)
        guard let command = try command(transcoding, streams) else { return nil }
        let (attachment, output) = try await dataPath.attachSource(
            to: channel.name, priority: context.priority, report: report)
        watch.encodes(transcoding, bitrate: channel.mezzanine.relayBitrate(for: transcoding))
        if let audio = transcoding.mismatchedAudio {
            context.statistics.note(.audio, SourceNote.mismatchedAudio(audio, rate: transcoding.audioRate))
        }
        begins()
        let started = Timestamp.now
        // From here on the child owns it.
        let given = input
        input = nil
        let exit = await context.monitor.run(
            command, input: given, output: output, child: child, expected: [.ended, .reset],
            certificate: certificate,
            consumesLine: { [self] line in
                handle(line, of: child)
                return false
            },
            onProgress: { [watch] in watch.progressed($0) })
        watch.ended()
        // A source that is ahead of real time is read to its end at its own pace, unless its end was asked for.
        while child.requested == nil, await dataPath.drain(attachment) {
            guard (try? await context.clock.sleep(for: Self.restInterval)) != nil else { break }
        }
        await dataPath.detach(attachment)
        return (exit, started)
    }

    private func handle(_ line: LogLine, of child: ChildHandle) {
        context.statistics.countDrops(in: line)
        if certificate != nil, PlainRedirect.isReported(by: line) { child.stop(.now, for: .unencrypted) }
        if watch.handle(line) { replace() }
    }

    /// - Parameter audio: The format of the channel's audio. `nil` while it may be in any format.
    /// - Returns: The conversions of the process that begins.
    private func begin(audio: AACFormat?) -> FFmpegCommands.Transcoding {
        transcoding.withLock { $0.setAudioFormat(audio) }
        return current
    }

    /// The streams that the next process encodes, at the measured rate.
    private var current: FFmpegCommands.Transcoding {
        let measured = watch.measured
        return transcoding.withLock { transcoding in
            transcoding.measured = measured
            return transcoding
        }
    }

    /// Returns the bitrates of video that the relay encodes, in bits per second.
    ///
    /// - Parameter former: The measured rate before the present one.
    /// - Returns: The bitrate that follows from the former measurement, and the one that follows from the present one.
    func bitrates(former: Int) -> (before: Int, now: Int) {
        let now = current
        var before = now
        before.measured = former
        let mezzanine = context.channel.mezzanine
        return (mezzanine.relayBitrate(for: before), mezzanine.relayBitrate(for: now))
    }

    // MARK: What the source sends

    /// The first program is known, or another one.
    func found(_ program: Program) {
        let (before, now) = transcoding.withLock { transcoding in
            let before = transcoding
            if program.video == nil, program.hasForeignVideo { transcoding.video = true }
            if program.hasForeignAudio { transcoding.audio = true }
            return (before, transcoding)
        }
        guard now != before else { return }
        context.logger.notice("the source's codec cannot be carried as it is: the relay encodes from now on")
        // The bitrate of the encoder follows the rate of the source, which is known in a moment.
        if now.video, !before.video, watch.measures { watch.whenMeasured(replace) } else { replace() }
    }

    /// Converts audio that is in another format than the channel's.
    func convert(_ audio: AACFormat, to channel: AACFormat) {
        guard transcoding.withLock({ $0.convertAudio(audio, to: channel) }) else { return }
        if let suppressed = context.reports.note(.mismatchedAudio) {
            var metadata: Logger.Metadata = ["audio": "\(audio.profile) at \(audio)", "channel": "\(channel)"]
            if suppressed > 0 { metadata["suppressed"] = "\(suppressed)" }
            context.logger.notice(
                "the source's audio is not in the channel's format: it is converted from now on", metadata: metadata)
        }
        replace()
    }
}

extension ProcessStatistics {
    /// Counts the packets that SRT gave up, if a line reports them.
    func countDrops(in line: LogLine) {
        let dropped = SRTDrops.packets(in: line)
        if dropped > 0 { self.dropped(packets: dropped) }
    }
}
