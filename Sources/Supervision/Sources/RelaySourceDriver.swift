import BoxConfiguration
import DataPath
import FFmpeg
import MPEGTS
import Synchronization

/// Reads a pulled URL, a file or the test picture through one FFmpeg process, its relay.
final class RelaySourceDriver: SourceDriver {
    let context: SourceContext
    private let relay: StreamRelay
    /// The transport, for an RTSP source.
    private let transport = Mutex(TransportChoice())

    init(in context: SourceContext) {
        self.context = context
        relay = StreamRelay(in: context) { [process = context.process] in process.report(.replace) }
    }

    var restartPolicy: RestartPolicy { if case .pull = context.source.kind { .pull } else { .relay } }

    func runOnce(_ child: ChildHandle) async throws {
        let (service, statistics) = (context.service, context.statistics)
        let source = try await service.secretReader.filled(context.source)
        let report = { @Sendable [self] (event: SourceEvent) in handle(event) }
        let ending = try await relay.run(nil, child, report: report) { transcoding, streams in
            try FFmpegCommands.relay(
                source, mezzanine: context.channel.mezzanine, transcoding: transcoding, streams: streams,
                transport: transport.withLock { $0.next }, ffmpeg: service.ffmpeg.capabilities,
                environment: service.environment)
        }
        guard let (exit, started) = ending else { return }
        let hasDelivered = exit.asked || statistics.now.liveSince != nil
        transport.withLock { $0.ended(exit.log, hasDelivered: hasDelivered) }
        let reachedEndOfFile = exit.cause == .ended && source.kind.comesToAnEnd
        if reachedEndOfFile { context.process.report(.complete) }
        statistics.ended(exit, started: started, reachedEndOfFile: reachedEndOfFile, now: context.clock.now)
    }

    func sourceHas(_ program: Program) { relay.found(program) }
    func sourceHas(_ audio: AACFormat, channel: AACFormat) { relay.convert(audio, to: channel) }
}
