import BoxConfiguration
import DataPath
import EncoderSelection
import FFmpeg
import Logging
import MPEGTS
import MediaTypes

/// Runs the process that sends a group's stream to a target, from the newest keyframe of its feed.
struct TargetPublisher: Sendable {
    let target: TargetConfiguration
    let group: GroupConfiguration
    let feed: DataPath.FeedName
    let context: ServiceContext
    let dataPath: DataPath
    let statistics: ProcessStatistics
    let monitor: ChildMonitor
    /// `nil` for a target that is no recording.
    let recording: RecordingFolder?
    /// The target's process.
    let process: any Supervised

    /// How often a publisher that has to know its frame rate looks for the first video frame.
    private static let ratePatience = 100
    /// The pause between two looks.
    private static let rateLook = Duration.milliseconds(50)
    /// The longest pause between two looks of a wait that has no limit.
    private static let longestLook = Duration.milliseconds(400)

    /// Runs the process once, until it has ended.
    func runOnce(_ child: ChildHandle) async {
        do {
            try await publish(child)
        } catch {
            // A stop may have kept its secret from being read.
            guard !Task.isCancelled else { return }
            monitor.log(.error, "cannot run", reason: "\(error)")
            statistics.couldNotStart("\(error)")
        }
    }

    private func publish(_ child: ChildHandle) async throws {
        let take = try await recording?.take() ?? 0
        let rate = await rate()
        let known = try await context.secretReader.filled(target)
        let command = try FFmpegCommands.publisher(
            known, of: group, take: take, rate: rate, ffmpeg: context.ffmpeg.capabilities,
            environment: context.environment)
        guard try await codecCanBeSent(child) else { return }
        let (attachment, input) = try await dataPath.attachPublisher(
            to: feed, isPaced: !target.destination.isSRT, report: { handle($0) })
        statistics.runs(attachment)
        let started = Timestamp.now
        let exit = await monitor.run(
            command, input: input, output: nil, child: child, expected: [.ended],
            certificate: CertificateQuestion(target.destination), connected: { process.report(.delivering) })
        let figures = await dataPath.figures(of: attachment)
        statistics.ended(
            exit, started: started, delivered: figures?.delivered ?? 0, skips: figures?.skips ?? 0,
            skippedTicks: figures?.skippedTicks ?? 0, now: context.clock.now)
        await dataPath.detach(attachment)
        if exit.cause == .diskFull { await recording?.tidy(take: take) }
    }

    func handle(_ event: PublisherEvent) {
        switch event {
        case .stalled: process.report(.stalled)
        case .recovered: process.report(.recovered)
        case .slow(let share): statistics.reaches(share)
        case .complete: statistics.reaches(nil)
        case .ended: break
        }
    }

    /// Checks the codec of a group that passes its video on, which the configuration does not say. A server would show
    /// an empty stream while FFmpeg finds out that it cannot send that codec.
    ///
    /// - Returns: `false` when the end of the publisher was asked for first.
    /// - Throws: ``StartError`` for a codec that this FFmpeg cannot send to the target.
    private func codecCanBeSent(_ child: ChildHandle) async throws -> Bool {
        let ffmpeg = context.ffmpeg.capabilities
        guard let missing = MissingAbility.codec("HEVC", of: target, in: group, for: ffmpeg) else { return true }
        let isPassedOn = group.video == .copy
        let canBeSent = await Self.awaited(by: child, clock: context.clock) { () -> Bool? in
            let isHEVC = await dataPath.videoCodec(of: feed).map { $0 == .hevc }
            // After a reload the encoder of the other codec has yet to take over.
            return isPassedOn ? isHEVC.map { !$0 } : isHEVC == true ? nil : true
        }
        guard let canBeSent else { return false }
        guard canBeSent else { throw StartError(missing.sentence(ffmpeg: "\(ffmpeg.version)")) }
        return true
    }

    /// Frames a second that the target is sent, where its publisher has to know; without video there is nothing to
    /// publish either.
    private func rate() async -> FrameRate? {
        guard context.ffmpeg.capabilities.needsRateOfPublishers, case .rtmp = target.destination else { return nil }
        for _ in 0..<Self.ratePatience {
            if let format = await dataPath.videoFormat(of: feed) { return format.frameRate }
            // The target is connected while the encoder starts.
            if case .encode(let wish) = group.video, let rate = wish.frameRate { return rate }
            guard await (try? context.clock.sleep(for: Self.rateLook)) != nil else { return nil }
        }
        return nil
    }

    /// Waits for a value that the data path knows once a frame has come: until then there is nothing to publish.
    ///
    /// - Parameters:
    ///   - child: The handle of the publisher that is to start.
    ///   - look: Gives the value; `nil` while it is not known.
    /// - Returns: `nil` when the publisher's end was asked for first, or the task was cancelled.
    static func awaited<Value: Sendable>(
        by child: ChildHandle, clock: any ServiceClock = ContinuousClock(), _ look: @Sendable () async -> Value?
    ) async -> Value? {
        var pause = rateLook
        while child.requested == nil {
            if let value = await look() { return value }
            guard await (try? clock.sleep(for: pause)) != nil else { return nil }
            pause = min(pause * 2, longestLook)
        }
        return nil
    }
}

extension TargetDestination {
    fileprivate var isSRT: Bool { if case .srt = self { true } else { false } }
    var isRecording: Bool { if case .record = self { true } else { false } }
}
