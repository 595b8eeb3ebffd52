/// How long a failed device or encoder rests before it is tried again.
package enum RestPolicy {
    /// The first pause. Each further pause is twice as long.
    package static let first = Duration.seconds(2)
    package static let cap = Duration.seconds(300)
    /// How long a failure counts.
    package static let memory = Duration.seconds(600)
    /// After this many failures within ``memory`` the pause is the longest one, however short the last pause was, so
    /// that a device that returns and fails repeatedly does not get a stream each time.
    package static let most = 3

    /// - Parameter step: The number of pauses before this one.
    package static func pause(_ step: Int) -> Duration { min(first * (1 << min(step, 16)), cap) }
}

/// A pause and its reason.
struct Rest: Sendable, Hashable {
    /// The reason, for display.
    var reason: FailureReason
    /// The earliest time of the next trial.
    var until: Duration
    /// The number of pauses before this one.
    var step: Int
    /// Whether the device does not answer any of its users.
    var isHung = false

    mutating func longer(_ reason: FailureReason, now: Duration) {
        step += 1
        self.reason = reason
        until = now + RestPolicy.pause(step)
    }
}
