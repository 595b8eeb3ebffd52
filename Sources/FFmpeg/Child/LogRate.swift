/// Limits how many messages of one process are passed on: a damaged stream prints thousands a second.
struct LogRate<Instant: InstantProtocol>: Sendable where Instant: Sendable, Instant.Duration == Duration {
    enum Verdict: Equatable {
        /// Pass it on. `after` messages were held back since the last one.
        case pass(after: Int)
        case suppress
    }

    /// The most messages in a row.
    let burst: Int
    /// The time in which one more message is allowed.
    let interval: Duration
    private(set) var suppressed = 0
    private var credit: Int
    private var counted: Instant

    init(burst: Int = 100, interval: Duration = .milliseconds(100), now: Instant) {
        self.burst = burst
        self.interval = interval
        credit = burst
        counted = now
    }

    mutating func admit(at now: Instant) -> Verdict {
        let earned = Int(counted.duration(to: now) / interval)
        if earned > 0 {
            credit = min(burst, credit + earned)
            counted = credit == burst ? now : counted.advanced(by: interval * earned)
        }
        guard credit > 0 else {
            suppressed += 1
            return .suppress
        }
        credit -= 1
        defer { suppressed = 0 }
        return .pass(after: suppressed)
    }
}
