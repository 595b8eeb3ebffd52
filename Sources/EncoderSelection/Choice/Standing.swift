/// The state of a candidate on this box.
package enum Standing: Sendable, Hashable {
    /// It passed its trial, or is software that the installed FFmpeg has.
    case usable
    case untried
    /// Its trial failed. The reason says what to do.
    case failed(FailureReason)
    /// It failed in use, and rests.
    case quarantined(FailureReason)

    package var isUsable: Bool { self == .usable }

    /// Why it does not work. `nil` if nothing shows that it does not.
    package var reason: FailureReason? {
        switch self {
        case .usable, .untried: nil
        case .failed(let reason), .quarantined(let reason): reason
        }
    }

    /// Whether it was tried or used, and does not work.
    package var hasFailed: Bool { reason != nil }
}
