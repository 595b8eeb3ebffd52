/// What the data path reports of a publisher.
public enum PublisherEvent: Sendable, Hashable {
    /// Its input waits, and it takes nothing.
    case stalled
    /// It takes its input again.
    case recovered
    /// It closed its input, or the codecs changed; its pipe is closed.
    case ended
}

/// Watches whether a publisher takes its input.
final class Publisher {
    private let outlet: Outlet
    private let report: @Sendable (PublisherEvent) -> Void
    private var isStalled = false

    /// Nanoseconds that a publisher may leave its input waiting. Less than what a feed holds, so that a network that
    /// was slow for a moment costs nothing.
    static let patience: Int64 = 4_000_000_000

    /// Nanoseconds from one time that a publisher is served to the next: two pictures at 30 a second. Platforms hold seconds
    /// back; a publisher that is woken half as often costs the service half as much.
    static let pace: Int64 = 60_000_000

    /// Nanoseconds between two looks at a stalled one.
    private static let recoveryInterval: Int64 = 200_000_000

    init(outlet: Outlet, report: @escaping @Sendable (PublisherEvent) -> Void) {
        self.outlet = outlet
        self.report = report
    }

    /// Reports a change; returns when to look again.
    func doWhatIsDue(now: Int64) -> Int64 {
        let isStuck = outlet.isStuck(since: now - Self.patience)
        if isStuck != isStalled {
            isStalled = isStuck
            report(isStuck ? .stalled : .recovered)
        }
        // That it takes its input again is nobody's deadline, so it is looked for.
        if isStuck { return now + Self.recoveryInterval }
        return outlet.isBlocked ? outlet.movedAt + Self.patience : .max
    }
}
