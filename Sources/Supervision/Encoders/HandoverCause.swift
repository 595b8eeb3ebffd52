import EncoderSelection
import FFmpeg

/// Why an encoder is replaced by the next one.
package enum HandoverCause: String, Sendable, Hashable, CaseIterable {
    // The encoder's end
    case crash
    case exit
    /// It read frames and delivered none.
    case stall
    /// It delivered fewer frames than it received.
    case slow
    case gpuLost = "gpu-lost"
    case gpuError = "gpu-error"
    case sessionLimit = "session-limit"
    case permission
    case unsupported

    // A request
    /// The configuration changed.
    case config
    case byOperator = "operator"
    /// A better encoder works again.
    case failBack = "fail-back"
    /// The processors have room for a better preset.
    case room
    /// It has run for a long time.
    case refresh
    /// The format of the source changed.
    case source

    /// The word in the metrics. Its list is closed, because dashboards and alerts rely on it. The log has the exact
    /// cause.
    var label: String {
        switch self {
        case .slow: Self.stall.rawValue
        case .source: Self.refresh.rawValue
        case .room: Self.failBack.rawValue
        case .crash, .exit, .stall, .gpuLost, .gpuError, .sessionLimit, .permission, .unsupported, .config, .byOperator,
            .failBack, .refresh:
            rawValue
        }
    }

    /// Whether the encoder in use has to be replaced although it works. If its successor fails, another one is started.
    var isOwed: Bool {
        switch self {
        case .config, .source: true
        case .crash, .exit, .stall, .slow, .gpuLost, .gpuError, .sessionLimit, .permission, .unsupported: false
        case .byOperator, .failBack, .room, .refresh: false
        }
    }

    init(_ failure: FailureCause) {
        self =
            switch failure {
            case .deviceGone: .gpuLost
            case .driverError, .driverMissing: .gpuError
            case .sessionLimit: .sessionLimit
            case .permission: .permission
            case .unsupported: .unsupported
            case .crash, .killed: .crash
            case .busy: .gpuError
            case .unresolved, .connectionRefused, .unreachable, .timeout, .stuck, .reset, .rejected, .serverError,
                .wrongProtocol, .untrusted, .unsigned, .outdated, .diskError, .fileTooLarge,
                .playlist, .unencrypted, .noAuthorities, .misnamed, .wrongTransport, .notFound, .addressInUse,
                .invalidData,
                .ended, .unwritable, .diskFull, .notStarted, .unknown:
                .exit
            }
    }

    init(_ move: EncoderPool.Move) {
        self =
            switch move {
            case .better: .failBack
            case .gone: .gpuLost
            case .failing: .gpuError
            case .hanging: .stall
            case .changed: .config
            }
    }
}
