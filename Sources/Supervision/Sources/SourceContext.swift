import BoxConfiguration
import DataPath
import Logging
import MPEGTS
import MediaTypes

/// The events that a source reports to its channel. None of the closures may block.
struct SourceObserver: Sendable {
    /// Called when the source begins or stops to deliver.
    let delivers: @Sendable (Bool) -> Void
    /// Called when the source goes on air.
    let onAir: @Sendable (VideoFormat?) -> Void
    /// Called when the source is on air and continues with another size or frame rate.
    let changed: @Sendable (VideoFormat?) -> Void
}

/// The dependencies of a source's driver: its configuration, its channel and the service.
struct SourceContext: Sendable {
    let source: SourceConfiguration
    let channel: ChannelConfiguration
    /// The position of the source among the channel's sources.
    let priority: Int
    let service: ServiceContext
    let dataPath: DataPath
    let statistics: ProcessStatistics
    let logger: Logger
    let monitor: ChildMonitor
    /// The source's process.
    let process: any Supervised
    let observer: SourceObserver
    let reports = SourceReports()

    init(
        _ source: SourceConfiguration, priority: Int, of channel: ChannelConfiguration, process: any Supervised,
        service: ServiceContext, dataPath: DataPath, observer: SourceObserver
    ) {
        self.source = source
        self.channel = channel
        self.priority = priority
        self.service = service
        self.dataPath = dataPath
        statistics = service.registry.source(source.id, of: channel.name)
        logger = service.logger(["channel": "\(channel.name)", "source": "\(source.id)"])
        monitor = ChildMonitor(context: service, logger: logger)
        self.process = process
        self.observer = observer
    }

    /// The source's name among the sources that ask for encoders and for cards.
    var id: String { "\(channel.name)/\(source.id)" }

    var clock: any ServiceClock { service.clock }

    /// Makes the runner of the encoder of frames that the service has.
    func encoder(of frames: DataPath.Attachment, size: FrameSize, rate: FrameRate?) -> MezzanineRunner {
        MezzanineRunner(
            id, of: frames, size: size, rate: rate, mezzanine: channel.mezzanine, context: service,
            dataPath: dataPath, statistics: statistics, logger: logger)
    }
}
