import EncoderSelection
import FFmpeg

/// Why an encoder gives way to the next one.
package enum HandoverCause: String, Sendable, Hashable, CaseIterable, Codable {
    // The encoder's end
    case crash
    case exit
    /// It took pictures and gave none.
    case stall
    /// It gave fewer pictures than it was sent.
    case slow
    case gpuLost = "gpu-lost"
    case gpuError = "gpu-error"
    case sessionLimit = "session-limit"
    case permission
    case unsupported

    // Somebody's wish
    /// The configuration changed.
    case config
    case byOperator = "operator"
    /// A better encoder is there again.
    case failBack = "fail-back"
    /// The processor has room for a better preset.
    case room
    /// It has run for long.
    case refresh
    /// What the source sends changed.
    case source

    /// The word for it in the metrics, whose list is closed: dashboards and alerts rely on it. The log has the exact
    /// one.
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

    /// The encoder in use is not the one that is wanted: where its successor fails, another one is tried.
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
            case .unresolved, .refused, .unreachable, .timeout, .stuck, .reset, .rejected, .serverError,
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
