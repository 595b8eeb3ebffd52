import Glibc
import Supervision
import Synchronization

/// The time at which the service started. A box without a battery sets its clock after the start, by years: the start
/// time is corrected with it.
final class StartTime: Sendable {
    private let instant = ContinuousClock.now
    private let current = Mutex(Timestamp.now)

    /// Seconds by which the clock may be corrected without a change of the start time.
    private static let tolerance = 2.0

    var timestamp: Timestamp {
        let (seconds, attoseconds) = (ContinuousClock.now - instant).components
        let computed = Timestamp.now.seconds - Double(seconds) - Double(attoseconds) / 1e18
        return current.withLock { current in
            if abs(current.seconds - computed) > Self.tolerance { current = Timestamp(seconds: computed) }
            return current
        }
    }
}
