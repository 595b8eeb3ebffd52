package import FFmpeg

/// What went wrong with an encoder while it was in use. It picks the answer.
package enum EncoderFault: Sendable, Hashable, CaseIterable {
    // The device rests, whoever uses it.
    case deviceGone
    case driverError
    case driverMissing
    /// It took pictures and gave none.
    case hang
    case permission

    // The encoder rests for this group alone.
    case sessionLimit
    /// It does not keep real time.
    case slow
    /// It was to take over and did not.
    case handover
    /// It is started again once, and rests when that ends as soon.
    case crash

    /// It is out for this group until something else is asked for.
    case unsupported

    /// `nil` for ends that say nothing of the encoder.
    package init?(_ cause: FailureCause) {
        switch cause {
        case .deviceGone: self = .deviceGone
        case .driverError, .busy: self = .driverError
        case .driverMissing: self = .driverMissing
        case .permission: self = .permission
        case .sessionLimit: self = .sessionLimit
        case .unsupported: self = .unsupported
        case .crash, .killed, .unknown, .notStarted: self = .crash
        case .unresolved, .refused, .unreachable, .timeout, .stuck, .reset, .rejected, .serverError,
            .wrongProtocol, .untrusted, .unsigned, .outdated, .diskError, .fileTooLarge,
            .playlist, .unencrypted, .noAuthorities, .misnamed, .wrongTransport, .notFound, .addressInUse, .invalidData,
            .ended, .unwritable, .diskFull:
            return nil
        }
    }

    /// For people, of a device or an encoder.
    package var sentence: String {
        switch self {
        case .deviceGone: "the device went away"
        case .driverError: "its driver reported an error while encoding"
        case .driverMissing: "its driver's library is missing"
        case .hang: "it took pictures and gave none: the GPU hangs"
        case .permission: "this user may not open the device"
        case .sessionLimit: "the device allows no further encoding session"
        case .slow: "it does not keep real time"
        case .handover: "it was to take over and did not"
        case .crash: "its process crashed"
        case .unsupported: "it cannot do what the group asks for"
        }
    }
}
