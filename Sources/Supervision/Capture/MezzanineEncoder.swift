import Configuration
import EncoderSelection
import FFmpeg
import Synchronization

/// The encoder of a relay that has pictures to encode: the best of the box, and another when that fails.
///
/// It is chosen anew at each start of the relay. Moving to a better one meanwhile would cost pictures, for a card or a FIFO is
/// read by one process.
final class MezzanineEncoder: Sendable {
    /// Among the groups that ask for encoders.
    private let id: String
    private let mezzanine: MezzanineConfiguration
    private let encoders: EncoderKeeper
    private let inUse = Mutex<EncoderCandidate?>(nil)

    init(id: String, mezzanine: MezzanineConfiguration, encoders: EncoderKeeper) {
        self.id = id
        self.mezzanine = mezzanine
        self.encoders = encoders
    }

    /// What the next relay encodes with, and how.
    ///
    /// - Parameters:
    ///   - size: Of the pictures; `nil` where it is not known.
    ///   - rate: Likewise.
    func next(size: FrameSize?, rate: FFmpeg.FrameRate?) async -> RelayVideo {
        let job = mezzanine.job(size: size, rate: rate)
        encoders.need(mezzanine.wish, as: job, for: id)
        await encoders.bestVerdict(for: id)
        let candidate = encoders.assign(to: id).candidate ?? .software(.h264)
        inUse.withLock { $0 = candidate }
        return .encode(job.settings, with: encoders.recipe(for: candidate, in: id, effort: .least) ?? Libx264Recipe(effort: .least))
    }

    /// Its pictures come.
    func delivers() {
        if let candidate = inUse.withLock({ $0 }) { encoders.delivers(candidate, for: id) }
    }

    /// The relay has ended.
    func ended(_ cause: FailureCause?) {
        guard let cause, let candidate = inUse.withLock({ $0 }), !candidate.isSoftware else { return }
        switch cause {
        // What concerns the input is not the encoder's fault.
        case .deviceGone, .busy, .permission, .unsupported: return
        default: if let fault = EncoderFault(cause) { encoders.failed(candidate, fault, in: id) }
        }
    }

    /// The relay is no more.
    func forget() { encoders.forget(id) }
}

extension MezzanineConfiguration {
    /// What a relay asks of an encoder.
    var wish: VideoEncoding { VideoEncoding(bitrate: bitrate, keyframe: keyframe) }

    /// What that comes to with the pictures that arrive.
    func job(size: FrameSize?, rate: FFmpeg.FrameRate?) -> EncodingJob { EncodingJob(wish, arriving: size, rate: rate) }

    /// Without an encoder of the box.
    func inSoftware(size: FrameSize?, rate: FFmpeg.FrameRate?) -> RelayVideo {
        .encode(job(size: size, rate: rate).settings, with: Libx264Recipe(effort: .least))
    }
}
