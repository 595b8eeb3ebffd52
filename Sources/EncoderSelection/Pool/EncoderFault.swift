package import FFmpeg

/// A failure of an encoder in use. The pool reacts to each in another way.
package enum EncoderFault: Sendable, Hashable, CaseIterable {
    // After these the device rests, for all groups.
    case deviceGone
    case driverError
    case driverMissing
    /// The encoder received frames and returned none.
    case hang
    case permission

    // After these the encoder rests, for this group only.
    case sessionLimit
    /// It is slower than real time.
    case slow
    /// The encoder did not take over at the planned frame.
    case handover
    /// The process crashed. The encoder is restarted once, and rests if it ends again soon.
    case crash

    /// The encoder does not support the group's settings. It is not used for the group until these change.
    case unsupported

    /// Finds the fault of an encoder whose process ended. `nil` for a cause that says nothing about the encoder.
    package init?(_ cause: FailureCause) {
        switch cause {
        case .deviceGone: self = .deviceGone
        case .driverError, .busy: self = .driverError
        case .driverMissing: self = .driverMissing
        case .permission: self = .permission
        case .sessionLimit: self = .sessionLimit
        case .unsupported: self = .unsupported
        case .crash, .killed, .unknown, .notStarted: self = .crash
        case .unresolved, .connectionRefused, .unreachable, .timeout, .stuck, .reset, .rejected, .serverError,
            .wrongProtocol, .untrusted, .unsigned, .outdated, .diskError, .fileTooLarge,
            .playlist, .unencrypted, .noAuthorities, .misnamed, .wrongTransport, .notFound, .addressInUse, .invalidData,
            .ended, .unwritable, .diskFull:
            return nil
        }
    }

    /// A sentence for display, about a device or an encoder.
    package var sentence: String {
        switch self {
        case .deviceGone: "the device has gone"
        case .driverError: "its driver reported an error while encoding"
        case .driverMissing: "its driver's library is missing"
        case .hang: "it took frames and returned none: the GPU hangs"
        case .permission: "this user may not open the device"
        case .sessionLimit: "the device allows no further encoding session"
        case .slow: "it is slower than real time"
        case .handover: "it did not take over when it should"
        case .crash: "its process crashed"
        case .unsupported: "it does not support the group's settings"
        }
    }
}
