import BoxConfiguration
import DataPath
import EncoderSelection
import FFmpeg
import Logging
import MPEGTS
import MediaTypes
import Synchronization
import SystemSupport

/// One target: its publisher, started again whenever it ends, from the newest keyframe of its feed.
final class TargetRunner: Runnable {
    let target: TargetConfiguration
    let statistics: ProcessStatistics
    private let process: ProcessRunner
    private let clockSteps: @Sendable () -> AsyncStream<Duration>
    /// `nil` for a target that is no recording.
    private let recording: RecordingFolder?

    private final class Shared: Sendable {
        let process = Mutex<ProcessRunner?>(nil)
    }

    init(
        _ target: TargetConfiguration, of group: GroupConfiguration, in channel: String, feed: DataPath.FeedName,
        context: ServiceContext, dataPath: DataPath
    ) {
        self.target = target
        clockSteps = context.clockSteps
        let logger = context.logger(["channel": "\(channel)", "group": "\(group.name)", "target": "\(target.name)"])
        let monitor = ChildMonitor(context: context, logger: logger)
        let recording: RecordingFolder? =
            if case .record(let record) = target.destination {
                RecordingFolder(record.folder, name: target.name, context: context, logger: logger)
            } else {
                nil
            }
        self.recording = recording
        let shared = Shared()
        // A disk answers at once, or hangs.
        let isRecording = target.destination.isRecording
        let startPatience: Duration? = isRecording ? nil : Self.connectPatience
        let statistics = context.registry.target(target.name, of: group.name, in: channel)
        self.statistics = statistics
        let report: @Sendable (PublisherEvent) -> Void = { event in
            let process = shared.process.withLock { $0 }
            switch event {
            case .stalled: process?.report(.stalled)
            case .recovered: process?.report(.recovered)
            case .slow(let share): statistics.reaches(share)
            case .complete: statistics.reaches(nil)
            case .ended: break
            }
        }
        process = ProcessRunner(
            machine: ProcessMachine(policy: .publisher, stallPatience: .seconds(2), startPatience: startPatience),
            statistics: statistics,
            changed: { actual in
                switch actual {
                case .live: logger.notice("live")
                case .stalled where isRecording:
                    logger.warning(
                        "the disk takes nothing; the recording is begun anew unless it does within two seconds")
                case .stalled:
                    logger.warning("the target takes nothing; it is connected anew unless it does within two seconds")
                case .pausing: logger.info("waiting to connect anew")
                default: logger.debug("publisher is \(actual)")
                }
            },
            endInput: {
                guard let attachment = statistics.now.attachment else { return }
                await dataPath.endInput(of: attachment)
            }, blamesHangs: true, startBlame: isRecording ? .stuck : .timeout,
            live: { child in
                do {
                    let take = try await recording?.take() ?? 0
                    let ffmpeg = context.ffmpeg.capabilities
                    let rate = await TargetRunner.rate(
                        of: feed, for: target, of: group, context: context, dataPath: dataPath)
                    let known = try await context.secretReader.filled(target)
                    let command = try Commands.publisher(
                        known, of: group, take: take, rate: rate, ffmpeg: ffmpeg, environment: context.environment)
                    // The configuration does not tell the codec of a group that passes its picture on. A server would
                    // show an empty stream while FFmpeg finds out that it cannot send that codec.
                    if let missing = MissingAbility.codec("HEVC", of: target, in: group, for: ffmpeg) {
                        let isPassedOn = group.video == .copy
                        let canBeSent = await TargetRunner.awaited(by: child) { () -> Bool? in
                            let isHEVC = await dataPath.videoCodec(of: feed).map { $0 == .hevc }
                            // After a reload the encoder of the other codec has yet to take over.
                            return isPassedOn ? isHEVC.map { !$0 } : isHEVC == true ? nil : true
                        }
                        guard let canBeSent else { return }
                        guard canBeSent else { throw StartError(missing.sentence(ffmpeg: "\(ffmpeg.version)")) }
                    }
                    let (attachment, input) = try await dataPath.attachPublisher(
                        to: feed, isPaced: !target.destination.isSRT, report: report)
                    statistics.runs(attachment)
                    let started = Timestamp.now
                    let exit = await monitor.run(
                        command, input: input, output: nil, child: child, expected: [.ended],
                        certificate: CertificateQuestion(target.destination)
                    ) {
                        shared.process.withLock { $0 }?.report(.delivering)
                    }
                    let figures = await dataPath.figures(of: attachment)
                    statistics.ended(
                        exit, started: started, delivered: figures?.delivered ?? 0, skips: figures?.skips ?? 0,
                        skippedTicks: figures?.skippedTicks ?? 0)
                    await dataPath.detach(attachment)
                    if exit.cause == .diskFull { await recording?.tidy(take: take) }
                } catch {
                    // A stop may have kept its secret from being read.
                    guard !Task.isCancelled else { return }
                    monitor.log(.error, "cannot run: \(error)")
                    statistics.couldNotStart("\(error)")
                }
            })
        shared.process.withLock { $0 = process }
    }

    func run() async {
        statistics.beginAnew()
        if case .rtmp = target.destination { return await runWithinLimit() }
        guard case .record(let record) = target.destination, let recording else { return await process.run() }
        await withTaskGroup { group in
            group.addTask { await recording.keep(most: record.keep.map { Int64($0.bytes) }) }
            group.addTask { [clockSteps, process] in
                // Segments are named after the clock: one that is set back so far comes to names again that it has
                // given, and FFmpeg overwrites. The next take has other names.
                for await step in clockSteps() where step <= .zero - record.segment / 2 { process.report(.replace) }
            }
            await process.run()
            group.cancelAll()
        }
    }

    /// Connects anew before FFmpeg can no longer count the connection's time: from the newest keyframe, at once.
    private func runWithinLimit() async {
        await withDiscardingTaskGroup { tasks in
            tasks.addTask { [process, statistics] in
                while await (try? ContinuousClock().sleep(for: .seconds(3600))) != nil {
                    guard let since = statistics.now.liveSince, statistics.now.isWanted,
                        .now - since > PublisherCommand.longestConnection - .seconds(3600)
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
        recording?.endKeeping()
        process.finish()
    }

    /// How long a publisher that has to know its rate waits for the first picture, and how often it looks.
    private static let ratePatience = 100
    private static let rateLook = Duration.milliseconds(50)

    /// Frames per second of what a target is sent, where its publisher has to know; without a picture there is nothing
    /// to publish either.
    private static func rate(
        of feed: DataPath.FeedName, for target: TargetConfiguration, of group: GroupConfiguration,
        context: ServiceContext,
        dataPath: DataPath
    ) async -> FrameRate? {
        guard context.ffmpeg.capabilities.needsRateOfPublishers, case .rtmp = target.destination else { return nil }
        for _ in 0..<ratePatience {
            if let format = await dataPath.videoFormat(of: feed) {
                return format.frameRate
            }
            // The target is connected while the encoder starts.
            if case .encode(let wish) = group.video, let rate = wish.rate { return rate }
            guard await (try? ContinuousClock().sleep(for: rateLook)) != nil else { return nil }
        }
        return nil
    }

    /// The longest pause between two looks for what has no limit.
    private static let longestLook = Duration.milliseconds(400)

    /// Waits for something that the data path knows once a frame has come: until then there is nothing to publish.
    ///
    /// - Parameters:
    ///   - child: Stands for the publisher that is to start.
    ///   - look: Gives the value; `nil` while it is not known.
    /// - Returns: `nil` when the publisher's end was asked for first, or the task was cancelled.
    static func awaited<Value: Sendable>(by child: ChildHandle, _ look: @Sendable () async -> Value?) async -> Value? {
        var pause = rateLook
        while child.requested == nil {
            if let value = await look() { return value }
            guard await (try? ContinuousClock().sleep(for: pause)) != nil else { return nil }
            pause = min(pause * 2, longestLook)
        }
        return nil
    }

    /// How long a publisher may be connecting. Longer than a name server, a connection and a platform's answer take to
    /// fail, each of which FFmpeg says: what is over then is a process that hangs.
    private static let connectPatience = Duration.seconds(60)
}

extension TargetDestination {
    fileprivate var isSRT: Bool { if case .srt = self { true } else { false } }
    var isRecording: Bool { if case .record = self { true } else { false } }
}
