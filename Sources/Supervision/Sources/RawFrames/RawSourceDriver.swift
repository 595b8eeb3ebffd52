import BoxConfiguration
import DataPath
import FFmpeg

/// Reads the frames that another program writes to a FIFO, without a process; an encoder takes them.
final class RawSourceDriver: SourceDriver {
    let context: SourceContext
    private let source: RawSource

    init(_ source: RawSource, in context: SourceContext) {
        self.source = source
        self.context = context
    }

    /// Takes frames from the FIFO, and runs their encoder, until the end is asked for.
    func runOnce(_ child: ChildHandle) async throws {
        let dataPath = context.dataPath
        let frames = try await dataPath.attachFrames(
            FrameFormat(source.pixels, source.size), from: try await origin(), to: context.channel.name,
            priority: context.priority, report: { [self] in handle($0) })
        let encoder = context.encoder(of: frames.attachment, size: source.size, rate: source.rate)
        async let encoding: Void = encoder.run()
        await child.untilAsked()
        await dataPath.endFrames(of: frames.attachment)
        encoder.finish()
        await encoding
        await dataPath.detach(frames.attachment)
    }

    /// Makes the FIFO where there is none; the group of its folder may write to it.
    ///
    /// - Throws: ``NotRunnable`` when there can be none.
    private func origin() async throws -> DataPath.FrameOrigin {
        let path = source.path
        if let problem = await context.service.disk.makeFIFO(path) { throw NotRunnable(what: problem) }
        return .fifo(path: path) { [logger = context.logger, reports = WriterReports()] event in
            reports.log(event, logger)
        }
    }

    func sourceDelivers() { context.statistics.isSilent(false) }

    /// The FIFO stays open for the next writer.
    func sourceStalls() -> Bool {
        context.statistics.isSilent(true)
        return false
    }
}
