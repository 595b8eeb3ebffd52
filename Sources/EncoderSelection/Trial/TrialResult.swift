import BoxConfiguration
package import FFmpeg

/// The result of a trial encode.
package enum TrialResult: Sendable, Hashable {
    /// - Parameter scalesOnGPU: Whether the GPU scaled the frames.
    case passed(scalesOnGPU: Bool)
    /// It failed. The reason says what to do.
    case failed(FailureCause, FailureReason)

    /// Reads the result from the end of a trial.
    ///
    /// - Parameters:
    ///   - overdue: The condition of the process, if it was ended because it took too long.
    ///   - flaw: The fault of the stream that the trial encoded. `nil` if there is none.
    ///   - scalesOnGPU: Whether the GPU scaled the frames.
    package init(
        _ exit: ChildExit, of candidate: EncoderCandidate, overdue: Overdue?, flaw: String?, scalesOnGPU: Bool = false
    ) {
        if overdue == .working {
            self = .failed(
                .timeout, "it worked, but did not finish in time: this machine is too busy, or far too slow for it")
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

    /// Why it failed, and what to do. `nil` if it passed.
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
        case (.deviceGone, _): return "this device no longer exists; check its slot, cable and power"
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
        case (.permission, _):
            return "this user may not open the device; add it to the groups render and video"
        case (.sessionLimit, _):
            return "the device allows no further encoding session; other programs or groups use them all"
        case (.unsupported, _) where says("No usable encoding entrypoint") || says("No usable encoding profile"):
            return "the GPU or its driver cannot encode this profile"
        case (.unsupported, _) where says("does not support encoding at size") || says(" exceeds "):
            return "the GPU cannot encode frames of this size"
        case (.unsupported, _) where says("does not support CBR"):
            return
                """
                its driver does not encode at a constant bitrate; an Intel GPU needs its firmware for that (install \
                firmware-intel-graphics, on Debian 12 firmware-misc-nonfree; restart the box)
                """
        case (.unsupported, .nvenc) where says("No capable devices found") && !says("features"):
            return "the GPU or its driver cannot encode this codec"
        case (.unsupported, _):
            // FFmpeg refuses an option, so the device is not at fault.
            if let refused = RefusedOption(exit.log) {
                return FailureReason(RefusedRole.sentence(refused.description), kind: .refusedOption)
            }
            return "the device cannot do this: \(error(exit) ?? cause.sentence)"
        case (.crash, _), (.killed, _): return "its driver crashes; update it"
        case (.driverError, _): return "its driver reports an error; restart the box, or update the driver"
        default: return "it does not work here: \(error(exit) ?? cause.sentence)"
        }
    }

    /// The first error that FFmpeg printed, without the name of the part that printed it.
    private static func error(_ exit: ChildExit) -> String? {
        guard let line = exit.log.firstError ?? exit.log.last(1).first else { return nil }
        return LogLine.withoutPrefixes(line)
    }
}
