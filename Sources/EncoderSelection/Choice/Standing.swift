/// What is known of a candidate on this box.
public enum Standing: Sendable, Hashable {
    /// It passed its trial, or is software that the installed FFmpeg has.
    case usable
    case untried
    /// Its trial failed, for a reason and with what to do.
    case failed(String)
    /// It failed while it was in use, and rests.
    case quarantined(String)

    public var isUsable: Bool { self == .usable }

    /// It was tried or used, and does not work.
    public var hasFailed: Bool {
        switch self {
        case .usable, .untried: false
        case .failed, .quarantined: true
        }
    }
}
