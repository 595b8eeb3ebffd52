import Polling
import Synchronization

/// What there is to tell of an ingest: written on its thread, read by anybody.
public final class IngestLedger: Sendable {
    private let counts = Mutex<[IngestRefusal: Int]>([:])
    private let media = Atomic<Int64>(.min / 2)
    private let isOn = Atomic(false)
    private let holds = Atomic(false)

    init() {}

    /// How many were turned away.
    public var refusals: [IngestRefusal: Int] { counts.withLock { $0 } }

    /// Somebody publishes, and sent something within this time, or is not read because the relay takes nothing.
    public func delivers(within limit: Duration) -> Bool {
        guard isOn.load(ordering: .relaxed) else { return false }
        return holds.load(ordering: .relaxed) || EventLoop.now() - media.load(ordering: .relaxed) < limit.wholeNanoseconds
    }

    func refused(_ reason: IngestRefusal) { counts.withLock { $0[reason, default: 0] += 1 } }
    func publishes(_ publishes: Bool) { isOn.store(publishes, ordering: .relaxed) }
    func isHeld(_ isHeld: Bool) { holds.store(isHeld, ordering: .relaxed) }
    func took(_ now: Int64) { media.store(now, ordering: .relaxed) }
}
