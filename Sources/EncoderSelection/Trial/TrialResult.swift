import BoxConfiguration
package import FFmpeg

/// What a trial encode showed.
package enum TrialResult: Sendable, Hashable {
    /// - Parameter scalesOnGPU: with pictures scaled by the GPU.
    case passed(scalesOnGPU: Bool)
    /// The sentence says what to do.
    case failed(FailureCause, FailureReason)

    /// Reads the end of a trial.
    ///
    /// - Parameters:
    ///   - overdue: It was ended because it took too long, being like this.
    ///   - flaw: What is wrong with the stream that it made; `nil` when nothing is.
    ///   - scalesOnGPU: How it was run.
    package init(
        _ exit: ChildExit, of candidate: EncoderCandidate, overdue: Overdue?, flaw: String?, scalesOnGPU: Bool = false
    ) {
        if overdue == .working {
            self = .failed(
                .timeout, "it was at work and did not come to an end: this machine is too busy, or far too slow for it")
        } else if overdue == .hanging {
            self = .failed(.driverError, "it hangs: its driver does not answer; restart the box, or update the driver")
        } else if exit.status == .exited(0) {
            self =
                flaw.map { .failed(.unsupported, "its stream cannot be used: \($0)") }
                ?? .passed(scalesOnGPU: scalesOnGPU)
        } else {
            let cause = exit.cause ?? .unknown
            self = .failed(cause, Self.advice(cause, candidate, exit))
        }
    }

    /// What went wrong and what to do; `nil` for one that passed.
    package var explanation: FailureReason? {
        switch self {
        case .passed: nil
        case .failed(_, let why): why
        }
    }

    private static func advice(
        _ cause: FailureCause, _ candidate: EncoderCandidate, _ exit: ChildExit
    ) -> FailureReason {
        let lines = exit.log.lines
        let says = { (text: String) in lines.contains { $0.contains(text) } }
        switch (cause, candidate.family) {
        case (.deviceGone, _): return "there is no such device any more"
        case (.driverMissing, .nvenc)
        where says("required nvenc API version") || says("Cannot load cu") && !says("Cannot load libcuda"):
            return "the NVIDIA driver is older than this FFmpeg needs; update nvidia-driver"
        case (.driverMissing, .nvenc)
        where says("Failed to query nvenc max version") || says("Failed to create nvenc instance"):
            return "the NVIDIA driver is older than this FFmpeg needs; update nvidia-driver"
        case (.driverMissing, .nvenc):
            return "the NVIDIA driver is missing; install nvidia-driver and libnvidia-encode1"
        case (.driverMissing, .qsv):
            return "the Quick Sync runtime is missing; install libmfx-gen1.2, or on Debian 12 libmfx1 (older GPUs)"
        case (.driverMissing, _):
            return "the VA driver is missing; install intel-media-va-driver (Intel) or mesa-va-drivers (AMD)"
        case (.permission, _): return "this user may not open the device; add it to the groups render and video"
        case (.sessionLimit, _):
            return "the device allows no further encoding session; another program or group has them all"
        case (.unsupported, _) where says("No usable encoding entrypoint") || says("No usable encoding profile"):
            return "the GPU or its driver cannot encode this profile"
        case (.unsupported, _) where says("does not support encoding at size") || says(" exceeds "):
            return "the GPU cannot encode pictures of this size"
        case (.unsupported, _) where says("does not support CBR"):
            return
                """
                its driver encodes at no constant bitrate; an Intel GPU needs its firmware for that (install \
                firmware-intel-graphics, on Debian 12 firmware-misc-nonfree; restart the box)
                """
        case (.unsupported, .nvenc) where says("No capable devices found") && !says("features"):
            return "the GPU or its driver cannot encode this codec"
        case (.unsupported, _):
            // That is not the device's doing.
            if let refused = RefusedOption(exit.log) {
                return FailureReason(RefusedRole.sentence(refused.description), kind: .refusedOption)
            }
            return "the device cannot do this: \(error(exit) ?? cause.sentence)"
        case (.crash, _), (.killed, _): return "its driver crashes; update it"
        case (.driverError, _): return "its driver reports an error; restart the box, or update the driver"
        default: return "it does not work here: \(error(exit) ?? cause.sentence)"
        }
    }

    /// What FFmpeg said went wrong first, without who said it.
    private static func error(_ exit: ChildExit) -> String? {
        guard let line = exit.log.firstError ?? exit.log.last(1).first else { return nil }
        return LogLine.withoutPrefixes(line)
    }
}
