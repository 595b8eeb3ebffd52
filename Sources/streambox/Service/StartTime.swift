import Glibc
import Supervision
import Synchronization

/// When the service started. The clock of a box without a battery is set after the start, by years: the time told then
/// is the true one.
final class StartTime: Sendable {
    private let instant = ContinuousClock.now
    private let told = Mutex(Timestamp.now)

    /// Seconds by which the clock may be corrected without another start being told.
    private static let tolerance = 2.0

    var timestamp: Timestamp {
        let (seconds, attoseconds) = (ContinuousClock.now - instant).components
        let computed = Timestamp.now.seconds - Double(seconds) - Double(attoseconds) / 1e18
        return told.withLock { told in
            if abs(told.seconds - computed) > Self.tolerance { told = Timestamp(seconds: computed) }
            return told
        }
    }
}
