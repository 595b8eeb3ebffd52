import BoxConfiguration
import DataPath
import FFmpeg
import Logging
import SystemSupport

/// One target: its publisher, which is started again whenever it ends.
final class TargetRunner: Runnable {
    let target: TargetConfiguration
    let statistics: ProcessStatistics
    private let process: ProcessRunner
    private let clock: any ServiceClock
    private let clockSteps: @Sendable () -> AsyncStream<Duration>
    /// `nil` for a target that is no recording.
    private let recording: RecordingFolder?

    /// How long a publisher may be connecting. Longer than a name server, a connection and a platform's answer take to
    /// fail, each of which FFmpeg reports: a process that takes longer hangs.
    private static let connectPatience = Duration.seconds(60)
    /// How long a target may accept no data before its publisher is replaced.
    private static let stallPatience = Duration.seconds(2)

    init(
        _ target: TargetConfiguration, of group: GroupConfiguration, in channel: String, feed: DataPath.FeedName,
        context: ServiceContext, dataPath: DataPath
    ) {
        let logger = context.logger(["channel": "\(channel)", "group": "\(group.name)", "target": "\(target.name)"])
        let recording: RecordingFolder? =
            if case .record(let record) = target.destination {
                RecordingFolder(record.folder, name: target.name, context: context, logger: logger)
            } else {
                nil
            }
        let isRecording = recording != nil
        let statistics = context.registry.target(target.name, of: group.name, in: channel)
        let queue = ProcessQueue()
        let publisher = TargetPublisher(
            target: target, group: group, feed: feed, context: context, dataPath: dataPath, statistics: statistics,
            monitor: ChildMonitor(context: context, logger: logger), recording: recording, process: queue)
        self.target = target
        self.statistics = statistics
        self.recording = recording
        clock = context.clock
        clockSteps = context.clockSteps
        process = ProcessRunner(
            // A disk answers at once, or hangs.
            machine: ProcessMachine(
                policy: .publisher, stallPatience: Self.stallPatience,
                startPatience: isRecording ? nil : Self.connectPatience),
            statistics: statistics, queue: queue,
            changed: { Self.log($0, isRecording: isRecording, logger) },
            endInput: {
                guard let attachment = statistics.now.attachment else { return }
                await dataPath.endInput(of: attachment)
            },
            blamesHangs: true, startBlame: isRecording ? .stuck : .timeout,
            clock: context.clock,
            live: { child in await publisher.runOnce(child) })
    }

    private static func log(_ actual: ProcessMachine.Actual, isRecording: Bool, _ logger: Logger) {
        switch actual {
        case .live: logger.notice("live")
        case .stalled where isRecording:
            logger.warning("the disk accepts no data, restarting the recording unless it does within two seconds")
        case .stalled:
            logger.warning("target stalled, reconnecting unless it accepts data within two seconds")
        case .pausing: logger.info("waiting to reconnect")
        default: logger.debug("publisher changed state", metadata: ["state": "\(actual)"])
        }
    }

    func run() async {
        statistics.beginRun()
        if case .rtmp = target.destination { return await runWithinLimit() }
        guard case .record(let record) = target.destination, let recording else { return await process.run() }
        await withTaskGroup { group in
            group.addTask { await recording.prune(most: record.keep.map { Int64($0.bytes) }) }
            group.addTask { [clockSteps, process] in
                // Segments are named after the clock. When it is set back by so much, it comes to names again that it
                // has given, and FFmpeg overwrites the files. The next take has other names.
                for await step in clockSteps() where step <= .zero - record.segment / 2 { process.report(.replace) }
            }
            await process.run()
            group.cancelAll()
        }
    }

    /// Reconnects before FFmpeg can no longer count the connection's time: from the newest keyframe, at once.
    private func runWithinLimit() async {
        await withDiscardingTaskGroup { tasks in
            tasks.addTask { [clock, process, statistics] in
                while await (try? clock.sleep(for: .seconds(3600))) != nil {
                    guard let since = statistics.now.liveSince, statistics.now.isWanted,
                        clock.now - since > PublisherCommand.longestConnection - .seconds(3600)
                    else { continue }
                    process.report(.want(false))
                    process.report(.want(true))
                }
            }
            await process.run()
            tasks.cancelAll()
        }
    }

    func want(_ wanted: Bool) { process.report(.want(wanted)) }

    func finish() {
        // On a disk that hangs it ends no sooner than the recording, and both have to be gone in time.
        recording?.endPruning()
        process.finish()
    }
}
