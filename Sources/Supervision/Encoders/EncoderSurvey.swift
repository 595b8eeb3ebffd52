package import BoxConfiguration
package import EncoderSelection
import FFmpeg
import MediaTypes

/// Runs trials outside the service, for commands that show the abilities of a box.
package enum EncoderSurvey {
    /// Runs the trials that a configuration needs, and returns the pool with their results. The pool then chooses the
    /// encoders that the groups would get now.
    package static func run(_ configuration: BoxConfiguration, _ catalogue: EncoderCatalogue, trial: EncoderTrial) async
        -> EncoderPool
    {
        var pool = EncoderPool(catalogue, order: configuration.encoders.order)
        var effects: [EncoderPool.Effect] = []
        for group in configuration.channels.flatMap(\.groups) {
            guard case .encode(let encoding) = group.video else { continue }
            effects += pool.setEncoding(encoding, job: EncodingJob(encoding), for: group.name, now: .zero)
        }
        for channel in configuration.channels {
            for source in channel.sources where source.hasFrames {
                let encoding = channel.mezzanine.encoding
                effects += pool.setEncoding(
                    encoding, job: EncodingJob(encoding), for: "\(channel.name)/\(source.id)", now: .zero)
            }
        }
        await withTaskGroup(of: (Trial, TrialResult).self) { tasks in
            func start(_ effects: [EncoderPool.Effect]) {
                for case .runTrial(let due) in effects {
                    tasks.addTask { (due, await trial.run(due, catalogue)) }
                }
            }
            start(effects)
            // No time passes, so no trial is repeated.
            while let (finished, result) = await tasks.next() {
                start(pool.trialFinished(finished, result, now: .zero))
            }
        }
        return pool
    }

    /// Runs a trial of every encoder of the box, all at once. Each scales from 1080p to 720p, so that scaling is tried
    /// too.
    package static func run(_ catalogue: EncoderCatalogue, trial: EncoderTrial) async -> [(
        EncoderCandidate, TrialResult
    )] {
        let candidates = EncoderFamily.allCases.flatMap { family in
            VideoCodec.allCases.filter { $0 != .av1 }.flatMap { catalogue.candidates(family, $0) }
        }
        return await withTaskGroup(of: (Int, TrialResult).self) { tasks in
            for (index, candidate) in candidates.enumerated() {
                let encoding = VideoEncoding(codec: candidate.codec ?? .h264, size: FrameSize(width: 1280, height: 720))
                let job = EncodingJob(encoding, arriving: FrameSize(width: 1920, height: 1080))
                tasks.addTask { (index, await trial.run(Trial(candidate, job), catalogue)) }
            }
            var results: [Int: TrialResult] = [:]
            for await (index, result) in tasks { results[index] = result }
            return candidates.enumerated().compactMap { index, candidate in results[index].map { (candidate, $0) } }
        }
    }
}
