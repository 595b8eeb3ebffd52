/// Whether a candidate works on this box, according to its trials and its use.
package enum Standing: Sendable, Hashable {
    /// It passed its trial, or is software that the installed FFmpeg has.
    case usable
    /// It has not been tried.
    case untried
    /// Its trial failed. The reason says what to do.
    case failed(FailureReason)
    /// It failed in use, and rests: it is not used for some time.
    case quarantined(FailureReason)

    package var isUsable: Bool { self == .usable }

    /// Why it does not work. `nil` if it works, or has not been tried.
    package var reason: FailureReason? {
        switch self {
        case .usable, .untried: nil
        case .failed(let reason), .quarantined(let reason): reason
        }
    }

    /// Whether it was tried or used, and does not work.
    package var hasFailed: Bool { reason != nil }
}
