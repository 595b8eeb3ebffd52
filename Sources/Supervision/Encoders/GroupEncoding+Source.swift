import BoxConfiguration
import FFmpeg
import Logging
import MPEGTS
import MediaTypes

/// Follows the format of the source on air.
extension GroupEncoding {
    /// Reacts to another source, or the slate, that went on air.
    func note(
        _ format: VideoFormat?, isSlate: Bool, in session: isolated Session, _ tasks: inout DiscardingTaskGroup
    ) {
        guard let format, case .encode(let encoding) = group.video else { return }
        changed = nil
        guard let known = arriving else {
            // The first format: now the size for trials of encoders is known.
            arriving = format
            requestEncoder()
            if isMisfit(format) { session.handle(.handOver(.source), in: &tasks) }
            return
        }
        // The slate before the first source has a size of its own.
        let isFirstSize =
            encoding.size == nil && size == nil && !isSlate
            && (known.width, known.height) != (format.width, format.height)
        if isOtherRate(known.frameRate, format.frameRate, for: encoding) || isFirstSize {
            session.handle(.replace(.source), in: &tasks)
        } else if isMisfit(format) {
            session.handle(.handOver(.source), in: &tasks)
        }
    }

    /// Reacts to a source on air that continues in another format.
    ///
    /// An encoder that is starting is not replaced before its first frame, and a successor may already be starting for
    /// the new format. In both cases the format is checked again later.
    func follow(_ format: VideoFormat?, in session: isolated Session, _ tasks: inout DiscardingTaskGroup) {
        guard let format, case .encode(let encoding) = group.video else { return }
        guard let known = arriving else {
            arriving = format
            return requestEncoder()
        }
        changed = format
        guard session.machine.actual == .live, session.machine.successor == nil else { return }
        changed = nil
        let hasWrongRate = RateCorrection.isNeeded(
            for: encoding, startedWith: known.frameRate, arriving: format.frameRate)
        if hasWrongRate {
            session.logger.notice(
                "the encoder was started without the right frame rate, another encoder takes over",
                metadata: ["video": "\(format)", "expected": "\(known)"])
        }
        if hasWrongRate || isMisfit(format) { session.handle(.handOver(.source), in: &tasks) }
    }

    /// Whether an encoder has to start again for another frame rate. A measured rate differs a little from an announced
    /// one. If the rate is converted, any difference puts the frames on another grid.
    private func isOtherRate(_ known: FrameRate?, _ next: FrameRate?, for encoding: VideoEncoding) -> Bool {
        guard let known, let next else { return false }
        return encoding.frameRate == nil ? !known.agrees(with: next) : known != next
    }

    private func isMisfit(_ format: VideoFormat) -> Bool { scope.map { !$0.suits(ArrivingFrames(format)) } ?? false }
}
