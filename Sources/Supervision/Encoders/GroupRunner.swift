import BoxConfiguration
import DataPath
import EncoderSelection
import FFmpeg
import Logging
import MPEGTS
import SystemSupport

/// One output group that encodes: its encoder, and the requests of its channel and of the operator.
///
/// ``EncoderSession`` runs the encoder, and ``GroupEncoding`` decides for the group.
final class GroupRunner: Runnable {
    let name: String
    let statistics: GroupStatistics
    private let context: ServiceContext
    let session: EncoderSession<GroupEncoding>

    init(
        _ group: GroupConfiguration, of channel: ChannelConfiguration, statistics: GroupStatistics,
        context: ServiceContext, dataPath: DataPath
    ) {
        name = group.name
        self.statistics = statistics
        self.context = context
        session = EncoderSession(
            group.name, patience: .group, context: context, dataPath: dataPath,
            logger: context.logger(["channel": "\(channel.name)", "group": "\(group.name)"]),
            delegate: GroupEncoding(group, of: channel, statistics: statistics, context: context))
    }

    /// Starts or stops the encoder.
    func want(_ wanted: Bool) { session.report(.want(wanted)) }
    /// Another source, or the slate, went on air. An encoder that was made for another frame rate is replaced.
    func arriving(_ format: VideoFormat?, isSlate: Bool) { session.send(.arriving(format, isSlate: isSlate)) }
    /// The source on air continues with another size or frame rate. An encoder that was started for a wrong one is
    /// handed over.
    func changes(to format: VideoFormat?) { session.send(.changed(format)) }
    /// Changes the configuration. The encoder is handed over from one frame to the next.
    func change(to group: GroupConfiguration) { session.send(.change(group)) }
    /// Ends the group.
    func finish() { session.finish() }

    /// Runs until ``finish()`` was called and the last process has ended.
    func run() async {
        await session.run()
        context.encoders.forget(name)
    }

    /// Hands the group over to a candidate, or to a new process of the encoder in use, and waits until that has the
    /// output.
    func handOver(to candidate: EncoderCandidate?) async -> HandoverResult {
        await withCheckedContinuation { waiting in
            if !session.send(.handOver(candidate, waiting)) { waiting.resume(returning: .failed(GroupEncoding.over)) }
        }
    }

    /// Runs the trial of an encoder for this group. The encoder in use continues.
    func trial(of candidate: EncoderCandidate) async -> TrialResult {
        guard let job = await session.read({ $0.job }) else {
            return .failed(.unsupported, "group \(name) copies its video, so it has no encoder")
        }
        return await context.encoders.runTrial(of: candidate, job)
    }

    // MARK: Status

    /// The configuration that the encoder follows.
    var group: GroupConfiguration { get async { await session.read { $0.group } } }
    /// The encoder that has the output, or will have it.
    var encoder: EncoderCandidate? { get async { await session.encoder } }
    /// The encoder that the group would get now, and why.
    var choice: EncoderSelector.Choice { get async { await session.read { $0.choice } } }
}
