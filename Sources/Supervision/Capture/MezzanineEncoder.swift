import Configuration
import EncoderSelection
import FFmpeg
import Synchronization

/// The encoder of a relay that has pictures to encode: the best of the box, and another when that fails.
///
/// It is chosen anew at each start of the relay. A card or a FIFO is read by one process, which encodes too, so that moving to
/// another costs the pictures until the next relay's first: it is done where the encoder is lost, and to a better one only
/// soon after the relay began or while it is not on air.
final class MezzanineEncoder: Sendable {
    /// Among the groups that ask for encoders.
    private let id: String
    private let mezzanine: MezzanineConfiguration
    private let encoders: EncoderKeeper
    private let isOnAir: @Sendable () -> Bool
    private let state = Mutex(State())

    private struct State {
        var inUse: Trial?
        /// The relay came to a halt with it; whether it or the input is at fault is not known.
        var suspect: Trial?
        var began = Timestamp(seconds: 0)
        /// There is a better one than that in use.
        var hasBetter = false
        /// Has the next relay begin.
        var replace: (@Sendable () -> Void)?

        /// Once for each relay: it may be on its way already.
        mutating func takeReplace() -> (@Sendable () -> Void)? {
            defer { replace = nil }
            return replace
        }
    }

    /// How long a suspect has to show that it is well. It was in use just now, so it is awake.
    private static let patience = Duration.seconds(3)

    /// A relay that began so many seconds ago may be replaced for a better encoder: at the start of the box trials take their time.
    private static let youth = 15.0

    /// - Parameter isOnAir: Its relay's pictures are seen.
    init(id: String, mezzanine: MezzanineConfiguration, encoders: EncoderKeeper, isOnAir: @escaping @Sendable () -> Bool) {
        self.id = id
        self.isOnAir = isOnAir
        self.mezzanine = mezzanine
        self.encoders = encoders
    }

    /// What the next relay encodes with, and how.
    ///
    /// - Parameters:
    ///   - size: Of the pictures; `nil` where it is not known.
    ///   - rate: Likewise.
    ///   - replace: Called when that relay should be replaced; it must not block.
    func next(size: FrameSize?, rate: FFmpeg.FrameRate?, replace: @escaping @Sendable () -> Void) async -> RelayVideo {
        let job = mezzanine.job(size: size, rate: rate)
        encoders.need(mezzanine.wish, as: job, for: id) { [weak self] in self?.shouldMove($0) }
        await encoders.bestVerdict(for: id)
        let candidate = encoders.assign(to: id).candidate ?? .software(.h264)
        state.withLock { ($0.inUse, $0.began, $0.hasBetter, $0.replace) = (Trial(candidate, job), .now, false, replace) }
        return .encode(job.settings, with: encoders.recipe(for: candidate, in: id, effort: .least) ?? Libx264Recipe(effort: .least))
    }

    private func shouldMove(_ move: EncoderPool.Move) {
        let isOnAir = isOnAir()
        let replace: (@Sendable () -> Void)? = state.withLock { state in
            switch move {
            // It would come to a halt, and that would be seen a second later.
            case .gone, .hanging: break
            // Other groups' trouble need not be the relay's.
            case .failing: return nil
            case .better, .changed:
                state.hasBetter = true
                guard !isOnAir || Timestamp.now.seconds - state.began.seconds < Self.youth else { return nil }
            }
            return state.takeReplace()
        }
        replace?()
    }

    /// The relay's pictures are not seen any more.
    func isOffAir() {
        let replace = state.withLock { $0.hasBetter ? $0.takeReplace() : nil }
        replace?()
    }

    /// Its pictures come.
    func delivers() {
        if let inUse = state.withLock({ $0.inUse }) { encoders.delivers(inUse.candidate, for: id) }
    }

    /// No picture comes any more, and the relay is going to be ended.
    func stalled() {
        state.withLock { state in
            if let inUse = state.inUse, !inUse.candidate.isSoftware { state.suspect = inUse }
        }
    }

    /// Whether the relay came to a halt because its encoder hangs: a trial tells. The next relay then has another.
    func wasAtFault() async -> Bool {
        guard let suspect = state.withLock({ state in
            defer { state.suspect = nil }
            return state.suspect
        }) else { return false }
        let (verdicts, queue) = AsyncStream.makeStream(of: EncoderFault?.self, bufferingPolicy: .bufferingOldest(1))
        Task { [encoders] in
            switch await encoders.attempt(suspect.candidate, suspect.job) {
            case .passed: queue.yield(nil)
            case .failed(let cause, _): queue.yield(EncoderFault(cause) ?? .hang)
            }
        }
        let timer = Task {
            guard await (try? ContinuousClock().sleep(for: Self.patience)) != nil else { return }
            queue.yield(.hang)
        }
        defer { timer.cancel() }
        for await verdict in verdicts {
            guard let fault = verdict else { return false }
            encoders.failed(suspect.candidate, fault, in: id)
            return true
        }
        return false
    }

    /// The relay has ended, and not because of its input.
    func ended(_ cause: FailureCause?) {
        guard let cause, let inUse = state.withLock({ $0.inUse }), !inUse.candidate.isSoftware else { return }
        if let fault = EncoderFault(cause) { encoders.failed(inUse.candidate, fault, in: id) }
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
