/// How long a device or an encoder that failed is left alone before it is tried again.
package enum RestPolicy {
    /// The first pause; each that follows is twice as long.
    package static let first = Duration.seconds(2)
    package static let cap = Duration.seconds(300)
    /// Failures older than this are forgiven.
    package static let memory = Duration.seconds(600)
    /// After so many failures within ``memory`` the pause is the cap, however short the last one was: what comes back
    /// and fails again and again is not to be handed a stream each time.
    package static let most = 3

    /// - Parameter step: 0 for the first pause.
    package static func pause(_ step: Int) -> Duration { min(first * (1 << min(step, 16)), cap) }
}

/// A pause, and why.
struct Rest: Sendable, Hashable {
    /// For people.
    var reason: FailureReason
    /// Not tried before this.
    var until: Duration
    /// How many pauses came before it.
    var step: Int
    /// The device does not answer, to whoever uses it.
    var isHung = false

    mutating func longer(_ reason: FailureReason, now: Duration) {
        step += 1
        self.reason = reason
        until = now + RestPolicy.pause(step)
    }
}
