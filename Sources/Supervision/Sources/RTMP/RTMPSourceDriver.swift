import BoxConfiguration
import DataPath
import FFmpeg
import RTMPIngest

/// Reads the stream of an RTMP publisher, without a process.
final class RTMPSourceDriver: SourceDriver {
    let context: SourceContext
    private let port: PublisherPort

    init(_ source: RTMPSource, in context: SourceContext) {
        self.context = context
        port = PublisherPort(
            source, process: context.process, context: context.service, statistics: context.statistics,
            logger: context.logger)
    }

    var refusals: [String: Int]? { port.refusals }

    func run(_ process: () async -> Void) async {
        await withDiscardingTaskGroup { group in
            group.addTask { [port] in await port.run() }
            await process()
            group.cancelAll()
        }
    }

    /// Takes the publisher's stream, until the publisher has left or the end is requested. A process converts its audio
    /// where that is needed.
    func runOnce(_ child: ChildHandle) async throws {
        guard let stream = await port.stream() else {
            // Its end is about to be reported.
            return await child.untilAsked()
        }
        let dataPath = context.dataPath
        let audio = AudioConverterRunner(
            of: context.channel.name, context: context.service, dataPath: dataPath, statistics: context.statistics,
            logger: context.logger, limit: { [reports = context.reports] in reports.note(.foreignAudio) })
        let attachment = try await dataPath.attachSource(
            to: context.channel.name, priority: context.priority,
            report: { [self] event in
                if case .foreignAudio(let foreign) = event { return audio.audioChanged(to: foreign) }
                // The converter's pipes are closed: that it ends because of that is no failure.
                if event == .ended { audio.finish() }
                handle(event)
            },
            makeReader: { owner, loop in stream.makeReader(for: owner, on: loop) })
        async let converting: Void = audio.run(of: attachment)
        await child.untilAsked()
        audio.finish()
        await converting
        await dataPath.detach(attachment)
    }

    func want(_ wanted: Bool) { port.want(wanted) }
    func finish() { port.finish() }
    func reloadSecrets() async { await port.reloadKey() }

    func sourceDelivers() { port.delivers() }

    /// A publisher may send again: it is not disconnected.
    func sourceStalls() -> Bool {
        port.stalled()
        return false
    }
}
