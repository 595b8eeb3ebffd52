import BoxConfiguration
import DataPath
import EncoderSelection
import FFmpeg
import Logging
import MediaTypes

/// Decides for the encoder of a source.
final class MezzanineEncoding: EncoderSessionDelegate {
    typealias Request = Never

    private let frames: DataPath.Attachment
    private let rate: FrameRate?
    private let encoding: VideoEncoding
    private let job: EncodingJob
    private let statistics: ProcessStatistics

    init(
        of frames: DataPath.Attachment, rate: FrameRate?, encoding: VideoEncoding, job: EncodingJob,
        statistics: ProcessStatistics
    ) {
        self.frames = frames
        self.rate = rate
        self.encoding = encoding
        self.job = job
        self.statistics = statistics
    }

    func begin(in session: isolated Session, _ tasks: inout DiscardingTaskGroup) {
        session.context.encoders.setEncoding(encoding, job: job, for: session.subject) { [session] in session.report($0)
        }
        session.handle(.want(true), in: &tasks)
    }

    func prepare(
        _ generation: GroupMachine.Generation, _ beginning: EncoderGeneration.Beginning, in session: isolated Session
    ) async throws -> EncoderGeneration.Ready? {
        let context = session.context
        if beginning == .fresh { await context.encoders.waitForFirstResult(for: session.subject) }
        // H.264 in software is used even if the box's order leaves it out: without frames there is no channel.
        let candidate = context.encoders.assignEncoder(to: session.subject).candidate ?? .software(.h264)
        session.update(generation) { $0.encoder = candidate }
        let recipe =
            context.encoders.recipe(for: candidate, in: session.subject, effort: .least)
            ?? Libx264Recipe(effort: .least)
        let (attachment, input, output) = try await session.dataPath.attachEncoder(
            ofFrames: frames, takesOver: beginning == .ahead, startPatience: session.startPatience,
            frameDuration: rate.map { .seconds($0.denominator) / $0.numerator }
        ) { [session] in session.report($0, of: generation) }
        let command = FrameEncoderCommand(settings: job.settings, recipe: recipe, rate: rate).command(
            for: context.ffmpeg.capabilities)
        return EncoderGeneration.Ready(command: command, attachment: attachment, input: input, output: output)
    }

    func handle(_ request: Never, in session: isolated Session, _ tasks: inout DiscardingTaskGroup) {}

    func isTooSlow(
        _ generation: GroupMachine.Generation, in session: isolated Session, _ tasks: inout DiscardingTaskGroup
    ) {
        guard let encoder = session.encoder, !encoder.isSoftware else {
            return session.logger.warning(
                """
                the encoder is too slow for real time, and there is no faster one: lower the source's frame size \
                or frame rate
                """
            )
        }
        session.logger.warning("the encoder is too slow for real time, another encoder takes over")
        session.update(generation) { $0.fault = .slow }
        session.blame(generation, .slow)
        session.handle(.replace(.slow), in: &tasks)
    }

    func note(_ event: EncoderSessionEvent, in session: isolated Session) {
        switch event {
        case .promoted(let generation):
            statistics.isEncoded(by: session.generations[generation]?.encoder)
        case .ended(let end):
            // An encoder that ends with its frames has not failed.
            if end.cause != nil, end.exit.cause != .ended { statistics.encoderEnded(end.exit, started: end.started) }
        case .stateChanged, .settled, .keepsUp, .handedOver:
            break
        }
    }

    func end(in session: isolated Session, leaving requests: [Never]) {}
}

extension MezzanineConfiguration {
    /// The encoding that a source asks for.
    var encoding: VideoEncoding { VideoEncoding(bitrate: bitrate, keyframeInterval: keyframeInterval) }

    /// The work of an encoder for frames of this size and rate.
    func job(size: FrameSize?, rate: FrameRate?) -> EncodingJob { EncodingJob(encoding, arriving: size, rate: rate) }
}
