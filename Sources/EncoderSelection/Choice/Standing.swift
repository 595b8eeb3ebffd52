/// What is known of a candidate on this box.
package enum Standing: Sendable, Hashable {
    /// It passed its trial, or is software that the installed FFmpeg has.
    case usable
    case untried
    /// Its trial failed, for a reason and with what to do.
    case failed(FailureReason)
    /// It failed while it was in use, and rests.
    case quarantined(FailureReason)

    package var isUsable: Bool { self == .usable }

    /// Why it does not work; `nil` where nothing shows that.
    package var reason: FailureReason? {
        switch self {
        case .usable, .untried: nil
        case .failed(let reason), .quarantined(let reason): reason
        }
    }

    /// It was tried or used, and does not work.
    package var hasFailed: Bool { reason != nil }
}
