import Configuration
public import FFmpeg

/// What a trial encode showed.
public enum TrialResult: Sendable, Hashable {
    case passed
    /// The sentence says what to do.
    case failed(FailureCause, String)

    /// Reads the end of a trial.
    ///
    /// - Parameter isOverdue: It was ended because it took too long.
    public init(_ exit: ChildExit, of candidate: EncoderCandidate, isOverdue: Bool) {
        if isOverdue {
            self = .failed(.driverError, "\(candidate) hangs: its driver does not answer; restart the box, or update the driver")
        } else if exit.status == .exited(0) {
            self = .passed
        } else {
            let cause = exit.cause ?? .unknown
            self = .failed(cause, Self.advice(cause, candidate, exit))
        }
    }

    private static func advice(_ cause: FailureCause, _ candidate: EncoderCandidate, _ exit: ChildExit) -> String {
        switch (cause, candidate.family) {
        case (.deviceGone, _):
            "\(candidate): there is no such device here"
        case (.driverMissing, .nvenc):
            "\(candidate): the NVIDIA driver is missing or too old; install nvidia-driver with libnvidia-encode1"
        case (.driverMissing, _):
            "\(candidate): the VA driver is missing; install intel-media-va-driver (Intel) or mesa-va-drivers (AMD)"
        case (.permission, _):
            "\(candidate): this user may not open the device; add it to the groups render and video"
        case (.sessionLimit, _):
            "\(candidate): the device allows no further encoding session"
        case (.unsupported, _):
            "\(candidate): the device cannot encode this size, profile or format"
        case (.crash, _), (.killed, _):
            "\(candidate): its driver crashes; update it"
        case (.driverError, _):
            "\(candidate): its driver reports an error; restart the box, or update the driver"
        default:
            "\(candidate) does not work here: \(exit.log.tail.last ?? cause.sentence)"
        }
    }
}
