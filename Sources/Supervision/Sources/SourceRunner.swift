import BoxConfiguration
import DataPath
import FFmpeg
import Logging
import SystemSupport

/// One source of a channel: its process, which is started again whenever it ends.
///
/// The ``SourceDriver`` of the source's kind defines the process.
final class SourceRunner: Runnable {
    let source: SourceConfiguration
    let statistics: ProcessStatistics
    private let context: SourceContext
    let driver: any SourceDriver
    private let process: ProcessRunner

    /// - Parameter priority: The position of the source among the channel's sources.
    init(
        _ source: SourceConfiguration, priority: Int, of channel: ChannelConfiguration, context service: ServiceContext,
        dataPath: DataPath, observer: SourceObserver
    ) {
        let queue = ProcessQueue()
        let context = SourceContext(
            source, priority: priority, of: channel, process: queue, service: service, dataPath: dataPath,
            observer: observer)
        let driver = context.makeDriver()
        self.source = source
        statistics = context.statistics
        self.context = context
        self.driver = driver
        process = ProcessRunner(
            machine: ProcessMachine(policy: driver.restartPolicy, stallPatience: driver.stallPatience),
            statistics: context.statistics, queue: queue,
            changed: { actual in context.logger.debug("source changed state", metadata: ["state": "\(actual)"]) },
            clock: service.clock,
            live: { child in await Self.runOnce(driver, child) })
    }

    private static func runOnce(_ driver: any SourceDriver, _ child: ChildHandle) async {
        let context = driver.context
        do {
            try await driver.runOnce(child)
        } catch {
            // A stop may have kept its secret from being read.
            if !Task.isCancelled {
                context.statistics.couldNotStart("\(error)")
                context.monitor.log(.error, "cannot run", reason: "\(error)")
            }
        }
        context.observer.delivers(false)
    }

    func run() async {
        await driver.run { await process.run() }
        context.service.encoders.forget(context.id)
    }

    func want(_ wanted: Bool) { driver.want(wanted) }

    func finish() {
        process.finish()
        driver.finish()
    }

    /// Reads again the secrets that admit senders.
    func reloadSecrets() async { await driver.reloadSecrets() }

    /// How many senders were rejected, by reason. `nil` for a source that no sender connects to.
    var refusals: [String: Int]? { driver.refusals }
}
